"""Where the keyboard goes: into the page that was opened, and back to the same field when a page is built anew."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget


def enter(page: QWidget) -> None:
    """Put the keyboard into a page that has just been opened, unless the page has done so itself.

    The first widget that Tab stops at; without one the page itself takes the keys, so that they never stay with the
    entry of the sidebar.
    """
    present = QApplication.focusWidget()
    if present is not None and page.isAncestorOf(present):
        return
    first = next(iter(_stops(page)), None)
    if first is None:
        page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    (first or page).setFocus(Qt.FocusReason.OtherFocusReason)


def place_in(page: QWidget) -> str:
    """The name of the field that has the keyboard, '' when it is outside of the page."""
    present = QApplication.focusWidget()
    return present.accessibleName() if present is not None and page.isAncestorOf(present) else ""


def go_back(page: QWidget, name: str) -> None:
    """Give the keyboard to the field of that name again, when the page still has one."""
    found = next((widget for widget in _stops(page) if name and widget.accessibleName() == name), None)
    if found is not None:
        found.setFocus(Qt.FocusReason.OtherFocusReason)


def _stops(page: QWidget) -> list[QWidget]:
    """What Tab would stop at, in its order."""
    found: list[QWidget] = []
    widget = page.nextInFocusChain()
    while widget is not None and widget is not page:
        if (
            page.isAncestorOf(widget)
            and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.isEnabled()
            and widget.isVisibleTo(page)
        ):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found
