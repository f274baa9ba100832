"""One conflict: two versions side by side with who and when, the one in use marked, and what can be done."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.sync_centre.values import register_words, value_words
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.card import Box, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from desktop.widgets.text_area import TextArea
from desktop.words.moments import moment_words
from sync.domain import conflicts as verb
from sync.domain.catalogue import KINDS
from sync.domain.fields import Type
from sync.domain.operations import DELETED
from sync.domain.rules import Rules
from sync.store.conflicts import Open, Version

_DRAFT_MS = 500
_WIDTH = 190  # design pixels of a version at least


class ConflictBox(Box):
    """Asks through signals; knows no store. ``drafted`` with what is being written of both."""

    chosen = Signal(str, str)  # a choice of sync.domain.conflicts, and the text of both
    reveal_asked = Signal()
    record_asked = Signal()
    drafted = Signal(str)

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules
        self._now = 0
        self._numbers: tuple[str, ...] = ()
        self.shown: Open | None = None
        self.text: TextArea | None = None
        self.buttons: list[ActionButton] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_DRAFT_MS)
        self._pause.timeout.connect(self._on_pause)
        self.body.setSpacing(theme.current().px(theme.GAP_S))

    def show_conflict(self, conflict: Open, *, now: int, draft: str = "") -> None:
        """Fill the box; what is being written stays, and nothing moves under the keyboard when nothing changed."""
        if conflict == self.shown:
            return
        if self.shown is None or self.shown.conflict_id != conflict.conflict_id:
            self._numbers = ()
        self.shown, self._now = conflict, now
        writing = self.text.text() if self.text is not None else draft
        self._fill(conflict)
        if writing:
            self._write(writing)

    def show_numbers(self, kept: str, lost: str, now: str) -> None:
        """The numbers that were asked for, in full."""
        if self.shown is not None:
            self._numbers = (kept, lost, now)
            self._fill(self.shown)

    def focus_first(self) -> None:
        """The keyboard goes to the first thing that can be done."""
        if self.buttons:
            self.buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    # ------------------------------------------------------------------------------------------- filling

    def _fill(self, conflict: Open) -> None:
        clear(self.body)
        self.text, self.buttons = None, []
        where = " ".join(part for part in (conflict.place, conflict.title) if part) or tr(conflict.kind_label)
        what = register_words(conflict.register, conflict.label)
        if conflict.household_id != conflict.record_id:
            what = f"{tr(conflict.kind_label)} · {what}"
        heading = label(f"{where} · {what}", "strong", wrap=True)
        self.setAccessibleName(heading.text())
        self.body.addWidget(heading)
        self.body.addWidget(label(self._state_words(conflict), "secondary", wrap=True))
        holder = QWidget()
        row = FlowLayout(holder, gap=theme.GAP_M)
        for place, (version, choice) in enumerate(self._versions(conflict)):
            row.addWidget(self._version(version, choice, place))
        if conflict.is_masked and not self._numbers:
            reveal = button(tr("Show the numbers in full (this is noted)"), on_click=self.reveal_asked.emit)
            row.addWidget(reveal)
        self.body.addWidget(holder)
        self._fill_actions(conflict)

    def _versions(self, conflict: Open) -> list[tuple[Version, str]]:
        made = [(conflict.kept, verb.KEPT), (conflict.lost, verb.LOST)]
        return [*made, (conflict.now, verb.NOW)] if conflict.now is not None else made

    def _version(self, version: Version, choice: str, place: int) -> Box:
        conflict = self.shown
        assert conflict is not None
        is_used = conflict.in_use == choice
        box = Box("chosen-box" if is_used else "box")
        box.setMinimumWidth(theme.current().px(_WIDTH))
        when = moment_words(version.at, now=self._now)
        who = tr("Written there later") if choice == verb.NOW else f"{_who(version)} · {when}"
        box.body.addWidget(label(who, "secondary"))
        lines = self._lines(conflict, version, choice, place)
        for line in lines:
            box.body.addWidget(label(line, "strong" if len(lines) == 1 else "", wrap=len(line) > 20, copyable=True))
        if is_used:
            box.body.addWidget(label(tr("✓ in use now"), "hint"))
        box.setAccessibleName(" ".join((who, *lines, tr("✓ in use now") if is_used else "")).strip())
        return box

    def _lines(self, conflict: Open, version: Version, choice: str, place: int) -> list[str]:
        if self._numbers:
            return [self._numbers[place] or tr("(left empty)")]
        if conflict.register == DELETED and choice == verb.KEPT:
            return [tr("Deleted it")]
        cells = version.cells
        words = [value_words(conflict.kind, cell, rules=self._rules, now=self._now) for cell in cells]
        if len(cells) == 1 and conflict.register != DELETED:
            return words
        return [f"{tr(cell.label)}：{text}" for cell, text in zip(cells, words, strict=True)] or [tr("Kept it")]

    def _state_words(self, conflict: Open) -> str:
        if conflict.is_settled:
            return tr("Settled by {who}; the other one is still kept").format(who=conflict.settled_by or "…")
        if conflict.register == verb.FLOW:
            return tr("Two people took a step at the same time. The later one counts; the other did not take effect.")
        if conflict.register == DELETED:
            return tr("One deleted it while the other was changing it. It is deleted now.")
        if conflict.in_use == verb.NOW:
            return tr("It was changed once more since then.")
        return (
            tr("The later one is in use now") if conflict.in_use == verb.KEPT else tr("The earlier one is in use now")
        )

    # ------------------------------------------------------------------------------------------- doing

    def _fill_actions(self, conflict: Open) -> None:
        holder = QWidget()
        row = FlowLayout(holder)
        names = _names(conflict, now=self._now)
        for choice in conflict.choices:
            if conflict.is_settled and choice not in (verb.KEPT, verb.LOST):
                continue
            if conflict.is_settled and choice == conflict.in_use:
                continue
            for made in self._choice(conflict, choice, names):
                row.addWidget(made)
                self.buttons.append(made)
        self.body.addWidget(holder)
        if conflict.register != verb.FLOW and not conflict.is_settled:
            self.body.addWidget(label(tr("The other one is kept too and can be taken back at any time."), "hint"))

    def _choice(self, conflict: Open, choice: str, names: Sequence[str]) -> list[ActionButton]:
        if choice == verb.SEEN:
            look = button(tr("Look at it and take the next step"), role="second", on_click=self.record_asked.emit)
            return [look, button(tr("I have seen it"), on_click=lambda: self.chosen.emit(verb.SEEN, ""))]
        if choice == verb.JOINED:
            return [button(tr("Write both into one"), on_click=lambda: self._begin_writing(conflict))]
        words = {verb.KEPT: names[0], verb.LOST: names[1], verb.NOW: tr("Leave it as it is now")}
        made = button(words[choice], role="second", on_click=lambda: self.chosen.emit(choice, ""))
        sides = {verb.KEPT: tr("Use the left one"), verb.LOST: tr("Use the right one")}
        if choice in sides:
            made.setAccessibleName(f"{sides[choice]}：{words[choice]}")
        return [made]

    def _begin_writing(self, conflict: Open) -> None:
        if self.text is not None:
            self.text.setFocus()
            return
        texts = [str(cell.value) for version in (conflict.kept, conflict.lost) for cell in version.cells if cell.value]
        field = KINDS[conflict.kind].fields[conflict.register]
        area = self._write(("\n" if field.type is Type.LONG_TEXT else "；").join(texts))
        if area is not None:
            area.edit.moveCursor(QTextCursor.MoveOperation.End)
            area.setFocus(Qt.FocusReason.OtherFocusReason)
            self._pause.start()

    def _write(self, text: str) -> TextArea | None:
        conflict = self.shown
        if conflict is None or verb.JOINED not in conflict.choices:
            return None
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        limit = KINDS[conflict.kind].fields[conflict.register].limit
        area = self.text = TextArea(name=tr("Both in one"), limit=limit, rows=3)
        area.set_text(text)
        area.changed.connect(self._pause.start)
        column.addWidget(area)
        buttons = QWidget()
        row = FlowLayout(buttons)
        row.addWidget(button(tr("Use this text"), role="second", on_click=self._on_joined))
        row.addWidget(button(tr("Don't write both into one"), on_click=self._stop_writing))
        column.addWidget(buttons)
        self.body.addWidget(holder)
        return area

    def _on_pause(self) -> None:
        if self.text is not None:
            self.drafted.emit(self.text.text())

    def _on_joined(self) -> None:
        area = self.text
        if area is None:
            return
        if area.text() and area.is_within_limit:
            self._pause.stop()
            self.chosen.emit(verb.JOINED, area.text())
        else:
            area.setFocus(Qt.FocusReason.OtherFocusReason)

    def _stop_writing(self) -> None:
        self._pause.stop()
        self.drafted.emit("")
        if self.shown is not None:
            self._fill(self.shown)
            self.focus_first()


def _who(version: Version) -> str:
    return tr("I", "who wrote it") if version.is_mine else version.by or tr("somebody else")


def _names(conflict: Open, *, now: int) -> tuple[str, str]:
    """The words of the two buttons: by name, by time where one person wrote both, by deed where one deleted."""
    kept, lost = conflict.kept, conflict.lost
    if conflict.register == DELETED:
        return tr("Let it be deleted"), tr("Bring it back with what was written")
    if (kept.is_mine, kept.by) == (lost.is_mine, lost.by):
        first, second = (moment_words(version.at, now=now) for version in (kept, lost))
        return tr("Use that of {when}").format(when=first), tr("Use that of {when}").format(when=second)
    return _use(kept), _use(lost)


def _use(version: Version) -> str:
    if version.is_mine:
        return tr("Use mine")
    return tr("Use {who}'s").format(who=version.by or tr("the other person"))
