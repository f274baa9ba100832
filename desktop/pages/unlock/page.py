"""The unlock page: tap a name, six digits; works without a line. A first-timer types the one-time code instead."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.context import Context
from desktop.gate import Gate
from desktop.i18n import tr
from desktop.pages.unlock.forms import CodeForm, PinForm, RecoveryForm, UnlockForm
from desktop.texts import words
from desktop.vault import Colleague
from desktop.widgets.buttons import ActionButton
from desktop.widgets.card import Card
from desktop.widgets.labels import label, set_text
from desktop.widgets.logo import Logo
from sync.errors import PinLocked

SHOWN = 8  # tiles; with more people the last one says how many more there are
COLUMNS = 4
WIDTH = 760


class UnlockPage(QWidget):
    """Asks who it is and for the six digits; ``gate`` does the rest."""

    def __init__(self, context: Context, gate: Gate, *, farewell: str = "") -> None:
        super().__init__()
        self.setObjectName("page")
        self._context = context
        self._gate = gate
        self._people: tuple[tuple[Colleague, bool], ...] = ()
        self._chosen = ""
        self._all_shown = False
        self._tiles: list[ActionButton] = []
        self._group = QButtonGroup(self)
        self._form: UnlockForm | None = None
        self._until = 0
        self._wait = QTimer(self)
        self._wait.setInterval(1000)
        self._wait.timeout.connect(self._count_down)
        self._lay_out()
        self.say(farewell)
        gate.failed.connect(self._failed)
        context.tasks.net(self, context.vault.people, self._show_people, self._failed)

    def say(self, text: str) -> None:
        """A calm line above the names, such as what today's work came to."""
        set_text(self._farewell, text)

    # ------------------------------------------------------------------------------------------- building

    def _lay_out(self) -> None:
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setObjectName("page")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        body.setObjectName("scroll_body")
        area.setWidget(body)
        outer.addWidget(area)
        centre = QHBoxLayout(body)
        column_widget = QWidget()
        column_widget.setMaximumWidth(px(WIDTH))
        centre.addStretch(1)
        centre.addWidget(column_widget, 8)
        centre.addStretch(1)
        column = QVBoxLayout(column_widget)
        column.setSpacing(px(theme.GAP_M))
        column.addStretch(1)
        profile = self._context.vault.profile()
        place = " · ".join(part for part in (profile.community_name, profile.station_name) if part)
        column.addWidget(Logo(subtitle=place))
        self._farewell = label("", "secondary", wrap=True)
        column.addWidget(self._farewell)
        card = Card(tr("Who are you?"))
        self._filter = QLineEdit()
        self._filter.setPlaceholderText(tr("Initials or name"))
        self._filter.setAccessibleName(tr("Initials or name"))
        self._filter.textChanged.connect(lambda _: self._fill())
        self._filter.hide()
        card.add(self._filter)
        grid_holder = QWidget()
        self._grid = QGridLayout(grid_holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(px(theme.GAP_M))
        card.add(grid_holder)
        self._form_holder = QVBoxLayout()
        card.add(self._form_holder)
        self._error = label("", "error", wrap=True)
        set_text(self._error, "")
        card.add(self._error)
        column.addWidget(card)
        column.addWidget(
            label(
                tr("Opens without a line too. Press Ctrl L when you leave: nobody sees what you noted."),
                "secondary",
                wrap=True,
            )
        )
        column.addStretch(2)

    def _show_people(self, people: tuple[tuple[Colleague, bool], ...]) -> None:
        self._people = people
        self._fill()
        if people and not self._chosen:
            self._choose(people[0][0].account_id)

    def _fill(self) -> None:
        while self._grid.count():
            old = self._grid.takeAt(0).widget()
            old.hide()
            old.deleteLater()
        self._tiles = []
        wanted = self._matching()
        rest = 0
        if not self._all_shown and len(wanted) > SHOWN:
            rest = len(wanted) - (SHOWN - 1)
            wanted = wanted[: SHOWN - 1]
        for number, (colleague, is_invited) in enumerate(wanted):
            self._grid.addWidget(self._tile(colleague, is_invited), number // COLUMNS, number % COLUMNS)
        if rest:
            more = ActionButton(tr("{n} more…").format(n=rest) + "\n" + tr("type the initials"), role="person")
            more.clicked.connect(self._show_all)
            self._grid.addWidget(more, len(wanted) // COLUMNS, len(wanted) % COLUMNS)
        self._mark()

    def _matching(self) -> list[tuple[Colleague, bool]]:
        text = self._filter.text().strip().casefold()
        return [
            (colleague, invited)
            for colleague, invited in self._people
            if not text or text in colleague.name or any(reading.startswith(text) for reading in colleague.initials)
        ]

    def _tile(self, colleague: Colleague, is_invited: bool) -> ActionButton:
        name = colleague.name or tr("Colleague {id}").format(id=colleague.account_id[-4:])
        below = tr("first time: one-time code") if is_invited else colleague.title
        tile = ActionButton(f"{name}\n{below}", role="person")
        tile.setAccessibleName(f"{name} {below}")
        tile.setCheckable(True)
        tile.setMinimumHeight(theme.current().px(76))
        tile.setProperty("account", colleague.account_id)
        tile.clicked.connect(lambda _=False, account=colleague.account_id: self._choose(account))
        self._group.addButton(tile)
        self._tiles.append(tile)
        return tile

    def _show_all(self) -> None:
        self._all_shown = True
        self._filter.show()
        self._fill()
        self._filter.setFocus()

    # ------------------------------------------------------------------------------------------- choosing

    def _choose(self, account_id: str) -> None:
        self._chosen = account_id
        self._mark()
        set_text(self._error, "")
        self._wait.stop()
        is_invited = any(c.account_id == account_id and invited for c, invited in self._people)
        self._use(CodeForm() if is_invited else PinForm())

    def _mark(self) -> None:
        for tile in self._tiles:
            tile.setChecked(tile.property("account") == self._chosen)

    def _use(self, form: UnlockForm) -> None:
        if self._form is not None:
            self._form_holder.removeWidget(self._form)
            self._form.deleteLater()
        self._form = form
        form.submitted.connect(self._submitted)
        form.forgot.connect(lambda: self._use(RecoveryForm()))
        form.back.connect(lambda: self._choose(self._chosen))
        self._form_holder.addWidget(form)
        form.focus_first()

    def _submitted(self) -> None:
        if not self._chosen or self._form is None:
            return
        form, account_id = self._form, self._chosen
        said = form.wrong()
        set_text(self._error, said)
        if said:
            return
        form.setEnabled(False)
        self._gate.enter(account_id, form.unlock(self._context.vault, account_id))

    def _failed(self, error: Exception) -> None:
        if self._form is not None:
            self._form.setEnabled(True)
            self._form.clear()
            self._form.focus_first()
        said = words(error)
        set_text(self._error, f"{said.title}　{said.advice}")
        if isinstance(error, PinLocked):
            self._until = int(error.params["until"])
            self._wait.start()
            self._count_down()

    def _count_down(self) -> None:
        left = max(0, (self._until - self._context.now() + 999) // 1000)
        if left == 0:
            self._wait.stop()
            set_text(self._error, tr("You can try again now."))
            return
        text = tr("Too many wrong PINs. Please wait {n} seconds; nothing is lost.").format(n=left)
        set_text(self._error, text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Letters typed on the tiles look for a name; arrows walk the tiles."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -COLUMNS, Qt.Key.Key_Down: COLUMNS}
        move = step.get(Qt.Key(event.key()))
        if move is not None and self._tiles:
            here = next((n for n, tile in enumerate(self._tiles) if tile.property("account") == self._chosen), 0)
            target = self._tiles[max(0, min(len(self._tiles) - 1, here + move))]
            self._choose(target.property("account"))
            target.setFocus()
            return
        if event.text().isalpha() and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        ):
            self._show_all()
            self._filter.setText(event.text())
            return
        super().keyPressEvent(event)
