"""The hands of the tour: real key presses and clicks on what can be seen in a window, and waiting for what follows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)

from desktop.app import Application
from desktop.i18n import tr
from desktop.pages.page import Page
from desktop.widgets.buttons import ActionButton
from desktop.widgets.option_row import ChoiceButton

WAIT_MS = 15_000
LOOK_MS = 10
WIDTH, HEIGHT = 1366, 768

W = TypeVar("W", bound=QWidget)


class TourFailure(Exception):
    """A step did not come out as it has to; the text says which."""


class Hands:
    """Works one program's window as a person would."""

    def __init__(self, program: Application, pictures: Path) -> None:
        self.program = program
        self.window = program.window
        self._pictures = pictures

    # ------------------------------------------------------------------------------------------- seeing

    @property
    def page(self) -> Page:
        """The page on the screen."""
        page = self.window.current
        if page is None:
            raise TourFailure("no page is shown")
        return page

    def front(self) -> None:
        """Bring the window to the front, at the size of an old office screen."""
        self.window.resize(WIDTH, HEIGHT)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        self.until(lambda: QApplication.activeWindow() is self.window, "the window comes to the front")

    def until(self, holds: Callable[[], object], what: str, *, within_ms: int = WAIT_MS) -> None:
        """Let the program work until something holds; TourFailure when it does not in time."""
        if holds():
            return
        loop = QEventLoop()
        look, alarm = QTimer(), QTimer()
        # One look decides: what holds when seen may not a moment later, when a timer asks for more.
        look.timeout.connect(lambda: loop.exit(0) if holds() else None)
        alarm.setSingleShot(True)
        alarm.timeout.connect(lambda: loop.exit(1))
        look.start(LOOK_MS)
        alarm.start(within_ms)
        in_vain = loop.exec()
        look.stop()
        if in_vain:
            raise TourFailure(f"waited in vain: {what}")

    def settle(self) -> None:
        """Until every lane has answered and nothing waits to be painted."""
        self.pause(30)
        self.until(lambda: not self.program.tasks.pending, "all answers come home")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.pause(30)
        self.until(lambda: not self.program.tasks.pending, "all answers come home")

    def pause(self, ms: int) -> None:
        """Let the program work for a moment."""
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()

    def picture(self, name: str) -> None:
        """Keep what the window shows now, dialogs included."""
        self.settle()
        self._calm()
        self.window.repaint()
        shown = self.window.grab()
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog.isVisible():
            from PySide6.QtGui import QPainter

            painter = QPainter(shown)
            at = self.window.rect().center() - dialog.rect().center()
            painter.drawPixmap(at, dialog.grab())
            painter.end()
        path = self._pictures / f"{name}.png"
        if not shown.save(str(path)):
            raise TourFailure(f"the picture {path} can't be written")

    def reads(self, text: str) -> bool:
        """Whether these words stand somewhere on the screen."""
        root = QApplication.activeModalWidget() or self.window
        if any(text in shown.text() for shown in self.all(QLabel, where=root)):
            return True
        return any(text in button.text() for button in self.all(QAbstractButton, where=root))

    def all(self, kind: type[W], *, where: QWidget | None = None) -> list[W]:
        """All widgets of a sort that can be seen."""
        return [found for found in cast(Sequence[W], (where or self.window).findChildren(kind)) if found.isVisible()]

    # ------------------------------------------------------------------------------------------- doing

    def press(self, words: str, *, where: QWidget | None = None, nth: int = 0) -> None:
        """Click the button with these words."""
        self.click(self.button(words, where=where, nth=nth))

    def button(self, words: str, *, where: QWidget | None = None, nth: int = 0) -> QAbstractButton:
        """The button with these words, once it is there and can be pressed."""
        found: list[QAbstractButton] = []

        def there() -> bool:
            root = where or QApplication.activeModalWidget() or self.window
            found[:] = [
                button
                for button in self.all(QAbstractButton, where=root)
                if button.isEnabled() and _says(button, words)
            ]
            return len(found) > nth

        self.until(there, f"the button “{words}”")
        return found[nth]

    def click(self, widget: QWidget) -> None:
        """Scroll to a widget and click its middle."""
        self.show(widget)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, widget.rect().center())
        self.settle()

    def click_at(self, widget: QWidget, at: QPoint) -> None:
        """Click a place in a painted widget."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        self.settle()

    def show(self, widget: QWidget) -> None:
        """Scroll whatever surrounds a widget until it can be seen."""
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()

    def keys(self, keys: str) -> None:
        """Press a key or a combination such as 'Ctrl+K' where the focus is."""
        combination = cast(Any, QKeySequence(keys))[0]
        QTest.keyClick(self._focus(), combination.key(), combination.keyboardModifiers())
        self.settle()

    def type(self, text: str, *, into: QWidget | None = None) -> None:
        """Type a text: Latin letters and digits key by key, Chinese as an input method hands it over."""
        if into is not None:
            self.show(into)
            QTest.mouseClick(into, Qt.MouseButton.LeftButton)
        for piece in _pieces(text):
            target = into if into is not None and not into.focusProxy() else self._focus()
            if piece.isascii():
                QTest.keyClicks(target, piece)
            else:
                event = QInputMethodEvent()
                event.setCommitString(piece)
                QApplication.sendEvent(target, event)
        self.settle()

    def fill(self, field: QLineEdit | QPlainTextEdit, text: str) -> None:
        """Put a text in place of what stands in a field."""
        self.show(field)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.type(text)

    def choose(self, combo: QComboBox, words: str) -> None:
        """Pick a line of a drop-down list with the arrow keys."""
        self.show(combo)
        combo.setFocus()
        wanted = next((n for n in range(combo.count()) if words in combo.itemText(n)), -1)
        if wanted < 0:
            raise TourFailure(f"the list offers no “{words}”")
        while combo.currentIndex() != wanted:
            step = Qt.Key.Key_Down if combo.currentIndex() < wanted else Qt.Key.Key_Up
            before = combo.currentIndex()
            QTest.keyClick(combo, step)
            if combo.currentIndex() == before:
                raise TourFailure(f"the list does not walk to “{words}”")
        self.settle()

    def pick(self, value: str, *, where: QWidget | None = None) -> None:
        """Click the option that stands for a value, in whichever row it is seen."""
        found: list[ChoiceButton] = []

        def there() -> bool:
            found[:] = [button for button in self.all(ChoiceButton, where=where) if button.option.value == value]
            return bool(found)

        self.until(there, f"the option {value}")
        self.click(found[0])

    def find(self, typed: str) -> None:
        """Ctrl+K, a few letters, Enter: the household's card."""
        self.seek(typed)
        self.keys("Return")
        self.until(lambda: self.page.name == "households", "the household's card")
        self.settle()

    def seek(self, typed: str) -> None:
        """Ctrl+K and a few letters; waits for what is found."""
        self.keys("Ctrl+K")
        self.type(typed)
        self.until(lambda: self.window.topbar.search.results, f"something is found for {typed}")

    def no_dialog(self) -> None:
        """Until the dialog has gone and the window has the keyboard again."""
        self.until(lambda: QApplication.activeModalWidget() is None, "the dialog goes")
        self.front()

    def tick(self, box: QCheckBox) -> None:
        """Click the little square of a box."""
        self.show(box)
        at = QPoint(box.height() // 2, box.height() // 2)
        QTest.mouseClick(box, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        self.settle()
        self.check(box.isChecked(), f"the box “{box.text()}” is ticked")

    def choose_line(self, lines: QListWidget, words: str) -> None:
        """Click the line of a list that begins with these words."""
        self.until(lines.count, "the list is filled")
        item = next((lines.item(n) for n in range(lines.count()) if lines.item(n).text().startswith(words)), None)
        if item is None:
            raise TourFailure(f"the list has no line “{words}”")
        self.show(lines)
        lines.scrollToItem(item)
        self.click_at(lines.viewport(), lines.visualItemRect(item).center())

    def dialog(self) -> QDialog:
        """The dialog that has come up."""
        self.until(lambda: isinstance(QApplication.activeModalWidget(), QDialog), "a dialog comes up")
        return cast(QDialog, QApplication.activeModalWidget())

    def check(self, holds: object, what: str) -> None:
        """Fail the tour unless something holds."""
        if not holds:
            raise TourFailure(what)

    def _calm(self) -> None:
        """Good news has been read: take it away."""
        for button in self.all(QAbstractButton, where=self.window.notices):
            if button.isVisible() and _says(button, tr("All right")):
                QTest.mouseClick(button, Qt.MouseButton.LeftButton)
                self.pause(50)
                return

    def _focus(self) -> QWidget:
        return QApplication.focusWidget() or QApplication.activeModalWidget() or self.window


def _says(button: QAbstractButton, words: str) -> bool:
    if isinstance(button, ActionButton):
        said = button.words.split("\n")[0]
    elif isinstance(button, ChoiceButton):
        said = button.option.text
    else:
        said = button.text()
    return said == words or button.accessibleName() == words


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for letter in text:
        if pieces and pieces[-1].isascii() == letter.isascii():
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces
