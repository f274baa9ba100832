"""Printing the recovery code: on a printer, or as a PDF where there is none; the page says what came of it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QPagedPaintDevice
from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.i18n import tr
from desktop.printing.base import paint, to_pdf
from desktop.printing.recovery_sheet import RecoverySheet
from desktop.texts import words
from sync.domain.calendar import day_of
from sync.errors import StoreError


def print_recovery(context: Context, parent: QWidget, code: str, *, said: Callable[[str], object]) -> None:
    """Ask for a printer, or where the PDF goes; ``said`` is handed a sentence when it is done or failed."""
    sheet = RecoverySheet(code, printed_on=day_of(context.now()))

    def failed(error: Exception) -> None:
        found = words(error)
        said(f"{found.title}　{found.advice}")

    def print_on(printer: QPagedPaintDevice) -> None:
        # A printer belongs to the thread that made it; one page takes a few milliseconds.
        try:
            paint(sheet, printer)
        except StoreError as error:
            failed(error)
            return
        said(tr("Sent to the printer. Look whether the code can be read well."))

    def write(path: Path) -> None:
        context.tasks.net(
            parent,
            lambda: to_pdf(sheet, path),
            lambda _: said(tr("Saved as {file}. Print it, then delete the file.").format(file=path.name)),
            failed,
        )

    def to_file() -> None:
        context.ask.pick_save(
            parent,
            title=tr("Where should the recovery code go?"),
            filters="PDF (*.pdf)",
            suggested=tr("Recovery code") + ".pdf",
            then=write,
        )

    context.ask.pick_printer(parent, title=tr("Print the recovery code"), then=print_on, otherwise=to_file)
