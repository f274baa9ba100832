"""Report a matter (报一件事, 新办事单) that was not raised at the door: at the counter, by phone, seen on the way."""

from datetime import date
from functools import partial
from typing import Any, ClassVar

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.demands.drafting import Drafting, texts_of
from desktop.pages.demands.new_form import NewDemandForm
from desktop.pages.page import Page, Touched
from desktop.texts import sentence, words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.labels import label, set_text
from desktop.widgets.pinned_bar import PinnedBar
from desktop.widgets.state_badge import StateBadge
from desktop.words.demands import STATES, badge_of, word
from sync.domain.calendar import day_of
from sync.domain.roles import STATION_ROLES
from sync.errors import QiaomenError, RuleError, StoreError
from sync.store import demand_places, demands, drafts
from sync.store.demand_rows import DemandRow
from sync.store.drafts import Draft
from sync.store.store import Store

_DRAFT_PAGE = "demand_new"
# What stays when the next matter is begun: the same person calls about several things of one place.
_STAYS = ("scope", "scope_id", "source", "raised_by", "anonymous", "raised_on")


class NewDemandPage(Page):
    """``open(household_id=…)`` or ``open(scope='building', scope_id=…)``; without either, a draft or an empty form."""

    name: ClassVar[str] = "demand_new"
    listens: ClassVar[frozenset[str]] = frozenset({"demand"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._key = ""
        self._scope_id = ""
        self._is_saving = False
        self._lay_out()
        self._drafting = Drafting(context, _DRAFT_PAGE, failed=self._not_kept, parent=self)
        self.form.changed.connect(self._drafting.touch)
        self.form.places.changed.connect(self._read_open)
        self.form.places.loaded.connect(self._read_open)

    def title(self) -> str:
        session = self.context.session
        at_station = session.is_open and session.viewer.has_any(STATION_ROLES)
        return tr("New work order") if at_station else tr("Report a matter")

    def hint(self) -> str:
        return tr("not raised on a visit")

    def open(self, **target: Any) -> None:
        """Show the form; a draft of the same target is offered again."""
        household_id = str(target.get("household_id") or "")
        scope = "household" if household_id else str(target.get("scope") or "household")
        scope_id = household_id or str(target.get("scope_id") or "")
        self._key = scope_id or "new"
        self.note_wrong(target)
        super().open()
        viewer, key = self.context.session.viewer, self._key
        self.context.tasks.read(
            self,
            lambda reader: drafts.find(reader.db, viewer, _DRAFT_PAGE, key),
            lambda draft: self._begin(scope, scope_id, draft),
            self._failed,
            key="draft",
        )

    def reload(self) -> None:
        self._read_open()

    def leave(self) -> None:
        self._drafting.keep_pending()

    def forget(self) -> None:
        self._drafting.end()
        self.form.begin({})
        self._show_open(())
        self.bar.set_hint("")

    def retranslate(self) -> None:
        self.heading_changed.emit()

    # ------------------------------------------------------------------------------------------- saving

    def save(self, *, another: bool = False) -> None:
        """Save (Ctrl+S) and show its card, or begin the next one."""
        if self._is_saving or not self.form.is_ready():
            return
        me, rules, key = self.context.session.account_id, self.context.rules, self._key
        intent, scope_id, values = self.form.intent(), self.form.places.scope_id(), self.form.values()

        def work(store: Store) -> Touched:
            touched = demands.record(store, me, intent, rules=rules, scope_id=scope_id)
            try:
                drafts.finish(store, me, _DRAFT_PAGE, key)
            except StoreError:
                pass  # it is on disk; a draft too many does no harm, a matter twice would
            return touched

        self._drafting.pause()
        self._set_saving(True)
        self.context.tasks.write(self, work, lambda touched: self._saved(touched, values, another), self._refused)

    def put_aside(self) -> None:
        """Leave the form; the draft is offered again."""
        if self.form.is_begun():
            self._drafting.keep_now()
        self.context.navigate("demands")

    def _saved(self, touched: Touched, values: dict[str, str], another: bool) -> None:
        self._set_saving(False)
        said = tr("Saved: {matter}").format(matter=values["title"])
        self.context.hub.notice.emit(Notice(said, tr("It can be changed back today."), Tone.GOOD))
        if another:
            self.form.begin({name: values[name] for name in _STAYS})
            self._drafting.begin(self._key, self.form.values)
            self.form.title.setFocus()
            return
        self._drafting.end()
        self.form.begin({})
        made = next(record_id for kind, record_id in touched if kind == "demand")
        self.context.navigate("demand", demand_id=made)

    def _refused(self, error: Exception) -> None:
        """A rule or the disk said no: beside its field where there is one; everything typed stays."""
        self._set_saving(False)
        self._drafting.keep_now()
        if isinstance(error, RuleError) and self.form.show_error(error.field, sentence(error)):
            return
        self._failed(error)

    def _set_saving(self, on: bool) -> None:
        self._is_saving = on
        for made in (self.save_button, self.another_button, self.aside_button):
            made.setEnabled(not on)

    # ------------------------------------------------------------------------------------------- showing

    def _lay_out(self) -> None:
        px = theme.current().px
        self.form = NewDemandForm(self.context, today=self._today)
        main = Card()
        self._open_card = Card(tr("Open at this place"))
        self._open_hint = label("", "secondary", wrap=True)
        self._open_box = QVBoxLayout()
        self._open_box.setSpacing(px(theme.GAP_M))
        self._open_card.add(self._open_hint)
        self._open_card.add(self._open_box)
        self._open_card.fill()
        self.bar = PinnedBar()
        self.save_button = self.bar.add(button(tr("Save"), role="primary", key="Ctrl+S", on_click=self.save))
        self.another_button = self.bar.add(
            button(tr("Save, one more"), role="second", on_click=lambda: self.save(another=True))
        )
        self.aside_button = self.bar.add(button(tr("Put aside (the draft is kept)"), on_click=self.put_aside))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(px(theme.GAP_XL), px(24), px(theme.GAP_XL), px(20))
        # From the outside in: whatever gets another parent is dressed anew with all that is in it.
        outer.addWidget(holder, 1)
        outer.addWidget(self.bar)
        inner.addWidget(ResponsiveColumns(main, [self._open_card], side_width=300, parent=holder))
        main.add(self.form)
        main.fill()

    def _begin(self, scope: str, scope_id: str, draft: Draft | None) -> None:
        fresh = {"scope": scope, "scope_id": scope_id, "source": self._usual_source()}
        kept = texts_of(draft) if draft is not None else {}
        self.form.begin({**fresh, **kept})
        self._drafting.begin(self._key, self.form.values)
        self.bar.set_hint(
            tr("Going on where you left it") if kept else tr("Kept while you type; a power cut loses nothing")
        )
        self.form.focus_first()
        self.show_wrong(self.form.show_error)
        self._read_open()

    def _usual_source(self) -> str:
        return "station" if self.context.session.viewer.has_any(STATION_ROLES) else "phone"

    def _read_open(self) -> None:
        """What is open there already, so that nothing is reported twice."""
        scope_id, rules, now = self.form.places.scope_id(), self.context.rules, self.context.now()
        if not scope_id or not self.context.session.is_open:
            self._show_open(())
            return
        viewer = self.context.session.viewer
        self.context.tasks.read(
            self,
            lambda reader: demand_places.open_at(reader.db, viewer, scope_id, rules=rules, now=now),
            self._show_open,
            self._failed,
            key="open",
        )

    def _show_open(self, rows: tuple[DemandRow, ...]) -> None:
        clear(self._open_box)
        if rows:
            hint = ""
        elif self.form.places.scope_id():
            hint = tr("Nothing is open here.")
        else:
            hint = tr("What is open at the chosen place stands here, so that nothing is reported twice.")
        set_text(self._open_hint, hint)
        for row in rows:
            tone, character = badge_of(row)
            badge = StateBadge(tone)
            badge.set_state(tone, character=character)
            line = QHBoxLayout()
            line.setSpacing(theme.current().px(theme.GAP_S))
            line.addWidget(badge)
            said = QVBoxLayout()
            said.addWidget(label(row.title, "strong", wrap=True))
            said.addWidget(label(word(STATES, row.state), "secondary", wrap=True))
            line.addLayout(said, 1)
            go = partial(self.context.navigate, "demand", demand_id=row.demand_id)
            opens = button(tr("Open"), role="link", on_click=go)
            opens.setAccessibleName(tr("Open: {matter}").format(matter=row.title))
            line.addWidget(opens)
            self._open_box.addLayout(line)

    def _not_kept(self, error: Exception) -> None:
        said = tr("The draft is on the screen only: {reason}").format(reason=words(error).title)
        self.bar.set_hint(said)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError) else Tone.ALARM
        self.context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))

    def _today(self) -> date:
        return date.fromisoformat(day_of(self.context.now()))
