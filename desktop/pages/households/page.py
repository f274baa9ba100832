"""住户: the doors of a building on the left, the chosen household on the right, changed in place."""

from typing import Any, ClassVar

from PySide6.QtCore import Qt

from desktop.context import Context
from desktop.hub import Tone
from desktop.i18n import tr
from desktop.pages.households.board import CARD, FORM, NOTHING, HouseholdsBoard
from desktop.pages.households.new_building import NewBuilding
from desktop.pages.households.reading import Opened, read_household
from desktop.pages.households.saving import Saving
from desktop.pages.page import Touched
from desktop.widgets.ask import Question
from sync.domain.calendar import day_of
from sync.domain.households import CardIntent
from sync.domain.roles import STATION_ROLES
from sync.store import households
from sync.store.households import BuildingRow
from sync.store.store import Reader


class HouseholdsPage(HouseholdsBoard):
    """``open(household_id=…)`` shows a household, ``edit=True`` its form, ``building_id=…`` a building's doors.

    ``new_building=True`` opens the form of a new one.
    """

    name: ClassVar[str] = "households"
    listens: ClassVar[frozenset[str]] = frozenset(
        {"household", "resident", "visit", "demand", "privacy_notice", "care_due", "care_pairing", "care_suggestion"}
        | {"building", "unit", "household_cluster", "conflict"}
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._household_id = ""
        self._building_id = ""  # to be shown next
        self._opened: Opened | None = None
        self._edit_next = False
        self._go_in = False  # the card takes the keyboard when it comes
        self._saving = Saving(context, self)
        self._new_building: NewBuilding | None = None
        self._connect()
        self.retranslate()

    def title(self) -> str:
        return tr("Households")

    def retranslate(self) -> None:
        self.back.set_words(tr("All doors"))
        self.nothing.retranslate()
        self.doors.retranslate()
        self.facts.retranslate()
        self.form.retranslate()
        if self._new_building is not None:
            self.building_form.retranslate()
        if self._opened is not None:
            self._show(self._opened)

    def open(self, **target: Any) -> None:
        """A household that is being changed keeps its form until it is saved or put away."""
        wanted = str(target.get("household_id") or "")
        if wanted and wanted != self._household_id:
            self._put_away()
            self._household_id = wanted
        self._building_id = str(target.get("building_id") or "")
        self._edit_next = bool(target.get("edit"))
        self.note_wrong(target)
        if wanted or self._building_id or not self._may_build():
            self.stack.setCurrentWidget(self.browse)  # a new building half described waits behind its button
        self.doors.new_building.setVisible(self._may_build())
        super().open(**target)
        self.doors.focus_doors()
        if target.get("new_building") and self._may_build():
            self._begin_building()

    def reload(self) -> None:
        account, wanted = self.context.session.account_id, self._household_id
        rules, now = self.context.rules, self.context.now()

        def read(reader: Reader) -> tuple[tuple[BuildingRow, ...], Opened | None]:
            viewer = reader.viewer(account)  # rights may have grown with what was just saved (a new building)
            opened = read_household(reader, viewer, wanted, rules=rules, now=now) if wanted else None
            return households.buildings(reader.db, viewer), opened

        self.context.tasks.read(self, read, self._arrived, key="page")

    def leave(self) -> None:
        self.form.keep()

    def forget(self) -> None:
        self.form.forget()
        self._close()

    def touched(self, touched: Touched) -> None:
        self.doors.model.forget(frozenset(record_id for kind, record_id in touched if kind == "household"))
        super().touched(touched)

    # ------------------------------------------------------------------------------------------- showing

    def _arrived(self, found: tuple[tuple[BuildingRow, ...], Opened | None]) -> None:
        buildings, opened = found
        building_id = self._building_id or (opened.card.building_id if opened else "")
        self._building_id = ""
        self.nothing.show_case(has_doors=bool(buildings), may_build=self._may_build())
        self.doors.show_buildings(buildings, building_id=building_id, household_id=self._household_id)
        if opened is not None:
            self.doors.show_unit(opened.card.unit_id)
            self._show(opened)
        elif self._household_id:
            self._close()
            self._saving.say(tr("This household is not on this PC, or not in your part of the compound."), Tone.WARN)

    def _show(self, opened: Opened) -> None:
        self._opened = opened
        self.facts.show_card(opened.card, today=self._today())
        self.more.show_household(opened, today=self._today())
        self.doors.table.select_id(opened.card.household_id)
        if self._edit_next:
            self._edit_next = False
            self._edit()
        elif self.right.currentIndex() != FORM:
            self.right.setCurrentIndex(CARD)
        self.fit()
        if self._go_in:
            self._go_in = False
            self.facts.visit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _today(self) -> str:
        return day_of(self.context.now())

    # ------------------------------------------------------------------------------------------- choosing

    def _choose(self, household_id: str) -> None:
        if household_id and household_id != self._household_id and not self.is_narrow():
            self._put_away()
            self._household_id = household_id
            self._read_chosen()

    def _enter(self, household_id: str) -> None:
        """Enter (or, where the card takes the place of the list, a click): on to the visit, or to the card first."""
        if not self.is_narrow():
            self.context.navigate("visits", household_id=household_id)
            return
        self._household_id = household_id
        self._go_in = True
        self._read_chosen()

    def _read_chosen(self) -> None:
        viewer, wanted = self.context.session.viewer, self._household_id
        rules, now = self.context.rules, self.context.now()

        def read(reader: Reader) -> Opened | None:
            return read_household(reader, viewer, wanted, rules=rules, now=now)

        self.context.tasks.read(self, read, lambda opened: self._show(opened) if opened else None, key="card")

    def _close(self) -> None:
        self._household_id, self._opened = "", None
        self.right.setCurrentIndex(NOTHING)
        self.fit()

    def _to_list(self) -> None:
        self._put_away()
        self._close()
        self.doors.focus_doors()

    def _to_demand(self, demand_id: str, move: str) -> None:
        self.context.navigate("demand", demand_id=demand_id, move=move)

    def _to_visit(self) -> None:
        self.context.navigate("visits", household_id=self._household_id)

    # ------------------------------------------------------------------------------------------- forms

    def _edit(self) -> None:
        if self._opened is not None and self._opened.card.may_edit:
            self.right.setCurrentIndex(FORM)
            self.form.begin(self._opened, today=self._today())
            self.show_wrong(self.form.show_wrong)

    def _put_away(self) -> None:
        if self.right.currentIndex() == FORM:
            self.form.keep()
            self.right.setCurrentIndex(CARD)

    def _left(self) -> None:
        self.right.setCurrentIndex(CARD)
        self.context.tasks.write(self, lambda _: None, lambda _: self._read_chosen())  # the draft is on disk first
        self.doors.focus_doors()

    def _save(self, intent: CardIntent) -> None:
        def wrong(error: Any) -> bool:
            self.form.keep_now()
            return self.form.show_error(error)

        self._saving.card(self._household_id, intent, then=self._left, wrong=wrong)

    def _drop(self) -> None:
        def drop() -> None:
            self.form.forget()
            self._saving.drop_draft(self._household_id, then=self._left)

        if not self.form.is_touched:
            drop()
            return
        question = Question(
            title=tr("Leave the household as it was?"),
            advice=tr("What was typed in this form is then gone; what is saved stays."),
            yes=tr("Leave as it was"),
            is_danger=True,
        )
        self.context.ask.confirm(self, question, drop)

    def _may_build(self) -> bool:
        return self.context.session.viewer.has_any(STATION_ROLES)

    def _begin_building(self) -> None:
        if self._new_building is None:
            made = self._new_building = NewBuilding(self.context, self._saving, self.building_form)
            made.opened.connect(self._show_building_form)
            made.made.connect(self._building_made)
            made.left.connect(self._end_building)
        self._new_building.begin()

    def _show_building_form(self) -> None:
        self.stack.setCurrentWidget(self.building_form)

    def _building_made(self, building_id: str) -> None:
        self._building_id = building_id
        self._close()
        self.doors.building.setFocus()  # the table would choose a door of the building shown before
        self.stack.setCurrentWidget(self.browse)
        self.reload()

    def _end_building(self) -> None:
        self.stack.setCurrentWidget(self.browse)
        self.doors.focus_doors()

    # ------------------------------------------------------------------------------------------- wiring

    def _connect(self) -> None:
        saving = self._saving
        self.doors.chosen.connect(self._choose)
        self.doors.activated.connect(self._enter)
        self.doors.clicked.connect(lambda record_id: self._enter(record_id) if self.is_narrow() else None)
        self.doors.building_asked.connect(self._begin_building)
        self.nothing.building_asked.connect(self._begin_building)
        self.nothing.visit_asked.connect(lambda: self.context.navigate("visits"))
        self.nothing.sync_asked.connect(lambda: self.context.navigate("sync"))
        self.facts.edit_asked.connect(self._edit)
        self.facts.visit_asked.connect(self._to_visit)
        self.facts.reveal_asked.connect(
            lambda field: saving.reveal(
                "household", self._household_id, field, then=lambda number: self.facts.show_number(field, number)
            )
        )
        self.facts.decision_asked.connect(lambda: self.context.navigate("sync", record_id=self._household_id))
        self.facts.notice_asked.connect(lambda: saving.notice(self._household_id))
        self.facts.hint_given.connect(
            lambda note: saving.hint(self._household_id, note, then=self.facts.hint_box.close_box)
        )
        self.more.reveal_asked.connect(
            lambda resident_id: saving.reveal(
                "resident", resident_id, "phone", then=lambda number: self.more.show_number(resident_id, number)
            )
        )
        self.more.move_out_asked.connect(saving.move_out)
        self.more.pairing_made.connect(saving.pairing)
        self.more.pairing_ended.connect(lambda pairing_id: saving.end_pairing(self._household_id, pairing_id))
        self.more.demand_asked.connect(self._to_demand)
        self.form.submitted.connect(self._save)
        self.form.drafted.connect(lambda body: saving.draft(self._household_id, body))
        self.form.dropped.connect(self._drop)
        self.form.left.connect(self._left)
        self.back.clicked.connect(self._to_list)
