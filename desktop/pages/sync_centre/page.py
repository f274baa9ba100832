"""同步: all saved here, so many wait for a line; progress while it runs; what has to be decided or put right."""

from typing import Any, ClassVar

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.page import Page, Touched
from desktop.pages.sync_centre.conflicts_card import ConflictsCard
from desktop.pages.sync_centre.handed_card import HandedCard
from desktop.pages.sync_centre.history_card import HistoryCard
from desktop.pages.sync_centre.pc_card import PcCard
from desktop.pages.sync_centre.read import Overview, read_overview
from desktop.pages.sync_centre.refused_card import RefusedCard
from desktop.pages.sync_centre.state_card import StateCard
from desktop.pages.sync_centre.stick import StickCard
from desktop.sync_status import Phase, Status
from desktop.widgets.flow import ResponsiveColumns


class SyncPage(Page):
    """Calm in every state; ``open(record_id=…)`` goes to the conflict of that record.

    The one blue button is the first thing to be put right, else 现在同步.
    """

    name: ClassVar[str] = "sync"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.setObjectName("page")
        px = theme.current().px
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(theme.GAP_L))
        self.state = StateCard(context)
        self.conflicts = ConflictsCard(context, changed=self.reload)
        self.stick = StickCard(context, changed=self.reload)
        for one in (self.stick.out, self.stick.back):
            self.state.buttons.addWidget(one)
        column.addWidget(self.state)
        column.addWidget(self.stick)
        column.addWidget(self.conflicts)
        self.handed = HandedCard(context, changed=self.reload)
        column.addWidget(self.handed)
        column.addStretch(1)
        self.refused = RefusedCard(context, changed=self.reload)
        self.history = HistoryCard(context)
        self.pc = PcCard(context)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(28), px(24), px(28), px(24))
        self.columns = ResponsiveColumns(main, [self.refused, self.history, self.pc], side_width=370)
        outer.addWidget(self.columns)
        self.state.refused_asked.connect(self._go_to_refused)
        context.hub.sync_state.connect(self._show_status)
        self._show_status(context.agent.status)

    def title(self) -> str:
        return tr("Sync")

    def open(self, **target: Any) -> None:
        record_id = str(target.get("record_id") or "")
        if record_id:
            self.conflicts.want(record_id)
        super().open(**target)
        self._show_status(self.context.agent.status)

    def reload(self) -> None:
        self.stick.refresh()
        viewer, backups = self.context.session.viewer, self.context.paths.backups
        database = self.context.vault.database
        self.context.tasks.read(
            self,
            lambda reader: read_overview(reader, viewer, backups=backups, database=database),
            self._show,
            self.state.show_failure,
            key="overview",
        )

    def touched(self, touched: Touched) -> None:
        if self.isVisible() and self.context.session.is_open:
            self.reload()

    def forget(self) -> None:
        self.conflicts.show_conflicts((), (), {})
        self.refused.forget()
        self.handed.forget()
        self.stick.forget()

    @property
    def line(self) -> str:
        """What is sent and what waits, in one sentence."""
        return self.state.line

    @property
    def advice(self) -> str:
        """What the state means and what to do; '' when nothing has to be said."""
        return self.state.advice

    def _show_status(self, status: Status) -> None:
        self.state.show_status(status)
        self.pc.show_status(status)
        self.stick.show_status(status)
        if self.isVisible() and status.phase is not Phase.SYNCING and self.context.session.is_open:
            self.reload()

    def _show(self, overview: Overview) -> None:
        self.history.show_rounds(overview.rounds)
        self.refused.show_items(overview.refused)
        self.handed.show_items(overview.handed)
        self.state.show_server(overview.server_url)
        self.pc.show_file(size=overview.size, copied_at=overview.copied_at)
        self.state.set_primary(self.refused.first is None)
        self._fit()
        if self.conflicts.show_conflicts(overview.conflicts, overview.settled, overview.texts):
            self.columns.show_widget(self.conflicts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where the work lies further down, a line at the top leads there."""
        beside = self.columns.mode == "wide"
        self.state.show_refused(0 if beside else self.refused.due)

    def _go_to_refused(self) -> None:
        self.columns.show_widget(self.refused)
        if self.refused.first is not None:
            self.refused.first.setFocus()
