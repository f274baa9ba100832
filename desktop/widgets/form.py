"""Rows of a form: a label that names its field, the field, and beside it what is wrong with it."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFormLayout, QLabel, QLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.widgets.labels import label, set_text

_WRAP_BELOW = 560  # effective pixels of the form's own width


class Form(QWidget):
    """Labels to the left while there is room, above the fields when there is not.

    Rows are known by the field's name in the record, so that an error of a rule finds its place.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.current().px
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(px(16))
        self._layout.setVerticalSpacing(px(11))
        self._layout.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._errors: dict[str, QLabel] = {}
        self._rows: dict[str, QWidget] = {}
        self._focus: dict[str, QWidget] = {}

    def add(self, name: str, text: str, field: QWidget | QLayout, *, focus: QWidget | None = None) -> None:
        """A row: ``name`` as in the record, ``text`` its label, ``focus`` the widget an error jumps to."""
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(3))
        if isinstance(field, QWidget):
            box.addWidget(field)
        else:
            box.addLayout(field)
        wrong = label("", "error", wrap=True)
        set_text(wrong, "")
        box.addWidget(wrong)
        named = label(text, "field")
        named.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        named.setMinimumHeight(theme.current().px(theme.CONTROL_HEIGHT))
        named.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        target = focus or (field if isinstance(field, QWidget) else None)
        if target is not None:
            named.setBuddy(target)
            if not target.accessibleName():
                target.setAccessibleName(text)
            self._focus[name] = target
        self._errors[name] = wrong
        self._rows[name] = holder
        self._layout.addRow(named, holder)

    def add_wide(self, field: QWidget) -> None:
        """Something over the whole width, without a label."""
        self._layout.addRow(field)

    def set_visible(self, name: str, visible: bool) -> None:
        """Show or hide a row with its label."""
        self._layout.setRowVisible(self._rows[name], visible)

    def set_error(self, name: str, text: str) -> bool:
        """Say what is wrong beside a field and go there; False when the form has no such field."""
        wrong = self._errors.get(name)
        if wrong is None:
            return False
        set_text(wrong, text)
        if text and name in self._focus:
            self._focus[name].setFocus(Qt.FocusReason.OtherFocusReason)
            self._focus[name].setAccessibleDescription(text)
        return True

    def clear_errors(self) -> None:
        """Take all error texts away."""
        for name, wrong in self._errors.items():
            set_text(wrong, "")
            if name in self._focus:
                self._focus[name].setAccessibleDescription("")

    def error_of(self, name: str) -> str:
        """The error text shown at a field, for tests and for the page's notice."""
        return self._errors[name].text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._wrap()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._wrap()

    def _wrap(self) -> None:
        narrow = self.width() / theme.current().scale < _WRAP_BELOW
        policy = QFormLayout.RowWrapPolicy
        self._layout.setRowWrapPolicy(policy.WrapAllRows if narrow else policy.DontWrapRows)
        self._layout.setLabelAlignment(
            (Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignTop
        )
