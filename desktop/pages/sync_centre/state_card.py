"""How sync stands now: all saved here, what waits, progress with the time left, and the few buttons."""

from urllib.parse import urlsplit

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import number, tr
from desktop.sync_status import Phase, Status
from desktop.texts import code_words, words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text
from desktop.widgets.progress_row import ProgressRow
from desktop.words.moments import moment_words

_FORGOTTEN = frozenset({"bad_signature", "revoked"})  # the server knows this PC no more: a fresh code helps
_EXPLAINED = frozenset({"not_our_server", "certificate", "certificate_day"})  # somebody can do something
_SURE_AFTER_S = 1.0  # a guess made of less is worth nothing


class StateCard(Card):
    """``buttons`` is the row of buttons; others may put theirs at its end.

    ``refused_asked`` when the person wants to see what is to be put right, which lies further down in a narrow window.
    """

    refused_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._since = QElapsedTimer()
        self._server = ""
        self._line = label("", wrap=True)
        self._advice = label("", "secondary", wrap=True)
        self._bar = ProgressRow()
        self._bar.cancel_button.hide()  # 停一停 below does it
        self._bar.hide()
        self.now = button(tr("Sync now"), role="primary", on_click=context.agent.sync_now)
        self.pause = button(tr("Pause"), on_click=context.agent.pause)
        self.to_refused = button("", role="link", on_click=self.refused_asked.emit)
        self.to_refused.hide()
        self.rejoin = button(
            tr("Join again with a new code"), role="link", on_click=lambda: context.navigate("settings")
        )
        self.rejoin.hide()
        for part in (self._line, self._advice):
            self.add(part)
        self.body.addWidget(self.rejoin, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.to_refused, 0, Qt.AlignmentFlag.AlignLeft)
        self.add(self._bar)
        holder = QWidget()
        self.buttons = FlowLayout(holder, gap=theme.GAP_M)
        self.buttons.addWidget(self.now)
        self.buttons.addWidget(self.pause)
        self.add(holder)

    @property
    def line(self) -> str:
        """What is sent and what waits, in one sentence."""
        return self._line.text()

    @property
    def advice(self) -> str:
        """What the state means and what to do; '' when nothing has to be said."""
        return self._advice.text()

    def set_primary(self, on: bool) -> None:
        """Whether 现在同步 is the page's blue button; something to be put right goes before it."""
        theme.set_role(self.now, "primary" if on else "second")

    def show_refused(self, count: int) -> None:
        """How many are to be put right, when they cannot be seen beside this card; 0 for none."""
        self.to_refused.setVisible(count > 0)
        self.to_refused.set_words(tr("{n} to be put right before sending, nothing lost").format(n=number(count)))

    def show_server(self, url: str) -> None:
        """The server's address, for the hint while it syncs."""
        self._server = urlsplit(url).hostname or ""
        if self._context.agent.status.phase is Phase.SYNCING:
            self.set_hint(self._server)

    def show_failure(self, error: Exception) -> None:
        """The page could not be read."""
        said = words(error)
        set_text(self._advice, f"{said.title}　{said.advice}".strip("　"))

    def show_status(self, status: Status) -> None:
        """Everything that follows from the agent's state."""
        titles = {
            Phase.OFF: tr("Nothing is sent from this PC"),
            Phase.IDLE: tr("All saved on this PC"),
            Phase.SYNCING: tr("Syncing"),
            Phase.WAITING: tr("All saved on this PC"),
            Phase.TROUBLE: tr("All saved on this PC"),
            Phase.PAUSED: tr("Paused"),
        }
        running, paused = status.phase is Phase.SYNCING, status.phase is Phase.PAUSED
        self.set_title(titles[status.phase])
        last = moment_words(status.last_success_at, now=self._context.now())
        self.set_hint(self._server if running else tr("last sync {when}").format(when=last) if last else "")
        set_text(self._line, _line_words(status))
        set_text(self._advice, _advice_words(status))
        self.rejoin.setVisible(status.phase is Phase.TROUBLE and status.code in _FORGOTTEN)
        if running and self._bar.isHidden():
            self._since.start()
        self._bar.setVisible(running)
        if running:
            self._show_progress(status)
        self.now.set_words(tr("Go on sending") if paused else tr("Sync now"))
        # It stays in its place while a session runs: the second press of a double click must not land on 停一停.
        if running and self.now.hasFocus():
            self.setFocus()
        self.now.setEnabled(not running and status.phase is not Phase.OFF)
        self.pause.setEnabled(not paused and status.phase is not Phase.OFF)
        self.now.setVisible(status.phase is not Phase.OFF)
        self.pause.setVisible(not paused and status.phase is not Phase.OFF)

    def _show_progress(self, status: Status) -> None:
        sending = status.sent < status.to_send
        done, total = (status.sent, status.to_send) if sending else (status.received, status.to_receive)
        text = tr("Sending what was noted here") if sending else tr("Receiving what others did")
        left = status.seconds_left
        if left is None:
            passed = self._since.elapsed() / 1000
            left = passed / done * (total - done) if done and total > done and passed > _SURE_AFTER_S else None
        self._bar.set_progress(text, done=done, total=total, seconds_left=left)


def _line_words(status: Status) -> str:
    if status.phase is Phase.OFF:
        return tr("This PC is not joined to a server. Everything stays here, encrypted.")
    if status.unsent:
        return tr("{n} wait for a line").format(n=number(status.unsent))
    if status.phase is Phase.SYNCING and status.to_send:
        return tr("All {n} noted here are sent.").format(n=number(status.to_send))
    return tr("Everything else is sent.") if status.refused else tr("Everything is sent.")


def _advice_words(status: Status) -> str:
    if status.phase is Phase.WAITING:
        if status.code in _EXPLAINED:
            said = code_words(status.code)
            return f"{said.title}　{said.advice}"
        return tr("No line just now. It is tried again by itself; go on working.")
    if status.phase is Phase.TROUBLE:
        said = code_words(status.code)
        return f"{said.title}　{said.advice}"
    if status.phase is Phase.PAUSED:
        return tr("Nothing is sent until you press “Go on sending”.")
    if status.phase is Phase.SYNCING:
        if status.usable and status.received < status.to_receive:
            return tr("Your building is here and can be used; the rest is still coming")
        return tr("Go on working meanwhile.")
    return ""
