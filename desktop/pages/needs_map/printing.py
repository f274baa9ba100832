"""Printing the façade that is shown: asks where, gathers what stands over the page, writes it off the UI thread."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.needs_map.reasons import colour_character, colour_words
from desktop.pages.needs_map.shapes import facade
from desktop.printing.facade_print import A3, A4, PrintHead, facade_document, fits_one_page, to_pdf
from desktop.texts import words
from sync.domain.calendar import CHINA
from sync.store.needs_map import BuildingSnapshot


def print_facade(context: Context, parent: QWidget, building: BuildingSnapshot) -> None:
    """Read when this file was last in step, then ask where the sheet goes and write it there."""
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
    # A tower that would need several sheets of A4 goes on one of A3.
    size = A4 if fits_one_page(snapshot) else A3
    document = facade_document(snapshot, head, size=size)

    def done(_: object) -> None:
        said = tr("The sheet is ready to print ({size}, {n} pages)").format(size=size, n=document.page_count)
        context.hub.notice.emit(Notice(said, tone=Tone.GOOD))

    def failed(error: Exception) -> None:
        said = words(error)
        context.hub.notice.emit(Notice(said.title, said.advice, Tone.WARN, details=said.details))

    def write(path: Path) -> None:
        context.tasks.net(parent, lambda: to_pdf(document, path), done, failed)

    context.ask.pick_save(
        parent,
        title=tr("Where should the sheet go?"),
        filters="PDF (*.pdf)",
        suggested=f"{building.name}.pdf",
        then=write,
    )


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
