"""没有网: what waits goes to the centre on a stick, what it gives back comes in; the outcome in plain words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer

from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import mark, number, tr
from desktop.sync_status import Phase, Status
from desktop.texts import code_words, words
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.labels import label, set_text
from desktop.widgets.progress_row import ProgressRow
from desktop.words.moments import moment_words
from sync.domain.calendar import CHINA
from sync.errors import QiaomenError
from sync.store import blobs
from sync.store.stick import Carried, carried

if TYPE_CHECKING:
    from sync.client.bundle import Exported, Imported

SUFFIX: Final = ".qmb"
_LOOK_MS = 100  # how often the bar looks how far the work on the other thread is
_FILES: Final = mark("Files for the stick")


class StickCard(Card):
    """Two buttons (``out`` and ``back``, placed by the page), and a card that is hidden while there is nothing to say.

    ``changed`` is called when something went or came, ``find`` looks for the stick.
    """

    def __init__(
        self, context: Context, *, changed: Callable[[], object], find: Callable[[], Path | None] = stick_folder
    ) -> None:
        super().__init__(tr("By stick"))
        self._context = context
        self._changed = changed
        self._find = find
        self.out = button(tr("No line: save to a stick"), on_click=self._ask_where)
        self.back = button(tr("Take in from a stick"), on_click=self._ask_which)
        self._waits = label("", wrap=True)
        self._bar = ProgressRow()
        self._bar.cancel_button.hide()  # it takes seconds, and half a file is none
        self._result = Box()
        for part in (self._waits, self._bar, self._result):
            self.add(part)
            part.hide()
        self._step = ""
        self._far = (0, 0)
        self._watch = QTimer(self)
        self._watch.setInterval(_LOOK_MS)
        self._watch.timeout.connect(self._show_far)
        self._is_busy = False
        self._pressed = self.out
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._show()

    # ------------------------------------------------------------------------------------------- how it stands

    def refresh(self) -> None:
        """Look up what was carried away and is not answered."""
        self._context.tasks.read(self, lambda reader: carried(reader.db), self._show_carried, key="carried")

    def show_status(self, status: Status) -> None:
        """A PC without a server has nobody to carry to; while a line sends, a stick need not."""
        for one in (self.out, self.back):
            one.setVisible(status.phase is not Phase.OFF)
            one.setEnabled(status.phase is not Phase.SYNCING and not self._is_busy)

    def forget(self) -> None:
        """The person left."""
        clear(self._result.body)
        self._result.hide()
        self._show()

    def _show_carried(self, found: Carried) -> None:
        when = moment_words(found.at, now=self._context.now())
        said = tr("{n} carried away {when}, waiting for the answer").format(n=number(found.count), when=when)
        set_text(self._waits, said if found.count else "")
        self._waits.setVisible(bool(found.count))
        self._show()

    def _show(self) -> None:
        self.setVisible(any(not part.isHidden() for part in (self._waits, self._bar, self._result)))

    # ------------------------------------------------------------------------------------------- out

    def _ask_where(self) -> None:
        day = datetime.fromtimestamp(self._context.now() / 1000, UTC).astimezone(CHINA)
        name = f"{tr('to the centre')}-{day:%m%d-%H%M}{SUFFIX}"

        def ask(stick: Path | None) -> None:
            self._context.ask.pick_save(
                self,
                title=tr("Save to a stick"),
                filters=f"{tr(_FILES)} (*{SUFFIX})",
                suggested=str(stick / name) if stick else name,
                then=self._export,
            )

        self._look_for_stick(ask)

    def _look_for_stick(self, then: Callable[[Path | None], object]) -> None:
        # A stick that is broken can keep whoever asks it waiting; that must not be the window.
        self._context.tasks.net(self, self._find, then, lambda _: then(None))

    def _export(self, path: Path) -> None:
        target = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        tasks = self._context.tasks

        def work() -> tuple[Exported, int]:
            from sync.client.bundle import export

            told = export(tasks.write_wait, target, on_progress=self._note_far)
            return told, tasks.write_wait(lambda store: blobs.going_up(store.db))

        def done(found: tuple[Exported, int]) -> None:
            told, files = found
            self._rest()
            self._say(*_out_words(told, target, files=files), role="good-box")

        self._begin(tr("Saving to the stick"), pressed=self.out)
        self._context.agent.aside.run(self, work, done, self._failed)

    # ------------------------------------------------------------------------------------------- back

    def _ask_which(self) -> None:
        def ask(stick: Path | None) -> None:
            self._context.ask.pick_file(
                self,
                title=tr("Take in from a stick"),
                filters=f"{tr(_FILES)} (*{SUFFIX})",
                then=self._import,
                folder=stick,
            )

        self._look_for_stick(ask)

    def _import(self, path: Path) -> None:
        tasks, now = self._context.tasks, self._context.now
        met: set[tuple[str, str]] = set()

        def work() -> Imported:
            from sync.client.bundle import import_

            return import_(tasks.write_wait, path, wall=now, on_progress=self._note_far, on_touched=met.update)

        def done(brought: Imported) -> None:
            self._rest()
            is_whole = not brought.note and not brought.refused
            self._say(*_in_words(brought), role="good-box" if is_whole else "warn-box")
            if met:
                self._context.hub.touched.emit(frozenset(met))

        self._begin(tr("Taking in from the stick"), pressed=self.back)
        self._context.agent.aside.run(self, work, done, self._failed)

    # ------------------------------------------------------------------------------------------- meanwhile, after

    def _begin(self, step: str, *, pressed: ActionButton) -> None:
        self._is_busy = True
        self._pressed = pressed
        self._step, self._far = step, (0, 0)
        self._result.hide()
        self._bar.show()
        self._show_far()
        self._watch.start()
        self._show()
        if pressed.hasFocus():
            self.setFocus()  # else Qt would hand the keyboard to whatever comes after a button that cannot be pressed
        self.show_status(self._context.agent.status)

    def _note_far(self, done: int, total: int) -> None:
        # From another thread: only noted here, the timer looks.
        self._far = (done, total)

    def _show_far(self) -> None:
        done, total = self._far
        self._bar.set_progress(self._step, done=done, total=total)

    def _rest(self) -> None:
        self._is_busy = False
        self._watch.stop()
        self._bar.hide()
        self.show_status(self._context.agent.status)
        if self.hasFocus():
            self._pressed.setFocus()
        self._context.agent.recount()
        self._changed()

    def _failed(self, error: Exception) -> None:
        self._rest()
        said = words(error)
        self._say(said.title, said.advice, role="warn-box" if isinstance(error, QiaomenError) else "alarm-box")

    def _say(self, title: str, *lines: str, role: str) -> None:
        clear(self._result.body)
        self._result.setProperty("role", role)
        self._result.style().polish(self._result)
        self._result.setAccessibleName(title)
        self._result.body.addWidget(label(title, "strong", wrap=True))
        for line in lines:
            if line:
                self._result.body.addWidget(label(line, wrap=True))
        self._result.show()
        self._show()


def _out_words(told: Exported, target: Path, *, files: int) -> tuple[str, ...]:
    if told.operations:
        title = tr("{n} on the stick").format(n=number(told.operations))
    else:
        title = tr("Nothing to send; the file fetches what colleagues did")
    left = tr("{n} more did not fit; they go with the next one, after the answer to this.")
    stay = tr("{n} attached files do not go by stick. They stay on this PC and go by themselves when there is a line.")
    return (
        title,
        tr("The file is called “{file}”. Please hand the stick in at the community centre.").format(file=target.name),
        tr("What they give you in return you take in here. Until then all stays on this PC too."),
        left.format(n=number(told.left)) if told.left else "",
        stay.format(n=number(files)) if files else "",
    )


def _in_words(brought: Imported) -> tuple[str, ...]:
    note = code_words(brought.note) if brought.note else None
    if not (brought.accepted or brought.refused or brought.received):
        if note is not None:
            return note.title, note.advice
        return tr("All in this file was here already"), tr("Nothing was changed.")
    lines = [tr("{n} of yours reached the centre; {m} records came from colleagues.")]
    lines[0] = lines[0].format(n=number(brought.accepted), m=number(brought.received))
    if brought.refused:
        lines.append(tr("{n} are to be put right and sent again; they are listed here.").format(n=brought.refused))
    if brought.conflicts:
        lines.append(tr("{n} were changed by two people; please decide here.").format(n=brought.conflicts))
    if brought.carried:
        lines.append(tr("{n} still wait for an answer.").format(n=number(brought.carried)))
    if note is not None:
        lines += [note.title, note.advice]
    return (tr("Taken in"), *lines)
