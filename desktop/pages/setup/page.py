"""The first start of a PC: where the server is, the code from the secretary, a PIN; then the recovery code on paper."""

import threading
from collections import deque
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.enrolling import SetUp, set_up
from desktop.gate import Gate
from desktop.i18n import tr
from desktop.pages.setup.printing import print_recovery
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import PageScroll
from desktop.widgets.form import Form
from desktop.widgets.labels import label, set_text
from desktop.widgets.logo import Logo
from desktop.widgets.pin_field import PinField
from desktop.widgets.progress_row import ProgressRow
from sync.errors import Offline, QiaomenError, ServerTrouble
from sync.keys.codes import check_pin, read_one_time_code

WIDTH = 720
LAID_OUT_MS = 60  # by then wrapped lines have found their height
LOOK_MS = 200  # how often the progress of the first download is looked at


class SetupPage(QWidget):
    """Three fields and one button; what was typed stays when something fails."""

    def __init__(self, context: Context, gate: Gate) -> None:
        super().__init__()
        self.setObjectName("page")
        self._context = context
        self._gate = gate
        self._progress: deque[tuple[int, int]] = deque(maxlen=1)
        self._busy = threading.Event()
        self._enough = threading.Event()  # no more of the first download now; the rest comes later
        self._is_made = False
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._show_progress)
        self._build()
        gate.failed.connect(self._failed)

    @property
    def error(self) -> str:
        """What did not work, under the form."""
        return self._error.text()

    def _build(self) -> None:
        px = theme.current().px
        body = QWidget()
        row = QHBoxLayout(body)
        column_widget = QWidget()
        column_widget.setMaximumWidth(px(WIDTH))
        row.addStretch(1)
        row.addWidget(column_widget, 8)
        row.addStretch(1)
        column = QVBoxLayout(column_widget)
        column.setSpacing(px(theme.GAP_L))
        column.addStretch(1)
        column.addWidget(Logo(subtitle=tr("First start of this PC")))
        self._card = Card(tr("Let this PC in"), hint=tr("once only"))
        column.addWidget(self._card)
        column.addStretch(2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._scroll = PageScroll(body)
        outer.addWidget(self._scroll)
        self._build_form()

    def _build_form(self) -> None:
        self._card.add(
            label(
                tr("You need the one-time code from the community secretary. The line is needed only now."),
                "secondary",
                wrap=True,
            )
        )
        self._form = Form()
        self.server = QLineEdit(self._context.settings().server_url)
        self.server.setPlaceholderText("http://192.0.2.10:8440")
        self.server.setInputMethodHints(Qt.InputMethodHint.ImhUrlCharactersOnly)
        self.code = QLineEdit()
        self.code.setInputMethodHints(Qt.InputMethodHint.ImhLatinOnly)
        self.pin = PinField(name=tr("New six-digit PIN"))
        self.again = PinField(name=tr("The same PIN again"))
        self._form.add("server", tr("Server address"), self.server)
        self._form.add("code", tr("One-time code"), self.code)
        self._form.add("pin", tr("New six-digit PIN"), self.pin)
        self._form.add("again", tr("The same PIN again"), self.again)
        self._card.add(self._form)
        for field in (self.server, self.code, self.pin, self.again):
            field.returnPressed.connect(self._begin)
        self.start = button(tr("Begin"), role="primary", on_click=self._begin)
        buttons = QHBoxLayout()
        buttons.addWidget(self.start)
        buttons.addStretch(1)
        self._card.add(buttons)
        self._bar = ProgressRow(cancel_text=tr("The rest later"))
        self._bar.cancel_button.hide()
        self._bar.cancelled.connect(self._enough.set)
        self._bar.hide()
        self._card.add(self._bar)
        self._error = label("", "error", wrap=True)
        set_text(self._error, "")
        self._card.add(self._error)
        self.setFocusProxy(self.code if self.server.text() else self.server)

    # ------------------------------------------------------------------------------------------- enrolling

    def _begin(self) -> None:
        if self._busy.is_set() or not self._check():
            return
        self._busy.set()
        self.start.setEnabled(False)
        set_text(self._error, "")
        self._bar.set_progress(tr("Talking to the server"), done=0, total=0)
        self._bar.show()
        self._look.start()
        url, code, pin = _address(self.server.text()), self.code.text(), self.pin.text()
        context, progress, enough = self._context, self._progress, self._enough
        self._context.tasks.net(
            self,
            lambda: set_up(
                context.vault,
                server_url=url,
                code=code,
                pin=pin,
                rules=context.rules,
                wall=context.now,
                connect=context.connect,
                on_progress=lambda step: progress.append((step.received, step.to_receive)),
                stop=enough.is_set,
            ),
            self._made,
            self._failed,
        )

    def _check(self) -> bool:
        self._form.clear_errors()
        if not _address(self.server.text()):
            self._form.set_error("server", tr("Please type the address of the server, as the installer gave it."))
            return False
        try:
            read_one_time_code(self.code.text())
        except QiaomenError as error:
            self._form.set_error("code", words(error).title)
            return False
        try:
            check_pin(self.pin.text())
        except QiaomenError as error:
            self._form.set_error("pin", words(error).title)
            return False
        if self.pin.text() != self.again.text():
            self._form.set_error("again", tr("The two PINs are not the same. Please type both again."))
            return False
        return True

    def _show_progress(self) -> None:
        if self._progress:
            done, total = self._progress[-1]
            self._bar.cancel_button.show()
            self._bar.set_progress(tr("Receiving the community's records"), done=done, total=total)

    def _failed(self, error: Exception) -> None:
        if not self._is_made:
            self._busy.clear()
            self._look.stop()
            self._bar.hide()
            self.start.setEnabled(True)
            self.start.setFocus()
        said = words(error)
        set_text(self._error, f"{said.title}　{said.advice if self._is_made else _advice(error) or said.advice}")
        QTimer.singleShot(LAID_OUT_MS, self._error, lambda: self._scroll.show_widget(self._error))

    # ------------------------------------------------------------------------------------------- recovery code

    def _made(self, made: SetUp) -> None:
        self._look.stop()
        self._is_made = True
        settings = self._context.settings()
        self._context.change_settings(msgspec.structs.replace(settings, server_url=_address(self.server.text())))
        clear(self._card.body)
        self._card.set_title(tr("Put this code away"))
        self._card.set_hint(tr("shown only now"))
        self._card.add(
            label(
                tr(
                    "If everybody forgets the PIN, or the PC breaks, only this recovery code opens the records. "
                    "Print it, put it in the station's safe. It is stored nowhere."
                ),
                wrap=True,
            )
        )
        code = label(made.recovery_code, "big", wrap=True, copyable=True)
        code.setAccessibleName(tr("Recovery code"))
        self._card.add(code)
        if not made.is_complete:
            self._card.add(
                label(
                    tr("The line went away while receiving. It goes on by itself; begin when there is a line again."),
                    wrap=True,
                )
            )
        printed = QCheckBox(tr("I have printed it or written it down"))
        go_on = button(tr("Begin work"), role="primary", on_click=lambda: self._go_on(made))
        go_on.setEnabled(False)
        printed.toggled.connect(go_on.setEnabled)
        row = QHBoxLayout()
        print_it = button(tr("Print the code"), role="second")
        said = label("", "secondary", wrap=True)
        set_text(said, "")
        print_it.clicked.connect(
            lambda: print_recovery(self._context, self, made.recovery_code, said=lambda text: set_text(said, text))
        )
        row.addWidget(go_on)
        row.addWidget(print_it)
        row.addStretch(1)
        self._error = label("", wrap=True)
        set_text(self._error, "")
        for part in (said, printed, self._error):
            self._card.add(part)
        self._card.add(row)
        print_it.setFocus()

    def _go_on(self, made: SetUp) -> None:
        self._gate.enter(made.account_id, lambda: made.database_key)


def _advice(error: Exception) -> str:
    """What to do when the line fails: nothing is on this PC yet, so the usual sentences would not be true."""
    if isinstance(error, Offline) and error.code == "not_our_server":
        return tr("Nothing was changed. Is the address right? The network may also ask to sign in, in a browser.")
    if isinstance(error, Offline | ServerTrouble):
        return tr("Nothing was changed, what you typed is still here. Look at line and address, then begin once more.")
    return ""


def _address(text: str) -> str:
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
