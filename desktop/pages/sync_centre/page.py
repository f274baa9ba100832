"""同步: all saved here, so many wait for a line; progress while it runs; refused records as work; the history."""

from typing import ClassVar

from PySide6.QtCore import QDateTime, QElapsedTimer, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.page import Page, Touched
from desktop.pages.sync_centre.read import Overview, read_overview
from desktop.sync_agent import Phase, Status
from desktop.texts import code_words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, clear, fact
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.labels import label, set_text
from desktop.widgets.progress_row import ProgressRow
from sync.store import outbox


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
        self._refused_card = Card(tr("To be corrected and sent again"), hint=tr("nothing is lost"))
        column.addWidget(self._refused_card)
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
        self.context.tasks.read(self, lambda reader: read_overview(reader, viewer, backups), self._show, key="overview")

    def touched(self, touched: Touched) -> None:
        if self.isVisible():
            self.reload()

    # ------------------------------------------------------------------------------------------- building

    def _state_card(self) -> Card:
        self._card = Card("")
        self._line = label("", wrap=True)
        self._advice = label("", "secondary", wrap=True)
        self._bar = ProgressRow()
        self._bar.cancelled.connect(self.context.agent.pause)
        self._bar.hide()
        self._now = button(tr("Sync now"), role="primary", on_click=self.context.agent.sync_now)
        self._pause = button(tr("Pause"), on_click=self.context.agent.pause)
        row = QHBoxLayout()
        row.addWidget(self._now)
        row.addWidget(self._pause)
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
        self._card.set_title(titles[status.phase])
        self._card.set_hint(_when(status.last_success_at))
        waiting = tr("{n} wait for a line").format(n=status.unsent) if status.unsent else tr("Everything is sent.")
        self._line.setText("" if status.phase is Phase.OFF else waiting)
        set_text(self._advice, self._advice_for(status))
        running = status.phase is Phase.SYNCING
        if running and not self._bar.isVisible():
            self._since.start()
        self._bar.setVisible(running)
        if running:
            self._show_progress(status)
        self._now.setEnabled(not running and status.phase is not Phase.OFF)
        self._pause.setEnabled(status.phase not in (Phase.PAUSED, Phase.OFF))
        if self.isVisible() and not running:
            self.reload()

    def _advice_for(self, status: Status) -> str:
        if status.phase is Phase.WAITING:
            said = code_words(status.code)
            return f"{tr('No line just now. It is tried again by itself; go on working.')}　{said.advice}".rstrip("　")
        if status.phase is Phase.TROUBLE:
            said = code_words(status.code)
            return f"{said.title}　{said.advice}"
        if status.phase is Phase.PAUSED:
            return tr("Nothing is sent until you press “Sync now”.")
        return ""

    def _show_progress(self, status: Status) -> None:
        sending = status.sent < status.to_send
        done, total = (status.sent, status.to_send) if sending else (status.received, status.to_receive)
        text = tr("Sending what was noted here") if sending else tr("Receiving what others did")
        passed = self._since.elapsed() / 1000
        left = passed / done * (total - done) if done and total > done and passed > 1 else None
        self._bar.set_progress(text, done=done, total=total, seconds_left=left)

    # ------------------------------------------------------------------------------------------- lists

    def _show(self, overview: Overview) -> None:
        clear(self._history_card.body)
        for line in overview.rounds:
            result = tr("done") if line.result == "ok" else code_words(line.result).title
            text = tr("{when}　sent {sent}　received {received}　{result}").format(
                when=_when(line.at), sent=line.pushed, received=line.pulled, result=result
            )
            self._history_card.add(label(text, "secondary", wrap=True))
        if not overview.rounds:
            self._history_card.add(label(tr("Each sync with the server will be listed here."), "secondary", wrap=True))
        self._history_card.fill()
        self._refused_card.setVisible(bool(overview.refused))
        clear(self._refused_card.body)
        for item in overview.refused:
            self._refused_card.add(self._refused_box(item.op, item.kind_label, item.code))
        size = self.context.vault.database.stat().st_size / 1_000_000
        self._size.setText(tr("Encrypted · {size} MB").format(size=f"{size:.0f}"))
        self._backup.setText(_when(overview.copied_at) or tr("made today after unlocking"))

    def _refused_box(self, op: int, kind_label: str, code: str) -> Box:
        box = Box()
        said = code_words(code)
        box.body.addWidget(label(tr(kind_label), "strong"))
        box.body.addWidget(label(f"{said.title}　{said.advice}", wrap=True))
        row = QHBoxLayout()
        row.addWidget(button(tr("Send once more"), role="second", on_click=lambda: self._retry(op)))
        row.addStretch(1)
        box.body.addLayout(row)
        return box

    def _retry(self, op: int) -> None:
        self.context.tasks.write(self, lambda store: outbox.retry(store, op), lambda _: self.context.agent.sync_now())


def _when(at_ms: int) -> str:
    if not at_ms:
        return ""
    moment = QDateTime.fromMSecsSinceEpoch(at_ms)
    days = moment.date().daysTo(QDateTime.currentDateTime().date())
    clock = moment.toString("HH:mm")
    if days == 0:
        return tr("today {clock}").format(clock=clock)
    if days == 1:
        return tr("yesterday {clock}").format(clock=clock)
    return moment.date().toString(Qt.DateFormat.ISODate) + " " + clock
