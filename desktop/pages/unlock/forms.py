"""The three ways in: the PIN, the one-time code of a first-timer, the recovery code of the station."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.texts import words
from desktop.vault import Vault
from desktop.widgets.buttons import button
from desktop.widgets.labels import label
from desktop.widgets.pin_field import PinField
from sync.errors import QiaomenError
from sync.keys.codes import check_pin, read_one_time_code, read_recovery_code


class UnlockForm(QWidget):
    """Fields and a button; ``unlock`` gives the work that yields the database key."""

    submitted = Signal()
    forgot = Signal()
    back = Signal()

    def unlock(self, vault: Vault, account_id: str) -> Callable[[], bytes]:
        """The work for the net lane, with what was typed taken along."""
        raise TypeError("a form says how it unlocks")

    def wrong(self) -> str:
        """A sentence when what was typed cannot be right, else ''."""
        return ""

    def fields(self) -> tuple[QLineEdit, ...]:
        """The fields in order of typing."""
        raise TypeError("a form names its fields")

    def clear(self) -> None:
        """Empty the secret fields."""
        for field in self.fields():
            field.clear()

    def focus_first(self) -> None:
        """Put the cursor where typing begins."""
        self.fields()[0].setFocus()


class PinForm(UnlockForm):
    """Six digits."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(theme.GAP_M))
        caption = label(tr("Six-digit PIN"), "field")
        self.pin = PinField(name=tr("Six-digit PIN"))
        caption.setBuddy(self.pin)
        self.pin.returnPressed.connect(self.submitted.emit)
        row.addWidget(caption)
        row.addWidget(self.pin)
        row.addWidget(button(tr("Open"), role="primary", on_click=self.submitted.emit))
        row.addWidget(button(tr("Forgot the PIN"), on_click=self.forgot.emit))
        row.addStretch(1)

    def fields(self) -> tuple[QLineEdit, ...]:
        return (self.pin,)

    def wrong(self) -> str:
        return "" if len(self.pin.text()) == 6 else tr("The PIN has six digits.")

    def unlock(self, vault: Vault, account_id: str) -> Callable[[], bytes]:
        pin = self.pin.text()
        return lambda: vault.unlock(account_id, pin)


class _NewPinForm(UnlockForm):
    """A code from paper, and a new PIN twice."""

    def __init__(self, *, advice: str, code_label: str, has_back: bool) -> None:
        super().__init__()
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(label(advice, "secondary", wrap=True))
        grid = QGridLayout()
        grid.setSpacing(px(theme.GAP_S))
        outer.addLayout(grid)
        self.code = QLineEdit()
        self.pin = PinField(name=tr("New six-digit PIN"))
        self.again = PinField(name=tr("The same PIN again"))
        for row, (text, field) in enumerate(
            ((code_label, self.code), (tr("New six-digit PIN"), self.pin), (tr("The same PIN again"), self.again))
        ):
            caption = label(text, "field")
            caption.setBuddy(field)
            field.setAccessibleName(text)
            field.returnPressed.connect(self._next_or_submit)
            grid.addWidget(caption, row, 0)
            grid.addWidget(field, row, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(button(tr("Open"), role="primary", on_click=self.submitted.emit))
        if has_back:
            buttons.addWidget(button(tr("Back"), on_click=self.back.emit))
        buttons.addStretch(1)
        outer.addLayout(buttons)

    def read_code(self, text: str) -> str:
        """The code in its normal form; KeysError when it was mistyped."""
        raise TypeError("a form reads its own sort of code")

    def fields(self) -> tuple[QLineEdit, ...]:
        return (self.code, self.pin, self.again)

    def wrong(self) -> str:
        try:
            self.read_code(self.code.text())
            check_pin(self.pin.text())
        except QiaomenError as error:
            said = words(error)
            return f"{said.title}　{said.advice}"
        return (
            "" if self.pin.text() == self.again.text() else tr("The two PINs are not the same. Please type both again.")
        )

    def clear(self) -> None:
        """The PINs go, the long code stays."""
        self.pin.clear()
        self.again.clear()

    def _next_or_submit(self) -> None:
        empty = next((field for field in self.fields() if not field.text()), None)
        if empty is None:
            self.submitted.emit()
        else:
            empty.setFocus()


class CodeForm(_NewPinForm):
    """The first time at this PC."""

    def __init__(self) -> None:
        super().__init__(
            advice=tr("Your first time at this PC: type the one-time code from the secretary and choose a PIN."),
            code_label=tr("One-time code"),
            has_back=False,
        )

    def read_code(self, text: str) -> str:
        return read_one_time_code(text)

    def unlock(self, vault: Vault, account_id: str) -> Callable[[], bytes]:
        code, pin = self.code.text(), self.pin.text()
        return lambda: vault.accept_invite(account_id, code=code, pin=pin)


class RecoveryForm(_NewPinForm):
    """The recovery code printed when the station was set up."""

    def __init__(self) -> None:
        super().__init__(
            advice=tr(
                "Ask the secretary for a new one-time code, or use the recovery code that was printed "
                "when this PC was set up. Your records are safe."
            ),
            code_label=tr("Recovery code"),
            has_back=True,
        )

    def read_code(self, text: str) -> str:
        return read_recovery_code(text)

    def unlock(self, vault: Vault, account_id: str) -> Callable[[], bytes]:
        code, pin = self.code.text(), self.pin.text()
        return lambda: vault.unlock_recovery(account_id, code=code, pin=pin)
