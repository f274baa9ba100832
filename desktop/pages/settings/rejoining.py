"""重新接上服务器: the server knows this PC no more, as after a restore; a fresh code joins it once more."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.staffing import rejoin
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from sync.errors import QiaomenError
from sync.keys.codes import read_one_time_code


class RejoinCard(Card):
    """Everything in the file stays; what is unsent goes out when the code has been taken. Hidden without a server."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Join the server again"), hint=tr("needs a line once"))
        self._context = context
        self.add(
            label(
                tr(
                    "When the server does not know this PC or one of its people any more. Ask the secretary for a new"
                    " one-time code. Everything on this PC stays, and what is not sent goes out afterwards."
                ),
                "secondary",
                wrap=True,
            )
        )
        self.form = Form()
        self.code = QLineEdit()
        self.code.setInputMethodHints(Qt.InputMethodHint.ImhLatinOnly)
        self.form.add("code", tr("One-time code"), self.code)
        self.add(self.form)
        self.go = button(tr("Join again with a new code"), role="second", on_click=self._begin)
        row = QHBoxLayout()
        row.addWidget(self.go)
        row.addStretch(1)
        self.add(row)
        self.code.returnPressed.connect(self._begin)
        self.hide()

    def forget(self) -> None:
        """Nothing secret stays on the page."""
        self.code.clear()

    def _begin(self) -> None:
        self.form.clear_errors()
        context, code = self._context, self.code.text()
        try:
            read_one_time_code(code)
        except QiaomenError as error:
            self.form.set_error("code", words(error).title)
            return
        self.go.setEnabled(False)
        context.tasks.net(self, lambda: rejoin(context, code=code), self._done, self._no)

    def _done(self, _: None) -> None:
        self.go.setEnabled(True)
        self.forget()
        self._context.hub.notice.emit(
            Notice(
                title=tr("This PC has joined again"),
                advice=tr("What is not sent goes out now. Colleagues on this PC hand in a code of their own here."),
                tone=Tone.GOOD,
            )
        )
        self._context.agent.sync_now()

    def _no(self, error: Exception) -> None:
        self.go.setEnabled(True)
        said = words(error)
        self.form.set_error("code", f"{said.title}　{said.advice}")
