"""让同事用这台电脑: a colleague who brings a one-time code from elsewhere joins this PC with a PIN of their own."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.staffing import let_in
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.pin_field import PinField
from sync.errors import QiaomenError, WrongPin
from sync.keys.codes import check_pin, read_one_time_code


class LetInCard(Card):
    """Whoever is unlocked opens the key with the own PIN; the colleague types code and new PIN."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Let a colleague use this PC"), hint=tr("needs a line once"))
        self._context = context
        self.add(
            label(
                tr("For a colleague who has a one-time code from the secretary. You both type here."),
                "secondary",
                wrap=True,
            )
        )
        self.form = Form()
        self.code = QLineEdit()
        self.code.setInputMethodHints(Qt.InputMethodHint.ImhLatinOnly)
        self.new = PinField(name=tr("The colleague's new PIN"))
        self.again = PinField(name=tr("The colleague's PIN again"))
        self.own = PinField(name=tr("Your own PIN"))
        self.form.add("code", tr("One-time code"), self.code)
        self.form.add("pin", tr("The colleague's new PIN"), self.new)
        self.form.add("again", tr("The colleague's PIN again"), self.again)
        self.form.add("own", tr("Your own PIN"), self.own)
        self.add(self.form)
        self.go = button(tr("Let the colleague in"), role="second", on_click=self._begin)
        row = QHBoxLayout()
        row.addWidget(self.go)
        row.addStretch(1)
        self.add(row)
        for field in (self.code, self.new, self.again, self.own):
            field.returnPressed.connect(self._begin)

    def forget(self) -> None:
        """Nothing secret stays on the page."""
        for field in (self.code, self.new, self.again, self.own):
            field.clear()

    def _begin(self) -> None:
        self.form.clear_errors()
        code, new, own = self.code.text(), self.new.text(), self.own.text()
        for name, check, value in (("code", read_one_time_code, code), ("pin", check_pin, new)):
            try:
                check(value)
            except QiaomenError as error:
                self.form.set_error(name, words(error).title)
                return
        if new != self.again.text():
            self.form.set_error("again", tr("The two PINs are not the same. Please type both again."))
            return
        if len(own) != 6:
            self.form.set_error("own", tr("The PIN has six digits."))
            return
        context, by = self._context, self._context.session.account_id
        self.go.setEnabled(False)
        context.tasks.net(self, lambda: let_in(context, by=by, pin=own, code=code, new_pin=new), self._done, self._no)

    def _done(self, _: str) -> None:
        self.go.setEnabled(True)
        self.forget()
        self._context.hub.notice.emit(
            Notice(
                title=tr("The colleague can use this PC now"),
                advice=tr("Press Ctrl L; the colleague chooses the name and types the new PIN."),
                tone=Tone.GOOD,
            )
        )
        self._context.agent.sync_now()

    def _no(self, error: Exception) -> None:
        self.go.setEnabled(True)
        said = words(error)
        self.form.set_error("own" if isinstance(error, WrongPin) else "code", f"{said.title}　{said.advice}")
