"""A one-time code in large letters, and saving it as a file that the first start of another PC reads."""

from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout

from desktop.code_file import write_code_file
from desktop.context import Context
from desktop.i18n import tr
from desktop.staffing import Invitation
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.labels import label, set_text


class CodeBox(Box):
    """Hidden while there is no code."""

    def __init__(self, context: Context) -> None:
        super().__init__("calm-box")
        self._context = context
        self._whose = ""
        self.code = ""
        self._shown = label("", "big", copyable=True)
        self._shown.setAccessibleName(tr("One-time code"))
        self._advice = label("", wrap=True)
        self.to_file = button(tr("Save the code as a file"), role="second", on_click=self._ask_where)
        self._filed = label("", "secondary", wrap=True)
        row = QHBoxLayout()
        row.addWidget(self.to_file)
        row.addStretch(1)
        self.body.addWidget(self._shown)
        self.body.addWidget(self._advice)
        self.body.addLayout(row)
        self.body.addWidget(self._filed)
        self.empty()

    def show_code(self, invitation: Invitation, *, whose: str) -> None:
        """A code that was just made, for a person of this name."""
        self._whose, self.code = whose, invitation.code
        self._shown.setText(invitation.code)
        self._advice.setText(
            tr("Write it down for the person: good at this PC, once, within three days. It is shown only now.")
            if invitation.for_this_pc
            else tr("Write it down for the person: good at another PC, once, within three days. It is shown only now.")
        )
        self.to_file.setVisible(not invitation.for_this_pc)
        set_text(self._filed, "")
        self.show()

    def empty(self) -> None:
        """No code stays on the page."""
        self._whose = self.code = ""
        self._shown.clear()
        set_text(self._filed, "")
        self.hide()

    def _ask_where(self) -> None:
        lines = [
            tr("Qiaomen: lets a new PC in"),
            tr("For: {name}").format(name=self._whose),
            tr("One-time code: {code}").format(code=self.code),
            tr("Good once, within three days, at another PC."),
        ]
        text = "".join(f"{line}\n" for line in lines)
        self._context.ask.pick_save(
            self,
            title=tr("Save the code as a file"),
            filters=tr("Text with the code") + " (*.txt)",
            suggested=f"{tr('One-time code')}-{self._whose}.txt",
            then=lambda path: self._write(path, text),
        )

    def _write(self, path: Path, text: str) -> None:
        target = path if path.suffix else path.with_name(path.name + ".txt")
        self._context.tasks.net(self, lambda: write_code_file(target, text), lambda _: self._written(target), self._no)

    def _written(self, path: Path) -> None:
        set_text(self._filed, tr("Saved as {file}. Delete it when the new PC is in.").format(file=path.name))

    def _no(self, error: Exception) -> None:
        said = words(error)
        set_text(self._filed, f"{said.title}　{said.advice}")
