"""The list of demands: 报的事 for a building head, 办事单 for the station; by stage, in order of work."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import short_day, tr
from desktop.pages.page import Page
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.paged_model import Column, PagedModel
from desktop.widgets.record_table import RecordTable
from desktop.widgets.state_badge import state_character
from desktop.words.demands import STAGES, STATES, badge_of, due_words, word
from desktop.words.sync import short_state
from sync.domain.calendar import DAY, day_of
from sync.domain.roles import STATION_ROLES
from sync.errors import QiaomenError
from sync.store import demands
from sync.store.demand_rows import DemandRow
from sync.store.store import Reader

_ALL_COLUMNS_FROM = 900  # effective pixels
_LESS_WANTED = (3, 4, 6)  # state, with whom, raised
_FINISHED_DAYS = 31  # the number behind 已办 counts the last month


class DemandsPage(Page):
    """``open(stage='to_tell')`` shows one stage; without it, everything that is not finished."""

    name: ClassVar[str] = "demands"
    listens: ClassVar[frozenset[str]] = frozenset({"demand"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._stage = ""
        self._counts: Mapping[str, int] = {}
        self.model: PagedModel[Reader, DemandRow] = PagedModel(context.tasks, self._columns(), self)
        self._lay_out()
        self.retranslate()

    def title(self) -> str:
        return tr("Work orders") if self._is_station() else tr("Reported matters")

    def open(self, **target: Any) -> None:
        self._stage = str(target.get("stage", self._stage))
        self._name_new()
        super().open()
        self.table.setFocus()

    def reload(self) -> None:
        viewer, rules, now = self.context.session.viewer, self.context.rules, self.context.now
        stage, category = self._stage, str(self.category.currentData() or "")
        self.model.load(
            ids=lambda reader: demands.listed(reader.db, viewer, stage=stage, category=category),
            rows=lambda reader, ids: demands.by_ids(reader.db, viewer, ids, rules=rules, now=now()),
        )
        since = now() - _FINISHED_DAYS * DAY
        self.context.tasks.read(
            self,
            lambda reader: demands.counts(reader.db, viewer, since=since),
            self._show_counts,
            self._failed,
            key="counts",
        )

    def forget(self) -> None:
        self._stage = ""
        self.model.load(ids=lambda _: (), rows=lambda _, ids: ())

    def retranslate(self) -> None:
        self.model.set_columns(self._columns())
        self._fill_categories()
        self._show_counts(self._counts)
        self.table.setAccessibleName(self.title())
        self.table.set_empty_text(self._empty_text())
        self.visit.set_words(tr("Record a visit"))
        self._name_new()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    # ------------------------------------------------------------------------------------------- inside

    def _fit(self) -> None:
        """With large letters the words of the matter go before who has it."""
        is_narrow = self.width() / theme.current().scale < _ALL_COLUMNS_FROM
        for column in _LESS_WANTED:
            self.table.setColumnHidden(column, is_narrow)

    def _lay_out(self) -> None:
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(theme.GAP_XL), px(24), px(theme.GAP_XL), px(24))
        outer.setSpacing(px(theme.GAP_M))
        self.stages = OptionRow((), name=tr("Stage"))
        self.stages.changed.connect(self._on_stage)
        outer.addWidget(self.stages)
        row = QHBoxLayout()
        row.setSpacing(px(theme.GAP_M))
        self.category = QComboBox()
        self.category.setAccessibleName(tr("Category"))
        self.category.currentIndexChanged.connect(lambda _: self.reload() if self.isVisible() else None)
        row.addWidget(self.category)
        row.addStretch(1)
        self.visit = button(tr("Record a visit"), on_click=lambda: self.context.navigate("visits"))
        row.addWidget(self.visit)
        self.new = button("", role="primary", on_click=lambda: self.context.navigate("demand_new"))
        row.addWidget(self.new)
        outer.addLayout(row)
        card = Card()
        self.table = RecordTable("")
        self.table.show_model(self.model)
        self.table.activated_id.connect(lambda demand_id: self.context.navigate("demand", demand_id=demand_id))
        card.add(self.table, stretch=1)
        outer.addWidget(card, 1)

    def _columns(self) -> Sequence[Column[DemandRow]]:
        now = self.context.now

        def badge_text(row: DemandRow) -> str:
            tone, character = badge_of(row)
            return character or state_character(tone)

        def whose(row: DemandRow) -> str:
            return row.partner_name or row.handler_name

        def raised(row: DemandRow) -> str:
            return f"{short_day(day_of(row.reported_at), today=day_of(now()))} {row.recorded_by_name}".strip()

        return (
            Column(tr("Colour"), badge_text, 64, badge=lambda row: badge_of(row)[0]),
            Column(tr("Place"), lambda row: row.place, 130, is_bold=True),
            Column(tr("Matter"), lambda row: row.title),
            Column(tr("State"), _state, 200),
            Column(tr("With whom"), whose, 130),
            Column(tr("Due"), lambda row: due_words(row, now=now()), 170),
            Column(tr("Raised"), raised, 140),
        )

    def _fill_categories(self) -> None:
        chosen = self.category.currentData()
        self.category.blockSignals(True)
        self.category.clear()
        self.category.addItem(tr("All categories"), "")
        for entry in self.context.rules.demand_categories.category:
            self.category.addItem(entry.label, entry.code)
        self.category.setCurrentIndex(max(0, self.category.findData(chosen)))
        self.category.blockSignals(False)

    def _show_counts(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        still_open = sum(number for stage, number in counts.items() if stage != "finished")
        shown = [("", tr("All open"), still_open), *((s, word(STAGES, s), counts.get(s, 0)) for s in STAGES)]
        self.stages.set_options([Option(stage, f"{text} {number}") for stage, text, number in shown])
        self.stages.set_value(self._stage)
        self.table.set_empty_text(self._empty_text())

    def _on_stage(self) -> None:
        self._stage = self.stages.value()
        self.table.set_empty_text(self._empty_text())
        self.reload()

    def _empty_text(self) -> str:
        if self._stage:
            return tr("Nothing is at this stage.")
        return tr("Nothing is open. What residents ask for at the door is noted in the visit and then stands here.")

    def _name_new(self) -> None:
        self.new.set_words(tr("＋ New work order") if self._is_station() else tr("＋ Report a matter"))

    def _is_station(self) -> bool:
        session = self.context.session
        return session.is_open and session.viewer.has_any(STATION_ROLES)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError) else Tone.ALARM
        self.context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))


def _state(row: DemandRow) -> str:
    return " · ".join(filter(None, (word(STATES, row.state), short_state(row.sync))))
