"""The people of the station, for secretaries: add one and get a one-time code; a new code for one who lost it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import mark, tr
from desktop.staffing import Invitation, NewColleague, invite
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card
from desktop.widgets.form import Form
from desktop.widgets.labels import label, set_text
from desktop.widgets.pin_field import PinField
from sync.domain.ids import new_id
from sync.store import staff
from sync.store.staff import AreaRow, StaffRow
from sync.store.store import Reader

ROLES = (
    ("building_head", mark("Building head"), "building"),
    ("grid_worker", mark("Grid worker"), "compound"),
    ("station_staff", mark("Station staff"), "compound"),
    ("mediator", mark("Mediator"), "compound"),
    ("branch_secretary", mark("Branch secretary"), "compound"),
    ("community_secretary", mark("Community secretary"), "community"),
)


class PeopleCard(Card):
    """The list on the left, the form of a new person on the right, the code in large letters when it is made."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("People"), hint=tr("who works with the program"))
        self._context = context
        self._areas: tuple[AreaRow, ...] = ()
        self._build()

    def _build(self) -> None:
        px = theme.current().px
        row = QHBoxLayout()
        row.setSpacing(px(theme.GAP_L))
        left = QVBoxLayout()
        self.people = QListWidget()
        self.people.setAccessibleName(tr("People"))
        self.people.setMinimumHeight(px(260))
        left.addWidget(self.people)
        self._again = button(tr("New code for this person"), on_click=self._new_code)
        left.addWidget(self._again)
        row.addLayout(left, 2)
        right = QVBoxLayout()
        self.form = Form()
        self.person = QLineEdit()
        self.role = QComboBox()
        self.area = QComboBox()
        self.pin = PinField(name=tr("Your own PIN"))
        for code, text, _ in ROLES:
            self.role.addItem(tr(text), code)
        self.role.currentIndexChanged.connect(lambda _: self._fill_areas())
        self.form.add("name", tr("Name"), self.person)
        self.form.add("role", tr("Role"), self.role)
        self.form.add("area", tr("Area"), self.area)
        self.form.add("pin", tr("Your own PIN"), self.pin)
        right.addWidget(self.form)
        right.addWidget(
            label(
                tr("With your PIN the new person can open this PC. Without it the code is for another PC."),
                "hint",
                wrap=True,
            )
        )
        self._add = button(tr("Add and get a one-time code"), role="primary", on_click=self._add_person)
        right.addWidget(self._add)
        self._made = Box("calm-box")
        self._code = label("", "big", copyable=True)
        self._code_advice = label("", wrap=True)
        self._made.body.addWidget(self._code)
        self._made.body.addWidget(self._code_advice)
        self._made.hide()
        right.addWidget(self._made)
        self._error = label("", "error", wrap=True)
        set_text(self._error, "")
        right.addWidget(self._error)
        right.addStretch(1)
        row.addLayout(right, 3)
        holder = QWidget()
        holder.setLayout(row)
        self.add(holder)

    def reload(self) -> None:
        """Read the people and the areas."""
        viewer = self._context.session.viewer

        def read(reader: Reader) -> tuple[tuple[StaffRow, ...], tuple[AreaRow, ...]]:
            return staff.colleagues(reader.db, viewer), staff.areas(reader.db, viewer)

        self._context.tasks.read(self, read, self._show, key="people")

    def _show(self, found: tuple[tuple[StaffRow, ...], tuple[AreaRow, ...]]) -> None:
        people, self._areas = found
        self.people.clear()
        for person in people:
            item = QListWidgetItem(f"{person.name}　{person.title}")
            item.setData(Qt.ItemDataRole.UserRole, person.id)
            self.people.addItem(item)
        self._fill_areas()

    def _fill_areas(self) -> None:
        wanted = ROLES[self.role.currentIndex()][2]
        self.area.clear()
        for area in self._areas:
            if area.kind == wanted:
                self.area.addItem(area.name, area.id)

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
        chosen = self.people.selectedItems()
        if not chosen:
            set_text(self._error, tr("Choose a person in the list first."))
            return
        self._ask(chosen[0].data(Qt.ItemDataRole.UserRole), None)

    def _ask(self, account_id: str, colleague: NewColleague | None) -> None:
        set_text(self._error, "")
        self._made.hide()
        context, by, pin = self._context, self._context.session.account_id, self.pin.text()
        self._add.setEnabled(False)
        context.tasks.net(
            self,
            lambda: invite(context, by=by, account_id=account_id, colleague=colleague, pin=pin),
            self._invited,
            self._failed,
        )

    def _invited(self, invitation: Invitation) -> None:
        self._add.setEnabled(True)
        self.pin.clear()
        self.person.clear()
        self._code.setText(invitation.code)
        advice = (
            tr("Write it down for the person: good at this PC, once, within three days. It is shown only now.")
            if invitation.for_this_pc
            else tr("Write it down for the person: good at another PC, once, within three days. It is shown only now.")
        )
        self._code_advice.setText(advice)
        self._made.show()
        self._context.agent.sync_now()

    def _failed(self, error: Exception) -> None:
        self._add.setEnabled(True)
        said = words(error)
        set_text(self._error, f"{said.title}　{said.advice}")
