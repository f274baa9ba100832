"""Refused records as work: what it is, why in a sentence, what was written in it, and the ways to put it right."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import number, tr
from desktop.pages.sync_centre import repairs
from desktop.pages.sync_centre.repairs import Repair
from desktop.texts import code_words, words
from desktop.widgets.ask import Question
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from desktop.words.moments import moment_words
from sync.domain.handing import may_hand_on
from sync.errors import QiaomenError
from sync.store import refused
from sync.store.refused import Item
from sync.store.store import Reader


class RefusedCard(Card):
    """Hidden while there is nothing to do; ``changed`` is called after something was sent again or given up."""

    def __init__(self, context: Context, *, changed: Callable[[], object]) -> None:
        super().__init__(hint=tr("nothing is lost"))
        self._context = context
        self._changed = changed
        self._shown: tuple[Item, ...] | None = None
        self._shows_aside = False
        self.first: ActionButton | None = None  # the button of the first thing to do
        self.hide()

    def show_items(self, items: tuple[Item, ...]) -> None:
        """Fill the card; nothing moves under the keyboard when nothing changed."""
        if items == self._shown:
            return
        self._shown = items
        self._fill(items)

    @property
    def due(self) -> int:
        """How many are to be put right; what was put aside does not count."""
        return sum(not item.is_aside for item in self._shown or ())

    def forget(self) -> None:
        """The person left: nothing that was typed stays on the screen."""
        self._shown = None
        clear(self.body)
        self.hide()

    def _fill(self, items: tuple[Item, ...]) -> None:
        due = [item for item in items if not item.is_aside]
        aside = [item for item in items if item.is_aside]
        self.setVisible(bool(items))
        self.set_title(
            tr("{n} to be put right and sent again").format(n=number(len(due))) if due else tr("Put aside for later")
        )
        clear(self.body)
        self.first = None
        for item in due:
            self.add(self._box(item))
        if aside:
            said = tr("{n} put aside for later").format(n=number(len(aside)))
            self.add(
                button(tr("Hide what was put aside") if self._shows_aside else said, role="link", on_click=self._toggle)
            )
        for item in aside if self._shows_aside else ():
            self.add(self._box(item))

    def _box(self, item: Item) -> Box:
        box = Box()
        title = " ".join(part for part in (item.place, item.title or tr(item.kind_label)) if part)
        box.setAccessibleName(title)
        box.body.addWidget(label(title, "strong", wrap=True))
        box.body.addWidget(label(why(item.code), "secondary", wrap=True))
        noted = tr("Noted {when}").format(when=moment_words(item.made_at, now=self._context.now()))
        lines = [noted, *([tr("Handed to the secretary")] if item.is_handed else [])]
        lines += [f"{tr(name)}：{text}" for name, text in item.content]
        box.body.addWidget(label("\n".join(lines), "hint", wrap=True, copyable=True))
        for buttons in (self._buttons(item), self._links(item)):
            holder = QWidget()
            row = FlowLayout(holder, gap=theme.GAP_S)
            for made in buttons:
                made.setAccessibleDescription(title)
                row.addWidget(made)
            box.body.addWidget(holder)
        return box

    def _buttons(self, item: Item) -> list[ActionButton]:
        made = []
        if item.record_id or item.household_id or item.operations:
            go = button(tr("Go and put it right"), role="second", on_click=partial(self._repair, item))
            if self.first is None and not item.is_aside:
                self.first = go
                theme.set_role(go, "primary")
            made.append(go)
        made.append(button(tr("Send once more"), on_click=partial(self._retry, item)))
        return made

    def _links(self, item: Item) -> list[ActionButton]:
        aside = tr("Take it up again") if item.is_aside else tr("Leave it for later")
        made = [button(aside, role="link", on_click=partial(self._put_aside, item))]
        if item.is_mine and not item.is_handed and may_hand_on(self._context.session.viewer.roles):
            made.append(button(tr("Hand it to the secretary"), role="link", on_click=partial(self._hand_on, item)))
        if item.is_mine:
            made.append(button(tr("Save it as a file"), role="link", on_click=partial(self._export, item)))
        made.append(button(tr("Give it up"), role="link", on_click=partial(self._ask_dismiss, item)))
        return made

    def _toggle(self) -> None:
        self._shows_aside = not self._shows_aside
        self._fill(self._shown or ())

    # ------------------------------------------------------------------------------------------- doing

    def _repair(self, item: Item) -> None:
        me = self._context.session.account_id
        said = why(item.code)
        self._context.tasks.write(
            self, lambda store: repairs.begin(store, me, item, wrong=said), self._go, self._failed
        )

    def _go(self, repair: Repair | None) -> None:
        if repair is None:
            said = tr("It can't be put right in a form. Send it once more, or save it as a file for the station.")
            self._context.hub.notice.emit(Notice(said, tone=Tone.WARN))
            return
        if repair.is_busy:
            said = tr("There is a half-filled form already")
            advice = tr("Save that one first, then come back here: both are kept.")
            self._context.hub.notice.emit(Notice(said, advice, Tone.WARN))
        self._context.navigate(repair.page, **repair.target)

    def _retry(self, item: Item) -> None:
        def queued(_: object) -> None:
            self._changed()
            self._context.agent.sync_now()

        author = self._context.session.account_id
        again = partial(refused.retry, ops=item.ops, author=author)
        self._context.tasks.write(self, again, queued, self._failed)

    def _put_aside(self, item: Item) -> None:
        aside = not item.is_aside
        self._context.tasks.write(
            self,
            lambda store: refused.put_aside(store, item.ops, aside=aside),
            lambda _: self._moved(),
            self._failed,
        )

    def _hand_on(self, item: Item) -> None:
        me = self._context.session.account_id

        def handed(_: object) -> None:
            said = tr("Handed to the secretary")
            advice = tr("It stays on this PC as well, under what was put aside.")
            self._context.hub.notice.emit(Notice(said, advice, Tone.GOOD))
            self._changed()
            self._context.agent.sync_now()

        self._context.tasks.write(self, lambda store: refused.hand_on(store, me, item), handed, self._failed)

    def _export(self, item: Item) -> None:
        viewer = self._context.session.viewer

        def write(target: Path) -> None:
            def work(reader: Reader) -> Path:
                target.write_bytes(refused.export(reader.db, viewer, item))
                return target

            self._context.tasks.read(self, work, saved, self._failed, key="export")

        def saved(target: Path) -> None:
            said = tr("Saved as {file}").format(file=target.name)
            advice = tr("There are names in it: keep it safe, delete it when it is no longer needed.")
            self._context.hub.notice.emit(Notice(said, advice, Tone.GOOD))

        self._context.ask.pick_save(
            self,
            title=tr("Save it as a file"),
            filters=tr("Text") + " (*.json)",
            suggested=f"{tr('to be put right')}-{item.ops[0]}.json",
            then=write,
        )

    def _ask_dismiss(self, item: Item) -> None:
        self._context.ask.confirm(
            self,
            Question(
                title=tr("Give this up?"),
                advice=tr("What was written in it is then gone from this PC. Save it as a file first if it is needed."),
                yes=tr("Give it up"),
                is_danger=True,
            ),
            lambda: self._context.tasks.write(
                self, lambda store: refused.dismiss(store, item.ops), lambda _: self._moved(), self._failed
            ),
        )

    def _moved(self) -> None:
        self._changed()
        self._context.agent.recount()

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError | OSError) else Tone.ALARM
        self._context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))


def why(code: str) -> str:
    """Why the server did not take it; a few codes mean another thing there than on this PC."""
    if code in ("parent_missing", "unknown_record"):
        return tr(
            "What it belongs to has not reached the server. Send it once more when it has; nothing is typed anew."
        )
    said = code_words(code)
    return f"{said.title}　{said.advice}".strip("　")
