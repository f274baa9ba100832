"""关于: which program and whose, by whom it was made for this community, and under which licences its parts stand."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout

from desktop.community import Refusal
from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import mark, tr
from desktop.paths import Places
from desktop.preset import SUFFIX, Preset
from desktop.texts import words
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, fact
from desktop.widgets.labels import label, set_text
from sync.client.api import APP
from sync.domain.calendar import CHINA

_FILES: Final = mark("Community file")


@dataclass(frozen=True, slots=True)
class Release:
    """What RELEASE.toml of an installed program says; a checkout has none."""

    version: str
    sequence: int
    licences: Path | None  # the folder of the licences' texts

    @classmethod
    def of(cls, install: Path) -> "Release":
        """Read it; whatever is missing there is told as the code knows it."""
        folder = install / "LICENSES"
        licences = folder if folder.is_dir() else None
        try:
            table = tomllib.loads((install / "RELEASE.toml").read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            table = {}
        version, sequence = table.get("version"), table.get("sequence")
        return cls(version if isinstance(version, str) else APP, sequence if isinstance(sequence, int) else 0, licences)


class AboutCard(Card):
    """Facts, a community file that was refused with its reason, and taking in a newer one."""

    def __init__(self, context: Context, *, release: Release | None = None) -> None:
        super().__init__(tr("About"))
        self._context = context
        self._release = release or Release.of(Places.of_this_program().install)
        version = self._release.version
        if self._release.sequence:
            version = tr("{version} (release {n})").format(version=version, n=self._release.sequence)
        self.add(fact(tr("Version"), version)[0])
        preset = context.community.preset
        if preset is not None:
            self._tell(preset)
        for refusal in context.community.refused:
            self.add(_told(refusal))
        if context.search is not None:
            self.take_in = button(tr("Take in a community file"), on_click=self._ask_which)
            row = QHBoxLayout()
            row.addWidget(self.take_in)
            row.addStretch(1)
            self.add(row)
        self._said = label("", "error", wrap=True)
        set_text(self._said, "")
        self.add(self._said)
        self._licences()

    @property
    def said(self) -> str:
        """Why a chosen file was not taken in."""
        return self._said.text()

    def _tell(self, preset: Preset) -> None:
        issued = datetime.fromtimestamp(preset.issued_at / 1000, UTC).astimezone(CHINA)
        number = tr("issued {day}, number {n}").format(day=f"{issued:%Y-%m-%d}", n=preset.sequence)
        self.add(fact(tr("Community"), f"{preset.community.name} ({preset.id})")[0])
        self.add(fact(tr("Community file"), number)[0])
        self.add(fact(tr("Signed with the key"), preset.key)[0])

    def _licences(self) -> None:
        told = tr(
            "With Qt {qt} and PySide6 under the LGPL 3.0, which you may replace by your own builds; with SQLCipher, ©"
            " Zetetic LLC, under a BSD licence; with Python and other parts under their own."
        )
        self.add(fact(tr("Licences"), told.format(qt=qVersion()))[0])
        sources = tr(
            "Their sources are to be had from the Qt project and from Debian (qt6-base, pyside6); whoever gave you this"
            " program gives you a copy on request."
        )
        self.add(label(sources, "hint", wrap=True))
        folder = self._release.licences
        if folder is not None:
            self.add(label(str(folder), "hint", wrap=True, copyable=True))
            shown = button(
                tr("Read the licences"),
                role="link",
                on_click=lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))),
            )
            row = QHBoxLayout()
            row.addWidget(shown)
            row.addStretch(1)
            self.add(row)

    # ------------------------------------------------------------------------------------------- a newer file

    def _ask_which(self) -> None:
        def ask(stick: Path | None) -> None:
            self._context.ask.pick_file(
                self,
                title=tr("Take in a community file"),
                filters=f"{tr(_FILES)} (*{SUFFIX})",
                then=self._take,
                folder=stick,
            )

        set_text(self._said, "")
        self._context.tasks.net(self, stick_folder, ask, lambda _: ask(None))

    def _take(self, path: Path) -> None:
        search, here = self._context.search, self._context.community.community_id
        assert search is not None

        def take() -> Preset:
            preset = search.take(path, community_id=here)
            if not here and search.earlier is not None:
                search.adopt(preset)  # whoever chooses it here works with the records that it is to go on with
            return preset

        self._context.tasks.net(self, take, self._taken, self._failed)

    def _taken(self, preset: Preset) -> None:
        question = Question(
            title=tr("The file of {community} is taken in").format(community=preset.community.name),
            advice=tr("It counts from the next start on. Nothing is lost by starting now."),
            yes=tr("Start the program anew"),
            no=tr("Leave it for now"),
        )
        self._context.ask.confirm(self, question, self._context.restart)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        set_text(self._said, f"{said.title}　{said.advice}")


def _told(refusal: Refusal) -> Box:
    said = words(refusal.error)
    box = Box("warn-box")
    box.body.addWidget(label(tr("A community file was not used"), "strong", wrap=True))
    box.body.addWidget(label(f"{said.title}　{said.advice}", wrap=True))
    box.body.addWidget(label(str(refusal.place), "hint", wrap=True, copyable=True))
    return box
