"""The person's own PIN, changed in place."""

from PySide6.QtWidgets import QHBoxLayout

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.staffing import change_pin
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.form import Form
from desktop.widgets.pin_field import PinField
from sync.errors import QiaomenError
from sync.keys.codes import check_pin


class OwnPinCard(Card):
    """Three fields; the old PIN holds until the new one is on the disk."""

    def __init__(self, context: Context, *, is_main: bool) -> None:
        super().__init__(tr("My PIN"))
        self._context = context
        self.form = Form()
        self.old = PinField(name=tr("Present PIN"))
        self.new = PinField(name=tr("New six-digit PIN"))
        self.again = PinField(name=tr("The same PIN again"))
        self.form.add("old", tr("Present PIN"), self.old)
        self.form.add("pin", tr("New six-digit PIN"), self.new)
        self.form.add("again", tr("The same PIN again"), self.again)
        self.add(self.form)
        self.go = button(tr("Change my PIN"), role="primary" if is_main else "second", on_click=self._change)
        row = QHBoxLayout()
        row.addWidget(self.go)
        row.addStretch(1)
        self.add(row)
        for field in (self.old, self.new, self.again):
            field.returnPressed.connect(self._change)

    def forget(self) -> None:
        """Nothing secret stays on the page."""
        for field in (self.old, self.new, self.again):
            field.clear()

    def _change(self) -> None:
        self.form.clear_errors()
        old, new = self.old.text(), self.new.text()
        if len(old) != 6:
            self.form.set_error("old", tr("The PIN has six digits."))
            return
        try:
            check_pin(new)
        except QiaomenError as error:
            said = words(error)
            self.form.set_error("pin", f"{said.title}　{said.advice}")
            return
        if new != self.again.text():
            self.form.set_error("again", tr("The two PINs are not the same. Please type both again."))
            return
        context, account_id = self._context, self._context.session.account_id
        self.go.setEnabled(False)
        context.tasks.net(self, lambda: change_pin(context, account_id, old=old, new=new), self._changed, self._failed)

    def _changed(self, _: None) -> None:
        self.go.setEnabled(True)
        self.forget()
        self._context.hub.notice.emit(Notice(title=tr("Your PIN is changed"), tone=Tone.GOOD))

    def _failed(self, error: Exception) -> None:
        self.go.setEnabled(True)
        self.old.clear()
        said = words(error)
        self.form.set_error("old", f"{said.title}　{said.advice}")
