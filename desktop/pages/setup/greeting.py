"""The head of the first start: whose program this is, which community file was not used, and taking one in."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.community import Search
from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import mark, number, tr
from desktop.preset import SUFFIX, Preset
from desktop.texts import words
from desktop.vault import Vault
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.labels import label, set_text
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


class Earlier(Box):
    """Records that were on this PC before its community had a file: a person says whether they are this community's."""

    def __init__(self, context: Context) -> None:
        super().__init__("warn-box")
        self._context = context
        self._words = label("", wrap=True)
        self.body.addWidget(self._words)
        self.go_on = button(tr("Go on with these records"), on_click=self._ask)
        row = QHBoxLayout()
        row.addWidget(self.go_on)
        row.addStretch(1)
        self.body.addLayout(row)
        self._said = label("", "error", wrap=True)
        set_text(self._said, "")
        self.body.addWidget(self._said)
        self.hide()
        search = context.search
        if search is not None and context.community.preset is not None:
            context.tasks.net(self, lambda: _earlier_name(search), self._show, lambda _: None)

    def _show(self, name: str | None) -> None:
        if name is None:
            return
        told = tr("There are records of “{name}” on this PC already. They are as they were. Are they this community's?")
        self._words.setText(told.format(name=name or tr("a community")))
        self.show()

    def _ask(self) -> None:
        preset = self._context.community.preset
        assert preset is not None
        question = Question(
            title=tr("Go on with the records of this PC?"),
            advice=tr("Only if they are records of {name}. Else leave them; nothing is mixed then.").format(
                name=preset.community.name
            ),
            yes=tr("Go on with these records"),
        )
        self._context.ask.confirm(self, question, lambda: self._adopt(preset))

    def _adopt(self, preset: Preset) -> None:
        search = self._context.search
        assert search is not None
        self._context.tasks.net(self, lambda: search.adopt(preset), lambda _: self._context.restart(), self._failed)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        set_text(self._said, f"{said.title}　{said.advice}")


def _earlier_name(search: Search) -> str | None:
    """Whose records lie here since before; '' when nobody wrote it down, None when there are none."""
    folder = search.earlier
    return None if folder is None else Vault(folder).profile().community_name


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
