"""同步: all saved here, so many wait for a line; progress while it runs; refused records as work; the history."""

from typing import ClassVar
from urllib.parse import urlsplit

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import number, tr
from desktop.pages.page import Page, Touched
from desktop.pages.sync_centre.moments import moment_words
from desktop.pages.sync_centre.read import Overview, read_overview
from desktop.pages.sync_centre.refused_card import RefusedCard
from desktop.sync_agent import Phase, Status
from desktop.texts import code_words, words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear, fact
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.labels import label, set_text
from desktop.widgets.progress_row import ProgressRow


class SyncPage(Page):
    """Calm in every state; the one blue button is 现在同步."""

    name: ClassVar[str] = "sync"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.setObjectName("page")
        self._since = QElapsedTimer()
        px = theme.current().px
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(theme.GAP_L))
        column.addWidget(self._state_card())
        self.refused = RefusedCard(context, changed=self.reload)
        column.addWidget(self.refused)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(28), px(24), px(28), px(24))
        self._history_card = Card(tr("Earlier syncs"))
        outer.addWidget(ResponsiveColumns(main, [self._history_card, self._pc_card()], side_width=370))
        context.hub.sync_state.connect(self._show_status)
        self._show_status(context.agent.status)

    def title(self) -> str:
        return tr("Sync")

    def open(self, **target: object) -> None:
        super().open(**target)
        self._show_status(self.context.agent.status)

    def reload(self) -> None:
        viewer, backups = self.context.session.viewer, self.context.paths.backups
        database = self.context.vault.database
        self.context.tasks.read(
            self,
            lambda reader: read_overview(reader, viewer, backups=backups, database=database),
            self._show,
            self._failed,
            key="overview",
        )

    def touched(self, touched: Touched) -> None:
        if self.isVisible() and self.context.session.is_open:
            self.reload()

    @property
    def line(self) -> str:
        """What is sent and what waits, in one sentence."""
        return self._line.text()

    @property
    def advice(self) -> str:
        """What the state means and what to do; '' when nothing has to be said."""
        return self._advice.text()

    # ------------------------------------------------------------------------------------------- building

    def _state_card(self) -> Card:
        self._card = Card("")
        self._line = label("", wrap=True)
        self._advice = label("", "secondary", wrap=True)
        self._bar = ProgressRow()
        self._bar.cancel_button.hide()  # 停一停 below does it
        self._bar.hide()
        self.now = button(tr("Sync now"), role="primary", on_click=self.context.agent.sync_now)
        self.pause = button(tr("Pause"), on_click=self.context.agent.pause)
        row = QHBoxLayout()
        row.addWidget(self.now)
        row.addWidget(self.pause)
        row.addStretch(1)
        for part in (self._line, self._advice, self._bar):
            self._card.add(part)
        self._card.add(row)
        return self._card

    def _pc_card(self) -> Card:
        card = Card(tr("This PC"))
        block, self._size = fact(tr("Records"), "")
        card.add(block)
        block, self._backup = fact(tr("Daily copy"), "")
        card.add(block)
        return card

    # ------------------------------------------------------------------------------------------- state

    def _show_status(self, status: Status) -> None:
        titles = {
            Phase.OFF: tr("Nothing is sent from this PC"),
            Phase.IDLE: tr("All saved on this PC"),
            Phase.SYNCING: tr("Syncing"),
            Phase.WAITING: tr("All saved on this PC"),
            Phase.TROUBLE: tr("All saved on this PC"),
            Phase.PAUSED: tr("Paused"),
        }
        running = status.phase is Phase.SYNCING
        self._card.set_title(titles[status.phase])
        last = moment_words(status.last_success_at, now=self.context.now())
        self._card.set_hint(tr("last sync {when}").format(when=last) if last and not running else "")
        set_text(self._line, _line_words(status))
        set_text(self._advice, _advice_words(status))
        if running and self._bar.isHidden():
            self._since.start()
        self._bar.setVisible(running)
        if running:
            self._show_progress(status)
        self.now.setEnabled(not running and status.phase is not Phase.OFF)
        self.pause.setEnabled(status.phase not in (Phase.PAUSED, Phase.OFF))
        self.now.setVisible(status.phase is not Phase.OFF)
        self.pause.setVisible(status.phase is not Phase.OFF)
        if self.isVisible() and not running and self.context.session.is_open:
            self.reload()

    def _show_progress(self, status: Status) -> None:
        sending = status.sent < status.to_send
        done, total = (status.sent, status.to_send) if sending else (status.received, status.to_receive)
        text = tr("Sending what was noted here") if sending else tr("Receiving what others did")
        passed = self._since.elapsed() / 1000
        left = passed / done * (total - done) if done and total > done and passed > 1 else None
        self._bar.set_progress(text, done=done, total=total, seconds_left=left)

    # ------------------------------------------------------------------------------------------- lists

    def _show(self, overview: Overview) -> None:
        now = self.context.now()
        clear(self._history_card.body)
        for line in overview.rounds:
            result = tr("all sent and received ✓") if line.result == "ok" else code_words(line.result).title
            text = tr("{when}　sent {sent}　received {received}　{result}").format(
                when=moment_words(line.at, now=now),
                sent=number(line.pushed),
                received=number(line.pulled),
                result=result,
            )
            self._history_card.add(label(text, wrap=True))
        if not overview.rounds:
            self._history_card.add(label(tr("Each sync with the server will be listed here."), "secondary", wrap=True))
        self._history_card.fill()
        self.refused.show_items(overview.refused)
        if self.context.agent.status.phase is Phase.SYNCING:
            self._card.set_hint(urlsplit(overview.server_url).hostname or "")
        self._size.setText(tr("Encrypted · {size} MB").format(size=f"{overview.size:.0f}"))
        copied = moment_words(overview.copied_at, now=now)
        self._backup.setText(
            tr("{when}, opened and checked ✓").format(when=copied) if copied else tr("made today after unlocking")
        )

    def _failed(self, error: Exception) -> None:
        said = words(error)
        set_text(self._advice, f"{said.title}　{said.advice}".strip("　"))


def _line_words(status: Status) -> str:
    if status.phase is Phase.OFF:
        return tr("This PC is not joined to a server. Everything stays here, encrypted.")
    if status.unsent:
        return tr("{n} wait for a line").format(n=number(status.unsent))
    if status.phase is Phase.SYNCING and status.to_send:
        return tr("All {n} noted here are sent.").format(n=number(status.to_send))
    return tr("Everything is sent.")


def _advice_words(status: Status) -> str:
    if status.phase is Phase.WAITING:
        if status.code == "not_our_server":
            said = code_words(status.code)
            return f"{said.title}　{said.advice}"
        return tr("No line just now. It is tried again by itself; go on working.")
    if status.phase is Phase.TROUBLE:
        said = code_words(status.code)
        return f"{said.title}　{said.advice}"
    if status.phase is Phase.PAUSED:
        return tr("Nothing is sent until you press “Sync now”.")
    if status.phase is Phase.SYNCING:
        return tr("Go on working meanwhile.")
    return ""
