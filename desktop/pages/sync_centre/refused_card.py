"""Refused records as work: what it is, why in a sentence, what was written in it, and the ways to put it right."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import number, tr
from desktop.pages.sync_centre.moments import moment_words
from desktop.texts import code_words
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from sync.store import outbox
from sync.store.refused import Item

_BY_RECORD = {"demand": ("demand", "demand_id"), "dispute": ("disputes", "dispute_id"), "visit": ("visits", "visit_id")}


class RefusedCard(Card):
    """Hidden while there is nothing to do; ``changed`` is called after something was sent again or given up."""

    def __init__(self, context: Context, *, changed: Callable[[], object]) -> None:
        super().__init__(hint=tr("nothing is lost"))
        self._context = context
        self._changed = changed
        self.hide()

    def show_items(self, items: tuple[Item, ...]) -> None:
        """Fill the card."""
        self.setVisible(bool(items))
        self.set_title(tr("{n} to be put right and sent again").format(n=number(len(items))))
        clear(self.body)
        for item in items:
            self.add(self._box(item))

    def _box(self, item: Item) -> Box:
        box = Box()
        title = " ".join(part for part in (item.place, tr(item.kind_label)) if part)
        box.body.addWidget(label(title, "strong", wrap=True))
        box.body.addWidget(label(_why(item.code), "secondary", wrap=True))
        noted = tr("Noted {when}").format(when=moment_words(item.made_at, now=self._context.now()))
        lines = [noted, *(f"{tr(name)}: {text}" for name, text in item.content)]
        box.body.addWidget(label("\n".join(lines), "hint", wrap=True, copyable=True))
        holder = QWidget()
        row = FlowLayout(holder, gap=theme.GAP_S)
        target = _target(item)
        if target is not None:
            page, values = target
            row.addWidget(
                button(
                    tr("Go and put it right"), role="second", on_click=lambda: self._context.navigate(page, **values)
                )
            )
        row.addWidget(button(tr("Send once more"), on_click=lambda: self._retry(item.op)))
        row.addWidget(button(tr("Give it up"), on_click=lambda: self._ask_dismiss(item.op)))
        box.body.addWidget(holder)
        return box

    def _retry(self, op: int) -> None:
        def queued(_: object) -> None:
            self._changed()
            self._context.agent.sync_now()

        self._context.tasks.write(self, lambda store: outbox.retry(store, op), queued)

    def _ask_dismiss(self, op: int) -> None:
        self._context.ask.confirm(
            self,
            Question(
                title=tr("Give this up?"),
                advice=tr("What was written in it is then gone from this PC. Copy it first if it is still needed."),
                yes=tr("Give it up"),
                is_danger=True,
            ),
            lambda: self._context.tasks.write(self, lambda store: outbox.dismiss(store, op), self._dismissed),
        )

    def _dismissed(self, _: object) -> None:
        self._changed()
        self._context.agent.recount()


def _why(code: str) -> str:
    """Why the server did not take it; a few codes mean another thing there than on this PC."""
    if code in ("parent_missing", "unknown_record"):
        return tr(
            "What it belongs to has not reached the server. Send it once more when it has; nothing is typed anew."
        )
    said = code_words(code)
    return f"{said.title}　{said.advice}".strip("　")


def _target(item: Item) -> tuple[str, dict[str, str]] | None:
    """The page where it can be put right; the household's when the record itself is not here any more."""
    if item.record_id and item.kind in _BY_RECORD:
        page, name = _BY_RECORD[item.kind]
        return page, {name: item.record_id}
    if item.household_id:
        page = "visits" if item.kind == "visit" else "households"
        return page, {"household_id": item.household_id}
    return None
