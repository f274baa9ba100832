"""The head of the first start: whose program this is, which community file was not used, and taking one in."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import mark, number, tr
from desktop.preset import SUFFIX, Preset
from desktop.texts import words
from desktop.widgets.card import Box
from desktop.widgets.labels import label
from desktop.widgets.logo import Logo

_FILES: Final = mark("Community file")
_NAMED: Final = 6  # buildings; of more their number says enough


class Greeting(QWidget):
    """The community's own name and picture where there is a preset, else the program's."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().px(theme.GAP_M))
        community = context.community
        if community.preset is None:
            column.addWidget(Logo(subtitle=tr("First start of this PC")))
        else:
            preset = community.preset
            picture = icons.picture(preset.logo)
            column.addWidget(Logo(title=preset.community.name, subtitle=_subtitle(preset), picture=picture))
        for refusal in community.refused[:1]:
            said = words(refusal.error)
            box = Box("warn-box")
            box.body.addWidget(label(said.title, "strong", wrap=True))
            box.body.addWidget(label(said.advice, wrap=True))
            column.addWidget(box)


def _subtitle(preset: Preset) -> str:
    first = tr("Qiaomen · first start of this PC")
    buildings = [building.name for building in preset.buildings]
    if not buildings:
        return first
    named = "、".join(buildings[:_NAMED])
    if len(buildings) > _NAMED:
        named = tr("{some} and others").format(some=named)
    return f"{first}\n" + tr("{n} buildings: {named}").format(n=number(len(buildings)), named=named)


def take_in_preset(context: Context, parent: QWidget, *, failed: Callable[[Exception], object]) -> None:
    """Ask for a community's file; the program begins anew with it, or ``failed`` is called and nothing has changed."""
    search = context.search
    if search is None:
        return

    def take(path: Path) -> None:
        here = context.community.community_id
        context.tasks.net(parent, lambda: search.take(path, community_id=here), lambda _: context.restart(), failed)

    def ask(stick: Path | None) -> None:
        context.ask.pick_file(
            parent, title=tr("Take in a community file"), filters=f"{tr(_FILES)} (*{SUFFIX})", then=take, folder=stick
        )

    context.tasks.net(parent, stick_folder, ask, lambda _: ask(None))
