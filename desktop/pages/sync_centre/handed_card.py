"""交给我的: what colleagues could not put right themselves and handed to the secretary, until it has been seen to."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import number, tr
from desktop.pages.sync_centre.refused_card import why
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from desktop.words.moments import moment_words
from sync.errors import QiaomenError
from sync.store import handed
from sync.store.handed import Handed


class HandedCard(Card):
    """Hidden while nothing waits; ``changed`` is called after something was seen to."""

    def __init__(self, context: Context, *, changed: Callable[[], object]) -> None:
        super().__init__(hint=tr("the server did not take it from them"))
        self._context = context
        self._changed = changed
        self._shown: tuple[Handed, ...] | None = None
        self.hide()

    def show_items(self, items: tuple[Handed, ...]) -> None:
        """Fill the card; nothing moves under the keyboard when nothing changed."""
        if items == self._shown:
            return
        self._shown = items
        self.setVisible(bool(items))
        self.set_title(tr("{n} handed to you by colleagues").format(n=number(len(items))))
        clear(self.body)
        for item in items:
            self.add(self._box(item))

    def forget(self) -> None:
        """The person left: nothing that was typed stays on the screen."""
        self._shown = None
        clear(self.body)
        self.hide()

    def _box(self, item: Handed) -> Box:
        box = Box()
        title = " ".join(part for part in (item.place, tr(item.kind_label) if item.kind_label else "") if part)
        box.setAccessibleName(title)
        box.body.addWidget(label(title, "strong", wrap=True))
        told = tr("What they were told: {why}").format(
            why=why(item.code).partition("　")[0]
        )  # not what they were to do
        box.body.addWidget(label(told, "secondary", wrap=True))
        noted = tr("Noted {when} by {name}").format(
            when=moment_words(item.made_at, now=self._context.now()), name=item.by or tr("somebody unknown")
        )
        lines = [noted, *(f"{tr(name)}：{text}" for name, text in item.content)]
        box.body.addWidget(label("\n".join(lines), "hint", wrap=True, copyable=True))
        holder = QWidget()
        row = FlowLayout(holder, gap=theme.GAP_S)
        done = button(tr("Seen to"), role="second", on_click=partial(self._see_to, item))
        done.setAccessibleDescription(title)
        row.addWidget(done)
        box.body.addWidget(holder)
        return box

    def _see_to(self, item: Handed) -> None:
        me = self._context.session.account_id
        self._context.tasks.write(
            self, lambda store: handed.see_to(store, me, item.id), lambda _: self._done(), self._failed
        )

    def _done(self) -> None:
        self._changed()
        self._context.agent.recount()

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError | OSError) else Tone.ALARM
        self._context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))
