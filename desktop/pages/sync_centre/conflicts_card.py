"""请您定一下: what two people wrote in the same place, one box each; what has been settled can be changed again."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtWidgets import QVBoxLayout

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import number, tr
from desktop.pages.sync_centre.conflict_box import ConflictBox
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from sync.errors import QiaomenError
from sync.store import conflicts, drafts
from sync.store.conflicts import Open
from sync.store.store import Store, Touched

PAGE = "sync"  # of drafts
_PAGES: Mapping[str, tuple[str, str]] = {"demand": ("demand", "demand_id"), "dispute": ("disputes", "dispute_id")}


class ConflictsCard(Card):
    """Hidden while there is nothing to settle and nothing settled; ``changed`` is called after a decision."""

    def __init__(self, context: Context, *, changed: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._changed = changed
        self._wanted = ""
        self._go_on = False
        self.boxes: dict[str, ConflictBox] = {}
        self.done_boxes: dict[str, ConflictBox] = {}
        gap = theme.current().px(theme.GAP_M)
        self._open, self._done = QVBoxLayout(), QVBoxLayout()
        self._open.setSpacing(gap)
        self._done.setSpacing(gap)
        self.more = button("", role="link", on_click=self._toggle_done)
        self._shows_done = False
        self._settled: tuple[Open, ...] = ()
        self.add(self._open)
        self.add(self.more)
        self.add(self._done)
        self.hide()

    def want(self, record_id: str) -> None:
        """A record's own page led here: its box is to have the keyboard when it comes."""
        self._wanted = record_id

    def show_conflicts(self, found: tuple[Open, ...], settled: tuple[Open, ...], texts: Mapping[str, str]) -> bool:
        """Fill the card; ``texts`` are drafts by conflict. True when it has taken the keyboard."""
        self.setVisible(bool(found or settled))
        self.set_title(tr("Please decide") if found else tr("Decided"))
        self.set_hint(tr("two people changed the same thing, both are kept") if found else "")
        self._settled = settled
        self._lay(self._open, self.boxes, found, texts)
        self.more.setVisible(bool(settled))
        self.more.set_words(
            tr("Hide what was decided")
            if self._shows_done
            else tr("{n} decided before (can be changed back)").format(n=number(len(settled)))
        )
        self._lay(self._done, self.done_boxes, settled if self._shows_done else (), {})
        return self._take_keyboard(found)

    def focus_box(self, record_id: str) -> bool:
        """The keyboard to the box of a record; False when there is none."""
        for box in self.boxes.values():
            if box.shown is not None and box.shown.record_id == record_id:
                box.focus_first()
                return True
        return False

    def _take_keyboard(self, found: tuple[Open, ...]) -> bool:
        wanted, self._wanted = self._wanted, ""
        if wanted and self.focus_box(wanted):
            return True
        go_on, self._go_on = self._go_on, False
        if go_on and found:
            self.boxes[found[0].conflict_id].focus_first()
            return True
        return False

    def _lay(
        self, column: QVBoxLayout, boxes: dict[str, ConflictBox], found: tuple[Open, ...], texts: Mapping[str, str]
    ) -> None:
        wanted = {conflict.conflict_id: conflict for conflict in found}
        for conflict_id in set(boxes) - set(wanted):
            box = boxes.pop(conflict_id)
            column.removeWidget(box)
            box.hide()
            box.deleteLater()
        for place, (conflict_id, conflict) in enumerate(wanted.items()):
            known = boxes.get(conflict_id)
            if known is None:
                known = boxes[conflict_id] = self._make(conflict_id)
                column.insertWidget(place, known)
            known.show_conflict(conflict, now=self._context.now(), draft=texts.get(conflict_id, ""))

    def _make(self, conflict_id: str) -> ConflictBox:
        box = ConflictBox(self._context.rules)
        box.chosen.connect(partial(self._settle, box, conflict_id))
        box.reveal_asked.connect(partial(self._reveal, box, conflict_id))
        box.record_asked.connect(partial(self._go, box))
        box.drafted.connect(partial(self._keep, conflict_id))
        return box

    # ------------------------------------------------------------------------------------------- doing

    def _settle(self, box: ConflictBox, conflict_id: str, choice: str, text: str) -> None:
        me, again = self._context.session.account_id, box.shown is not None and box.shown.is_settled

        def work(store: Store) -> Touched:
            touched = conflicts.settle(store, me, conflict_id, choice, text=text, again=again)
            drafts.drop(store, me, PAGE, conflict_id)
            return touched

        self._context.tasks.write(self, work, lambda _: self._done_with(), self._failed)

    def _done_with(self) -> None:
        self._go_on = True
        self._context.hub.notice.emit(Notice(tr("Decided"), tr("The other one is kept as well."), Tone.GOOD))
        self._changed()

    def _reveal(self, box: ConflictBox, conflict_id: str) -> None:
        me = self._context.session.account_id
        self._context.tasks.write(
            box,
            lambda store: conflicts.reveal(store, me, conflict_id),
            lambda numbers: box.show_numbers(*numbers),
            self._failed,
        )

    def _keep(self, conflict_id: str, text: str) -> None:
        me, body = self._context.session.account_id, text.encode()

        def work(store: Store) -> None:
            if body:
                drafts.keep(store, me, PAGE, conflict_id, body)
            else:
                drafts.drop(store, me, PAGE, conflict_id)

        self._context.tasks.write(None, work)

    def _go(self, box: ConflictBox) -> None:
        if box.shown is not None and box.shown.kind in _PAGES:
            page, name = _PAGES[box.shown.kind]
            self._context.navigate(page, **{name: box.shown.record_id})

    def _toggle_done(self) -> None:
        self._shows_done = not self._shows_done
        self._changed()

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError) else Tone.ALARM
        self._context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))
        self._changed()
