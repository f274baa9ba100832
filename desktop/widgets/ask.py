"""The port through which the program asks a person something in a dialog; tests put answers in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QPagedPaintDevice
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.labels import label


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something that can't be undone; ``yes`` names the deed, never just 'OK'."""

    title: str
    advice: str
    yes: str
    no: str = ""
    is_danger: bool = False


class Ask(Protocol):
    """Answers come through ``then``, so that nothing waits in a nested event loop."""

    def confirm(
        self,
        parent: QWidget,
        question: Question,
        then: Callable[[], object],
        otherwise: Callable[[], object] | None = None,
    ) -> None: ...

    def pick_file(
        self,
        parent: QWidget,
        *,
        title: str,
        filters: str,
        then: Callable[[Path], object],
        folder: Path | None = None,
    ) -> None: ...

    def pick_save(
        self, parent: QWidget, *, title: str, filters: str, suggested: str, then: Callable[[Path], object]
    ) -> None: ...

    def pick_folder(self, parent: QWidget, *, title: str, then: Callable[[Path], object]) -> None: ...

    def pick_printer(
        self,
        parent: QWidget,
        *,
        title: str,
        then: Callable[[QPagedPaintDevice], object],
        otherwise: Callable[[], object],
    ) -> None: ...


class ScreenAsk:
    """Asks on the screen."""

    def confirm(
        self,
        parent: QWidget,
        question: Question,
        then: Callable[[], object],
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        """Show the question; Enter takes the safe answer, Esc too."""
        dialog = QuestionDialog(question, parent)
        dialog.accepted.connect(lambda: then())
        if otherwise is not None:
            dialog.rejected.connect(lambda: otherwise())
        dialog.open()

    def pick_file(
        self,
        parent: QWidget,
        *,
        title: str,
        filters: str,
        then: Callable[[Path], object],
        folder: Path | None = None,
    ) -> None:
        """Let a person choose a file that is there; ``folder`` is where to begin to look."""
        self._pick(
            QFileDialog(parent, title, str(folder or ""), filters), mode=QFileDialog.FileMode.ExistingFile, then=then
        )

    def pick_save(
        self, parent: QWidget, *, title: str, filters: str, suggested: str, then: Callable[[Path], object]
    ) -> None:
        """Let a person choose where a file goes; the system asks before one is replaced."""
        dialog = QFileDialog(parent, title, "", filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(suggested)
        self._pick(dialog, mode=QFileDialog.FileMode.AnyFile, then=then)

    def pick_folder(self, parent: QWidget, *, title: str, then: Callable[[Path], object]) -> None:
        """Let a person choose a folder, a USB stick for instance."""
        self._pick(QFileDialog(parent, title), mode=QFileDialog.FileMode.Directory, then=then)

    def pick_printer(
        self,
        parent: QWidget,
        *,
        title: str,
        then: Callable[[QPagedPaintDevice], object],
        otherwise: Callable[[], object],
    ) -> None:
        """Let a person choose a printer and paint on it; ``otherwise`` when this PC has none."""
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo  # slow to load, seldom needed

        if not QPrinterInfo.availablePrinterNames():
            otherwise()
            return
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, parent)
        dialog.setWindowTitle(title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: then(printer))
        QDialog.open(dialog)

    def _pick(self, dialog: QFileDialog, *, mode: QFileDialog.FileMode, then: Callable[[Path], object]) -> None:
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: then(Path(name)))
        dialog.open()


class QuestionDialog(QDialog):
    """A question in a few words with the deed on the left button; the safe answer has the focus."""

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(question.title)
        self.setAccessibleName(question.title)
        self.setAccessibleDescription(question.advice)
        px = theme.current().px
        box = QVBoxLayout(self)
        box.setContentsMargins(px(28), px(24), px(28), px(20))
        box.setSpacing(px(theme.GAP_M))
        box.addWidget(label(question.title, "head", wrap=True))
        if question.advice:
            box.addWidget(label(question.advice, wrap=True))
        row = QHBoxLayout()
        row.addStretch(1)
        self.yes = button(question.yes, role="danger" if question.is_danger else "primary", on_click=self.accept)
        self.no = button(question.no or tr("Leave it as it is"), on_click=self.reject)
        self.yes.setAutoDefault(True)  # whoever walks to it means it: Enter then takes what has the focus
        self.no.setDefault(True)
        row.addWidget(self.no)
        row.addWidget(self.yes)
        box.addSpacing(px(theme.GAP_S))
        box.addLayout(row)
        self.setMinimumWidth(px(420))
        self.no.setFocus()
