"""Who works at this PC, as tiles: the first few, the rest on demand, found by initials."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.unlock.tile import PersonTile
from desktop.vault import Colleague

SHOWN = 8  # tiles; with more people the last one says how many more there are
COLUMNS = 4

People = tuple[tuple[Colleague, bool], ...]  # True: comes with a one-time code first


class PeopleTiles(QWidget):
    """Emits ``chosen`` with an account's id when somebody picks a tile or finds it by typing.

    On the tiles arrows walk, letters look for a name, and ``digit`` is the first of a PIN.
    """

    chosen = Signal(str)
    digit = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        px = theme.current().px
        self._people: People = ()
        self._chosen = ""
        self._all_shown = False
        self.tiles: list[PersonTile] = []
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(px(theme.GAP_M))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Initials or name"))
        self.filter.setAccessibleName(tr("Initials or name"))
        self.filter.setInputMethodHints(Qt.InputMethodHint.ImhLatinOnly)
        self.filter.textChanged.connect(lambda _: self._fill())
        self.filter.returnPressed.connect(self._take_first)
        self.filter.hide()
        outer.addWidget(self.filter)
        self._grid = QGridLayout()
        self._grid.setSpacing(px(theme.GAP_M))
        outer.addLayout(self._grid)

    def show_people(self, people: People, *, chosen: str) -> None:
        """Fill the tiles and mark whose turn it is; that person is always among those shown."""
        hidden = [person for person in people[SHOWN - 1 :] if person[0].account_id == chosen]
        if len(people) > SHOWN and hidden:
            people = (*hidden, *(person for person in people if person not in hidden))
        self._people, self._chosen = people, chosen
        self._fill()

    def is_invited(self, account_id: str) -> bool:
        """Whether this person types the one-time code first."""
        return any(who.account_id == account_id and invited for who, invited in self._people)

    def mark(self, account_id: str) -> None:
        """Show who is chosen."""
        self._chosen = account_id
        for tile in self.tiles:
            tile.setChecked(tile.account == account_id)

    def walk(self, key: int) -> bool:
        """Go to the tile in the direction of an arrow key; False for another key."""
        arrows = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
        steps = dict(zip(map(int, arrows), (-1, 1, -COLUMNS, COLUMNS), strict=True))
        if key not in steps or not self.tiles:
            return False
        here = next((at for at, tile in enumerate(self.tiles) if tile.hasFocus() or tile.account == self._chosen), 0)
        target = self.tiles[max(0, min(len(self.tiles) - 1, here + steps[key]))]
        if target.account:
            self.chosen.emit(target.account)
        target.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def search(self, text: str) -> None:
        """Show everybody, and look for what was typed."""
        self._all_shown = True
        self.filter.show()
        self.filter.setText(text)
        self._fill()
        self.filter.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.walk(event.key()):
            return
        if event.text().isalpha():
            self.search(event.text())
        elif event.text().isdigit():
            self.digit.emit(event.text())
        else:
            super().keyPressEvent(event)

    def _take_first(self) -> None:
        found = self._matching()
        if found:
            self.chosen.emit(found[0][0].account_id)

    def _matching(self) -> People:
        text = self.filter.text().strip().casefold()
        return tuple(
            (who, invited)
            for who, invited in self._people
            if not text or text in who.name or any(reading.startswith(text) for reading in who.initials)
        )

    def _fill(self) -> None:
        while self._grid.count():
            old = self._grid.takeAt(0).widget()
            old.hide()
            old.deleteLater()
        self.tiles = []
        wanted = self._matching()
        rest = len(wanted) - (SHOWN - 1) if not self._all_shown and len(wanted) > SHOWN else 0
        for who, invited in wanted[: SHOWN - 1] if rest else wanted:
            name = who.name or tr("Colleague {id}").format(id=who.account_id[-4:])
            below = tr("first time: one-time code") if invited else who.title
            self._add(PersonTile(name, below, account=who.account_id))
        if rest:
            self._add(PersonTile(tr("{n} more…").format(n=rest), tr("type the initials")))
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
            self._grid.setColumnMinimumWidth(column, theme.current().px(110))
        self.mark(self._chosen)

    def _add(self, tile: PersonTile) -> None:
        if tile.account:
            tile.setCheckable(True)
            tile.clicked.connect(lambda _=False, account=tile.account: self.chosen.emit(account))
        else:
            tile.clicked.connect(lambda: self.search(""))
        place = len(self.tiles)
        self._grid.addWidget(tile, place // COLUMNS, place % COLUMNS)
        self.tiles.append(tile)
