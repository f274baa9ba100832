"""The first records by stick: this PC is let in and has received nothing, and there is no line to receive it by.

Shown before anybody is inside, so it stands here and not on a page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import mark, number, tr
from desktop.texts import code_words, words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text
from desktop.widgets.progress_row import ProgressRow
from sync.domain.calendar import CHINA

if TYPE_CHECKING:
    from sync.client.bundle import Exported, Imported

SUFFIX: Final = ".qmb"
_FILES: Final = mark("Files for the stick")


class FirstStick(Box):
    """A question out, an answer in; once the answer brings the person's rights, the gate opens by itself.

    ``told`` when there is something new to read at its end.
    """

    told = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__("calm-box")
        self._context = context
        self.body.addWidget(label(tr("No line? The records can come by stick too"), "strong"))
        self.body.addWidget(
            label(
                tr(
                    "First save a file to the stick. The community centre gives you another file for it; take that in"
                    " here. With a line none of it is needed: the records come by themselves."
                ),
                wrap=True,
            )
        )
        self.out = button(tr("Save the file to a stick"), on_click=self._ask_where)
        self.back = button(tr("Take in from a stick"), on_click=self._ask_which)
        self._pressed: QWidget = self.out
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        row = QWidget()
        flow = FlowLayout(row)
        flow.addWidget(self.out)
        flow.addWidget(self.back)
        self.body.addWidget(row)
        self._bar = ProgressRow()
        self._bar.cancel_button.hide()
        self._bar.hide()
        self._said = label("", wrap=True)
        set_text(self._said, "")
        self.body.addWidget(self._bar)
        self.body.addWidget(self._said)

    @property
    def said(self) -> str:
        """What came of it."""
        return self._said.text()

    def _ask_where(self) -> None:
        day = datetime.fromtimestamp(self._context.now() / 1000, UTC).astimezone(CHINA)
        name = f"{tr('to the centre')}-{day:%m%d-%H%M}{SUFFIX}"

        def ask(stick: Path | None) -> None:
            self._context.ask.pick_save(
                self,
                title=tr("Save to a stick"),
                filters=f"{tr(_FILES)} (*{SUFFIX})",
                suggested=str(stick / name) if stick else name,
                then=self._export,
            )

        self._context.tasks.net(self, stick_folder, ask, lambda _: ask(None))

    def _ask_which(self) -> None:
        def ask(stick: Path | None) -> None:
            self._context.ask.pick_file(
                self,
                title=tr("Take in from a stick"),
                filters=f"{tr(_FILES)} (*{SUFFIX})",
                then=self._import,
                folder=stick,
            )

        self._context.tasks.net(self, stick_folder, ask, lambda _: ask(None))

    def _export(self, path: Path) -> None:
        target = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        tasks = self._context.tasks

        def work() -> Exported:
            from sync.client.bundle import export

            return export(tasks.write_wait, target)

        def done(_: Exported) -> None:
            told = tr("The file is called “{file}”. Please hand the stick in at the community centre.")
            self._rest(told.format(file=target.name))

        self._begin(tr("Saving to the stick"), pressed=self.out)
        self._context.agent.aside.run(self, work, done, self._failed)

    def _import(self, path: Path) -> None:
        tasks, now = self._context.tasks, self._context.now
        met: set[tuple[str, str]] = set()

        def work() -> Imported:
            from sync.client.bundle import import_

            return import_(tasks.write_wait, path, wall=now, on_touched=met.update)

        def done(brought: Imported) -> None:
            if brought.received:
                self._rest(tr("{n} records received; opening …").format(n=number(brought.received)))
            else:
                note = code_words(brought.note) if brought.note else None
                self._rest(f"{note.title}　{note.advice}" if note else tr("There is nothing new in this file."))
            if met:
                self._context.hub.touched.emit(frozenset(met))

        self._begin(tr("Taking in from the stick"), pressed=self.back)
        self._context.agent.aside.run(self, work, done, self._failed)

    def _begin(self, step: str, *, pressed: QWidget) -> None:
        self._pressed = pressed
        if pressed.hasFocus():
            self.setFocus()  # else Qt would hand the keyboard to whatever comes after a button that cannot be pressed
        for one in (self.out, self.back):
            one.setEnabled(False)
        set_text(self._said, "")
        self._bar.set_progress(step, done=0, total=0)
        self._bar.show()

    def _rest(self, said: str) -> None:
        for one in (self.out, self.back):
            one.setEnabled(True)
        if self.hasFocus():
            self._pressed.setFocus()
        self._bar.hide()
        set_text(self._said, said)
        self.told.emit()

    def _failed(self, error: Exception) -> None:
        said = words(error)
        self._rest(f"{said.title}　{said.advice}")
