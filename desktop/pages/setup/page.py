"""The first start of a PC: whose it is, the code from the secretary, a PIN; then the recovery code on paper."""

import threading
from collections import deque

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.enrolling import SetUp, set_up
from desktop.first_stick import FirstStick
from desktop.gate import Gate
from desktop.i18n import tr
from desktop.pages.setup.form import EntryForm
from desktop.pages.setup.greeting import Earlier, Greeting, take_in_preset
from desktop.pages.setup.recovery import show_recovery
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card
from desktop.widgets.flow import PageScroll
from desktop.widgets.labels import label, set_text
from desktop.widgets.pin_field import PinField
from desktop.widgets.progress_row import ProgressRow
from sync.client.session import Progress
from sync.errors import AccessError, Offline, ServerTrouble

WIDTH = 720
LAID_OUT_MS = 60  # by then wrapped lines have found their height
LOOK_MS = 200  # how often the progress of the first download is looked at


class SetupPage(QWidget):
    """A few fields and one button; what was typed stays when something fails."""

    def __init__(self, context: Context, gate: Gate) -> None:
        super().__init__()
        self.setObjectName("page")
        self._context = context
        self._gate = gate
        self._progress: deque[Progress] = deque(maxlen=1)
        self._busy = threading.Event()
        self._enough = threading.Event()  # no more of the first download now; the rest comes later
        self._is_made = False
        self._stick: FirstStick | None = None
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._show_progress)
        self._build()
        gate.failed.connect(self._failed)

    @property
    def error(self) -> str:
        """What did not work, under the form."""
        return self._error.text()

    @property
    def server(self) -> QLineEdit:
        """The address, hidden where a preset says it."""
        return self.entry.server

    @property
    def code(self) -> QLineEdit:
        """The secretary's code."""
        return self.entry.code

    @property
    def pin(self) -> PinField:
        """The new PIN."""
        return self.entry.pin

    @property
    def again(self) -> PinField:
        """The new PIN once more."""
        return self.entry.again

    @property
    def stick(self) -> FirstStick | None:
        """The way without a line, once this PC is let in and has received nothing."""
        return self._stick

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
        column.addWidget(Greeting(self._context))
        self.earlier = Earlier(self._context)
        column.addWidget(self.earlier)
        has_preset = self._context.community.preset is not None
        self._card = Card(tr("Let this PC in"), hint=tr("once only"))
        if not has_preset and self._context.search is not None:
            column.addWidget(self._import_box())
        column.addWidget(self._card)
        column.addStretch(2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._scroll = PageScroll(body)
        outer.addWidget(self._scroll)
        self._build_form()

    def _import_box(self) -> Box:
        box = Box()
        words = tr("Did you get a community file on a stick? Take it in, then there is no address to type.")
        box.body.addWidget(label(words, wrap=True))
        self.take_in = button(tr("Take in a community file"), on_click=self._take_in)
        row = QHBoxLayout()
        row.addWidget(self.take_in)
        row.addStretch(1)
        box.body.addLayout(row)
        self._import_error = label("", "error", wrap=True)
        set_text(self._import_error, "")
        box.body.addWidget(self._import_error)
        return box

    def _build_form(self) -> None:
        self._card.add(
            label(
                tr(
                    "Type the one-time code from the community secretary (on paper, or in a file on a stick), and"
                    " choose six digits as your own PIN: it opens the program from now on. The line is needed only now."
                ),
                "secondary",
                wrap=True,
            )
        )
        self.entry = EntryForm(self._context)
        self.entry.submitted.connect(self._begin)
        self._card.add(self.entry)
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
        self.code.textChanged.connect(lambda _: set_text(self._error, ""))  # it was said of another code
        self.setFocusProxy(self.entry)

    def _take_in(self) -> None:
        set_text(self._import_error, "")

        def failed(error: Exception) -> None:
            said = words(error)
            set_text(self._import_error, f"{said.title}　{said.advice}")

        take_in_preset(self._context, self, failed=failed)

    # ------------------------------------------------------------------------------------------- enrolling

    def _begin(self) -> None:
        if self._busy.is_set() or not self.entry.check():
            return
        self._busy.set()
        self.start.setEnabled(False)
        set_text(self._error, "")
        self._bar.set_progress(tr("Talking to the server"), done=0, total=0)
        self._bar.show()
        self._look.start()
        url, code, pin = self.entry.address, self.code.text(), self.pin.text()
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
                on_progress=progress.append,
                stop=enough.is_set,
            ),
            self._made,
            self._failed,
        )

    def _show_progress(self) -> None:
        if self._progress:
            step = self._progress[-1]
            self._bar.cancel_button.show()
            self._bar.set_progress(
                tr("Receiving the community's records"),
                done=step.received,
                total=step.to_receive,
                seconds_left=step.seconds_left,
            )

    def _failed(self, error: Exception) -> None:
        if not self._is_made:
            self._busy.clear()
            self._look.stop()
            self._bar.hide()
            self.start.setEnabled(True)
            self.start.setFocus()
        elif isinstance(error, AccessError) and error.code == "nothing_received" and self._stick is None:
            self._stick = FirstStick(self._context)
            self._stick.told.connect(self._see_last)
            self._card.add(self._stick)
        said = words(error)
        advice = said.advice if self._is_made else self._advice(error) or said.advice
        set_text(self._error, f"{said.title}　{advice}")
        self._see_last()

    def _see_last(self) -> None:
        """With large letters the page is higher than the screen: go to what was just said."""
        shown = self._stick or self._error
        QTimer.singleShot(LAID_OUT_MS, shown, lambda: self._scroll.show_widget(shown))

    def _advice(self, error: Exception) -> str:
        """What to do when the line fails: nothing is on this PC yet, so the usual sentences would not be true."""
        if isinstance(error, Offline) and error.code == "certificate_day":
            return tr("Nothing was changed. Look at date and time in the corner of the screen and set them right.")
        if isinstance(error, Offline | ServerTrouble) and self._context.community.preset is not None:
            return tr(
                "Nothing was changed, what you typed is still here. Look whether the cable is in or the wireless is on"
                " (a phone's hotspot will do), then begin once more."
            )
        if isinstance(error, Offline) and error.code == "not_our_server":
            return tr("Nothing was changed. Is the address right? The network may also ask to sign in, in a browser.")
        if isinstance(error, Offline | ServerTrouble):
            return tr(
                "Nothing was changed, what you typed is still here. Look at line and address, then begin once more."
            )
        return ""

    # ------------------------------------------------------------------------------------------- recovery code

    def _made(self, made: SetUp) -> None:
        self._look.stop()
        self._is_made = True
        settings = self._context.settings()
        self._context.change_settings(msgspec.structs.replace(settings, server_url=self.entry.address))
        first = show_recovery(
            self._card,
            self._context,
            self,
            made,
            go_on=lambda: self._gate.enter(made.account_id, lambda: made.database_key),
        )
        self._error = label("", wrap=True)
        set_text(self._error, "")
        self._card.add(self._error)
        first.setFocus()
