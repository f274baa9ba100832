"""The fields of one person in the household's form."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from desktop.i18n import tr
from desktop.widgets.card import Box
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.option_row import Option, OptionRow
from desktop.words.households import SEXES
from sync.domain.catalogue import KINDS
from sync.domain.households import ResidentIntent, is_child

_FIELDS = KINDS["resident"].fields


class MaskedEdit(QLineEdit):
    """Shows a masked number; what is left as it was stays as it is in the file (``value`` None)."""

    def __init__(self, masked: str = "") -> None:
        super().__init__(masked)
        self._masked = masked

    def show_masked(self, masked: str) -> None:
        """Begin anew with what is in the file."""
        self._masked = masked
        self.setText(masked)

    def show_draft(self, value: str | None) -> None:
        """What was typed earlier, None for nothing."""
        self.setText(self._masked if value is None else value)

    def value(self) -> str | None:
        """What was typed, None when it was left alone."""
        text = self.text().strip()
        return None if text == self._masked else text


def starred(text: str) -> str:
    """The name of a field that has to be filled in."""
    return f"{text} *"


class ResidentBox(Box):
    """One person; ``changed`` at every keystroke."""

    changed = Signal()

    def __init__(self, intent: ResidentIntent, *, masked: str, today: str) -> None:
        super().__init__()
        self.resident_id = intent.resident_id
        self._today = today
        self.form = Form()
        self.name = QLineEdit()
        self.relation = QLineEdit()
        self.year = QLineEdit()
        self.phone = MaskedEdit(masked)
        self.sex = OptionRow([Option(code, tr(text)) for code, text in SEXES.items()], name=tr("Sex"))
        self.householder = QCheckBox(tr("Householder"))
        self.lives_here = QCheckBox(tr("Lives here"))
        self._child = label(
            tr("Under 14: no name and no phone are kept, only “child” and the year."), "hint", wrap=True
        )
        marks = QWidget()
        row = QHBoxLayout(marks)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.householder)
        row.addWidget(self.lives_here)
        row.addStretch(1)
        for name, text, field in (
            ("name", starred(tr(_FIELDS["name"].label)), self.name),
            ("relation", tr(_FIELDS["relation"].label), self.relation),
            ("sex", tr(_FIELDS["sex"].label), self.sex),
            ("birth_year", tr(_FIELDS["birth_year"].label), self.year),
            ("phone", tr(_FIELDS["phone"].label), self.phone),
        ):
            self.form.add(name, text, field)
        self.form.add("is_householder", "", marks, focus=self.householder)
        self.body.addWidget(self.form)
        self.body.addWidget(self._child)
        self.year.setPlaceholderText("1956")
        self._fill(intent)
        for edit in (self.name, self.relation, self.year, self.phone):
            edit.textEdited.connect(self._on_changed)
        self.sex.changed.connect(self._on_changed)
        self.householder.toggled.connect(self._on_changed)
        self.lives_here.toggled.connect(self._on_changed)

    def intent(self) -> ResidentIntent:
        """What stands in the fields; a year that is no number is passed on as 0, which no rule accepts."""
        year = self.year.text().strip()
        return ResidentIntent(
            resident_id=self.resident_id,
            name=self.name.text().strip(),
            sex=self.sex.value() or "unknown",
            birth_year=(int(year) if year.isdecimal() and len(year) < 6 else 0) if year else None,
            phone=self.phone.value(),
            relation=self.relation.text().strip(),
            is_householder=self.householder.isChecked(),
            lives_here=self.lives_here.isChecked(),
        )

    def _fill(self, intent: ResidentIntent) -> None:
        self.name.setText(intent.name)
        self.relation.setText(intent.relation)
        self.year.setText(str(intent.birth_year) if intent.birth_year else "")
        self.phone.show_draft(intent.phone)
        self.sex.set_value(intent.sex)
        self.householder.setChecked(intent.is_householder)
        self.lives_here.setChecked(intent.lives_here)
        self._show_child()

    def _on_changed(self) -> None:
        self._show_child()
        self.changed.emit()

    def _show_child(self) -> None:
        year = self.intent().birth_year
        self._child.setVisible(bool(year) and is_child(year, today=self._today))
