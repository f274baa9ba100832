"""Printing the façade that is shown: what stands over the page, the size of the paper, the printer or a file."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtGui import QPagedPaintDevice
from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.needs_map.reasons import colour_character, colour_words
from desktop.pages.needs_map.shapes import facade
from desktop.printing.facade_print import (
    A3,
    A4,
    FacadeDocument,
    PrintHead,
    facade_document,
    fits_one_page,
    paint,
    to_pdf,
)
from desktop.texts import words
from desktop.widgets.ask import Question
from sync.domain.calendar import CHINA
from sync.errors import StoreError
from sync.store.needs_map import BuildingSnapshot


def print_facade(context: Context, parent: QWidget, building: BuildingSnapshot) -> None:
    """Read when this file was last in step, then ask for the paper and the printer."""
    context.tasks.read(parent, lambda reader: reader.state.synced_at, partial(_ask, context, parent, building))


def _ask(context: Context, parent: QWidget, building: BuildingSnapshot, synced_at: int) -> None:
    rules = context.rules.colours
    snapshot = facade(building, rules)
    head = PrintHead(
        building=building.name,
        data_as_of=_when(building.taken_at),
        last_sync=_when(synced_at) if synced_at else tr("never"),
        rules_version=building.rules_version,
        printed_by=context.session.name,
        legend=tuple(
            f"{colour_character(entry.colour, rules)}={colour_words(entry.colour, rules)}"
            for entry in rules.legend
            if entry.colour.value != "none"
        ),
    )

    def deliver(size: str) -> None:
        _deliver(context, parent, facade_document(snapshot, head, size=size))

    if fits_one_page(snapshot):
        deliver(A4)
        return
    # A tower can be read on one A3 or on several A4; few stations have paper of both sizes.
    pages = facade_document(snapshot, head, size=A4).page_count
    question = Question(
        tr("{building} does not fit on one sheet of A4").format(building=building.name),
        tr("On A3 it fits on fewer sheets; A4 suits every printer."),
        yes=tr("A3"),
        no=tr("A4, {n} sheets").format(n=pages),
    )
    context.ask.confirm(parent, question, lambda: deliver(A3), lambda: deliver(A4))


def _deliver(context: Context, parent: QWidget, document: FacadeDocument) -> None:
    """To the printer that is chosen; where there is none, into a file."""
    size, pages = document.size, document.page_count

    def say(text: str) -> None:
        context.hub.notice.emit(Notice(text.format(size=size, n=pages), tone=Tone.GOOD))

    def failed(error: Exception) -> None:
        said = words(error)
        context.hub.notice.emit(Notice(said.title, said.advice, Tone.WARN, details=said.details))

    def print_on(printer: QPagedPaintDevice) -> None:
        try:
            paint(document, printer)
        except StoreError as error:
            failed(error)
        else:
            say(tr("Sent to the printer ({size}, {n} pages)"))

    def write(path: Path) -> None:
        done = partial(say, tr("The sheet is ready to print ({size}, {n} pages)"))
        context.tasks.net(parent, lambda: to_pdf(document, path), lambda _: done(), failed)

    def to_file() -> None:
        context.ask.pick_save(
            parent,
            title=tr("Where should the sheet go?"),
            filters="PDF (*.pdf)",
            suggested=f"{document.head.building}.pdf",
            then=write,
        )

    context.ask.pick_printer(parent, title=tr("Print the needs map"), then=print_on, otherwise=to_file)


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
