"""What the first start asks: where the server is (unless a preset says it), the secretary's code, a PIN twice."""

from pathlib import Path
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.code_file import read_code_file
from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import tr
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.form import Form
from desktop.widgets.pin_field import PinField
from sync.errors import QiaomenError
from sync.keys.codes import check_pin, read_one_time_code


class EntryForm(QWidget):
    """``submitted`` at Enter in any field. What was typed stays when something fails."""

    submitted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._preset = context.community.preset
        self.form = Form()
        self.server = QLineEdit(context.settings().server_url)
        self.server.setPlaceholderText("http://192.0.2.10:8440")
        self.server.setInputMethodHints(Qt.InputMethodHint.ImhUrlCharactersOnly)
        self.code = QLineEdit()
        self.code.setInputMethodHints(Qt.InputMethodHint.ImhLatinOnly)
        self.code.setPlaceholderText(tr("ten letters and digits, such as {code}").format(code="7K3M9-2XQ4T"))
        self.pin = PinField(name=tr("New six-digit PIN"))
        self.again = PinField(name=tr("The same PIN again"))
        self.from_file = button(tr("Read it from a file"), on_click=self._ask_file)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(theme.GAP_S))
        row.addWidget(self.code, 1)
        row.addWidget(self.from_file)
        self.form.add("server", tr("Server address"), self.server)
        self.form.add("code", tr("One-time code"), row, focus=self.code)
        self.form.add("pin", tr("New six-digit PIN"), self.pin)
        self.form.add("again", tr("The same PIN again"), self.again)
        self.form.set_visible("server", self._preset is None)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.form)
        fields = (self.server, self.code, self.pin, self.again)
        for field in fields:
            field.returnPressed.connect(self.submitted.emit)
        self.setFocusProxy(self.code if self.server.text() or self._preset is not None else self.server)

    @property
    def address(self) -> str:
        """The server's address, '' when what was typed is none."""
        return self._preset.community.servers[0] if self._preset is not None else address_of(self.server.text())

    def check(self) -> bool:
        """Whether it can be handed in; else the first mistake is shown beside its field."""
        self.form.clear_errors()
        if not self.address:
            self.form.set_error("server", tr("Please type the address of the server, as the installer gave it."))
            return False
        for name, check, value in (
            ("code", read_one_time_code, self.code.text()),
            ("pin", check_pin, self.pin.text()),
        ):
            try:
                check(value)
            except QiaomenError as error:
                said = words(error)
                self.form.set_error(name, f"{said.title}　{said.advice}" if said.advice else said.title)
                return False
        if self.pin.text() != self.again.text():
            self.form.set_error("again", tr("The two PINs are not the same. Please type both again."))
            return False
        return True

    # ------------------------------------------------------------------------------------------- the code's file

    def _ask_file(self) -> None:
        def ask(stick: Path | None) -> None:
            self._context.ask.pick_file(
                self,
                title=tr("Read the one-time code from a file"),
                filters=tr("Text with the code") + " (*.txt)",
                then=self._read,
                folder=stick,
            )

        self._context.tasks.net(self, stick_folder, ask, lambda _: ask(None))

    def _read(self, path: Path) -> None:
        self._context.tasks.net(self, lambda: read_code_file(path), self._show_code, self._no_code)

    def _show_code(self, code: str) -> None:
        self.form.set_error("code", "")
        self.code.setText(code)
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)

    def _no_code(self, error: Exception) -> None:
        said = words(error)
        self.form.set_error("code", f"{said.title}　{said.advice}")


def address_of(text: str) -> str:
    """The address as typed, with http:// where a bare host was given; '' when it is none."""
    text = text.strip().rstrip("/")
    if not text or any(character.isspace() for character in text):
        return ""
    full = text if text.startswith(("http://", "https://")) else f"http://{text}"
    try:
        parts = urlsplit(full)
        is_one = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        return ""
    return full if is_one else ""
