"""The people of the station, for secretaries: add one and get a one-time code; a new code for one who lost it."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.context import Context
from desktop.i18n import mark, tr
from desktop.pages.settings.code_box import CodeBox
from desktop.staffing import Invitation, NewColleague, invite
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.form import Form
from desktop.widgets.labels import label, set_text
from desktop.widgets.pin_field import PinField
from sync.domain.ids import new_id
from sync.errors import WrongPin
from sync.store import staff
from sync.store.staff import AreaRow, StaffRow
from sync.store.store import Reader

ROLES = (
    ("building_head", mark("Building head"), "building"),
    ("grid_worker", mark("Grid worker"), "grid"),
    ("station_staff", mark("Station staff"), "compound"),
    ("mediator", mark("Mediator"), "compound"),
    ("branch_secretary", mark("Branch secretary"), "compound"),
    ("community_secretary", mark("Community secretary"), "community"),
)
_BESIDE_FROM = 620  # effective pixels of the card: from here the form stands beside the list


@dataclass(frozen=True, slots=True)
class _Found:
    people: tuple[StaffRow, ...]
    areas: tuple[AreaRow, ...]


class PeopleCard(Card):
    """The list on the left, the form of a new person on the right, the code in large letters when it is made."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("People"), hint=tr("who works with the program"))
        self._context = context
        self._areas: tuple[AreaRow, ...] = ()
        self._whose = ""  # the name of the person for whom a code is asked
        self.box = CodeBox(context)
        self.people = QListWidget()
        self.person = QLineEdit()
        self.role = QComboBox()
        self.area = QComboBox()
        self.pin = PinField(name=tr("Your own PIN"))
        self.form = Form()
        holder = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, holder)
        self._columns.setContentsMargins(0, 0, 0, 0)
        self._columns.setSpacing(theme.current().px(theme.GAP_L))
        self._columns.addLayout(self._list_side(), 2)
        self._columns.addLayout(self._form_side(), 3)
        self.add(holder)

    @property
    def code(self) -> str:
        """The one-time code that is shown now, '' when there is none."""
        return self.box.code

    @property
    def error(self) -> str:
        """What did not work, under the form."""
        return self._error.text()

    # ------------------------------------------------------------------------------------------- building

    def _list_side(self) -> QVBoxLayout:
        side = QVBoxLayout()
        self.people.setAccessibleName(tr("People"))
        self.people.setMinimumHeight(theme.current().px(260))
        side.addWidget(self.people, 1)
        self.again = button(tr("New code for this person"), on_click=self._new_code)
        side.addWidget(self.again)
        return side

    def _form_side(self) -> QVBoxLayout:
        side = QVBoxLayout()
        for code, text, _ in ROLES:
            self.role.addItem(tr(text), code)
        self.role.currentIndexChanged.connect(lambda _: self._fill_areas())
        self.form.add("name", tr("Name"), self.person)
        self.form.add("role", tr("Role"), self.role)
        self.form.add("area", tr("Area"), self.area)
        self.form.add("pin", tr("Your own PIN"), self.pin)
        side.addWidget(self.form)
        side.addWidget(
            label(
                tr("With your PIN the new person can open this PC. Without it the code is for another PC."),
                "hint",
                wrap=True,
            )
        )
        self.add_button = button(tr("Add and get a one-time code"), role="primary", on_click=self._add_person)
        side.addWidget(self.add_button)
        side.addWidget(self.box)
        self._error = label("", "error", wrap=True)
        set_text(self._error, "")
        side.addWidget(self._error)
        side.addStretch(1)
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        direction = QBoxLayout.Direction
        beside = self.width() / theme.current().scale >= _BESIDE_FROM
        self._columns.setDirection(direction.LeftToRight if beside else direction.TopToBottom)

    # ------------------------------------------------------------------------------------------- reading

    def reload(self) -> None:
        """Read the people and the areas."""
        viewer = self._context.session.viewer

        def read(reader: Reader) -> _Found:
            return _Found(staff.colleagues(reader.db, viewer), staff.areas(reader.db, viewer))

        self._context.tasks.read(self, read, self._show, self._failed, key="people")

    def _show(self, found: _Found) -> None:
        chosen = self._selected()
        self.people.clear()
        for person in found.people:
            item = QListWidgetItem(f"{person.name}　{person.title}")
            item.setData(Qt.ItemDataRole.UserRole, person.id)
            self.people.addItem(item)
            if person.id == chosen:
                self.people.setCurrentItem(item)
        if found.areas != self._areas:
            self._areas = found.areas
            self._fill_areas()

    def _fill_areas(self) -> None:
        wanted = ROLES[self.role.currentIndex()][2]
        self.area.clear()
        for area in self._areas:
            if area.kind == wanted:
                self.area.addItem(area.name, area.id)

    def _selected(self) -> str:
        chosen = self.people.selectedItems()
        return str(chosen[0].data(Qt.ItemDataRole.UserRole)) if chosen else ""

    def forget(self) -> None:
        """No code, PIN or name stays on the page."""
        self.box.empty()
        self.pin.clear()
        self.person.clear()

    # ------------------------------------------------------------------------------------------- adding

    def _add_person(self) -> None:
        self.form.clear_errors()
        name = self.person.text().strip()
        if not name:
            self.form.set_error("name", tr("Please type the name."))
            return
        if self.area.currentData() is None:
            self.form.set_error("area", tr("There is no such area yet."))
            return
        role, text, scope_kind = ROLES[self.role.currentIndex()]
        title = tr(text) if scope_kind != "building" else f"{self.area.currentText()} {tr(text)}"
        colleague = NewColleague(name, title, role, scope_kind, self.area.currentData())
        self._ask(new_id(self._context.now()), colleague)

    def _new_code(self) -> None:
        self.form.clear_errors()
        account_id = self._selected()
        if not account_id:
            set_text(self._error, tr("Choose a person in the list first."))
            return
        self._ask(account_id, None)

    def _ask(self, account_id: str, colleague: NewColleague | None) -> None:
        set_text(self._error, "")
        self.box.empty()
        chosen = self.people.selectedItems()
        self._whose = colleague.name if colleague else chosen[0].text().partition("　")[0]
        context, by, pin = self._context, self._context.session.account_id, self.pin.text()
        if pin and len(pin) != 6:
            self.form.set_error("pin", tr("The PIN has six digits."))
            return
        self._enable(False)
        context.tasks.net(
            self,
            lambda: invite(context, by=by, account_id=account_id, colleague=colleague, pin=pin),
            self._invited,
            self._failed,
        )

    def _invited(self, invitation: Invitation) -> None:
        self._enable(True)
        self.pin.clear()
        self.person.clear()
        self.box.show_code(invitation, whose=self._whose)
        self._context.agent.sync_now()

    def _failed(self, error: Exception) -> None:
        self._enable(True)
        said = words(error)
        text = f"{said.title}　{said.advice}".strip("　")
        if isinstance(error, WrongPin):
            self.pin.clear()
            self.form.set_error("pin", text)
        else:
            set_text(self._error, text)

    def _enable(self, on: bool) -> None:
        self.add_button.setEnabled(on)
        self.again.setEnabled(on)
