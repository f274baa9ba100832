"""Note a visit (记走访): one household, all by keyboard, kept as a draft while it is typed."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.page import Page
from desktop.pages.visits.drafting import Drafting
from desktop.pages.visits.form import VisitForm
from desktop.pages.visits.notices import say_details_changed, say_failed
from desktop.pages.visits.panels import Panels
from desktop.pages.visits.reading import Opened, read_form
from desktop.pages.visits.report_form import HarmCard, ReportForm
from desktop.pages.visits.side import PastCard
from desktop.pages.visits.start import StartPanel
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.pinned_bar import PinnedBar
from sync.domain.calendar import day_of
from sync.domain.visit_facts import VisitIntent
from sync.domain.visiting import as_change, band_at
from sync.errors import RuleError, StoreError
from sync.store import visits
from sync.store.store import Store
from sync.store.visits import Recorded


class VisitPage(Page):
    """Target: ``household_id``, with ``visit_id`` to put a visit of today right and ``queue`` of households to follow.

    Without a household the page helps to find one.
    """

    name = "visits"
    listens = frozenset({"visit", "demand", "privacy_notice", "household"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._account_id = self._household_id = self._visit_id = self._building_id = ""
        self._queue: tuple[str, ...] = ()
        self._keep: VisitIntent | None = None
        self._last_saved = ""
        self._is_saving = False
        self._lay_out()
        self.drafting = Drafting(self.context, self.form, said=self.bar.set_hint)
        self._connect()

    def title(self) -> str:
        return tr("Note a visit")

    def hint(self) -> str:
        return tr("done in a minute")

    # ------------------------------------------------------------------------------------------- opening

    def open(self, **target: Any) -> None:
        """Show the household's form, or the start panel."""
        self._account_id = self.context.session.account_id
        self._household_id = str(target.get("household_id") or "")
        self._visit_id = str(target.get("visit_id") or "")
        self._queue = tuple(target.get("queue") or ())
        self.note_wrong(target)
        super().open(**target)
        if not self._household_id:
            self._show_start()
            return
        # A draft that is just being kept (the page was built anew, a button was pressed) must be on disk first.
        asked = self._key
        self.context.tasks.write(self, lambda _: None, lambda _: self._read_form() if asked == self._key else None)

    def reload(self) -> None:
        """Read the side cards again; what is being typed stays."""
        if not self._household_id:
            self.start.reload()
            return
        viewer, household_id = self.context.session.viewer, self._household_id
        self.context.tasks.read(
            self,
            lambda reader: visits.timeline(reader.db, viewer, household_id),
            lambda past: self.past.show_visits(past, today=self._today()),
            key="past",
        )

    def leave(self) -> None:
        """Keep what was typed up to the last letter."""
        self.drafting.keep_now()

    def forget(self) -> None:
        """Leave nothing on the screen for the next person."""
        self.drafting.end()
        self._household_id = self._visit_id = ""
        self._keep = None
        self.past.show_visits((), today=self._today())
        for empty in (self.start.forget, self.form.clear, self.report.empty):
            empty()
        self._stack.show_panel(self.start)
        self.bar.hide()

    # ------------------------------------------------------------------------------------------- actions

    def save(self) -> None:
        """Save and go on to the next household (Ctrl+S)."""
        if self._is_saving or self._stack.current is not self.form or not self.form.is_ready():
            return
        account_id, visit_id, key, intent = self._account_id, self._visit_id, self._key, self.form.intent()

        def work(store: Store) -> Recorded:
            if visit_id:
                saved = visits.change(store, account_id, visit_id, intent)
            else:
                saved = visits.record(store, account_id, intent)
            Drafting.drop_after_save(store, account_id, key)
            return saved

        self.drafting.pause()
        self._set_saving(True)
        self.context.tasks.write(self, work, lambda saved: self._saved(saved, intent), self._failed)

    def save_for_station(self) -> None:
        """Save; what was said becomes a matter for the station first, when nothing was put on the list."""
        if not self.form.intent().demands and self.form.demand_form.isHidden():
            self.form.report_note()
            self.bar.set_hint(tr("Choose the category, then it goes to the station"))
            return
        self.save()

    def put_aside(self) -> None:
        """Leave the form; the draft is offered again."""
        self.context.navigate("visits")

    def undo(self, visit_id: str) -> None:
        """Take a visit of today back, with what was raised in it."""
        account_id = self._account_id
        self.context.tasks.write(
            self, lambda store: visits.undo(store, account_id, visit_id), self._undone, self._failed
        )

    # ------------------------------------------------------------------------------------------- inside

    def _lay_out(self) -> None:
        px = theme.current().px
        self._stack = Panels()
        self.past = PastCard()
        self.harm = HarmCard(self._open_report)
        columns = ResponsiveColumns(self._stack, [self.past, self.harm], side_width=300)
        self.bar = PinnedBar(hint=tr("Kept as you type; a power cut costs nothing"))
        self.save_button = self.bar.add(
            button(tr("Save, next household"), role="primary", key="Ctrl+S", on_click=self.save)
        )
        self.station_button = self.bar.add(
            button(tr("Save, report to the station"), role="second", on_click=self.save_for_station)
        )
        self.aside_button = self.bar.add(button(tr("Put aside (draft kept)"), on_click=self.put_aside))
        self.undo_button = self.bar.add(button("", role="link", on_click=lambda: self.undo(self._last_saved)))
        self.undo_button.hide()
        self.bar.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        inner = QWidget()
        box = QHBoxLayout(inner)
        box.setContentsMargins(px(24), px(24), px(24), px(20))
        box.addWidget(columns)
        outer.addWidget(inner, 1)
        outer.addWidget(self.bar)
        self.start = StartPanel(self.context)
        self.form = VisitForm(self.context.rules.demand_categories)
        self.report = ReportForm(self.context, on_back=self._back_from_report)
        for panel in (self.start, self.form, self.report):
            self._stack.add(panel)

    def _connect(self) -> None:
        self.form.changed.connect(self.drafting.touch)
        self.drafting.settled.connect(self._on_draft)
        self.start.household_chosen.connect(lambda household_id: self._go(household_id=household_id))
        self.start.phone_read.connect(self.harm.set_phone)
        self.start.change_asked.connect(lambda home, visit: self._go(household_id=home, visit_id=visit))
        self.start.undo_asked.connect(self.undo)
        self.start.batch_asked.connect(lambda: self.context.navigate("batch"))
        self.start.print_asked.connect(lambda: self.context.navigate("batch", print=True))

    def _go(self, **target: Any) -> None:
        self.context.navigate("visits", **target)

    @property
    def _key(self) -> str:
        return self._visit_id or self._household_id

    def _today(self) -> str:
        return day_of(self.context.now())

    def _read_form(self) -> None:
        viewer, today = self.context.session.viewer, self._today()
        household_id, visit_id = self._household_id, self._visit_id
        self.context.tasks.read(
            self,
            lambda reader: read_form(reader.db, viewer, household_id, visit_id=visit_id, today=today),
            self._show_form,
            self._failed,
            key="form",
        )

    def _show_form(self, found: Opened) -> None:
        if found.header is None or (self._visit_id and found.known is None):
            self._failed(RuleError("household_id", "unknown_household"))
            self.context.navigate("visits")
            return
        header = found.header
        self._building_id = header.building_id
        band = band_at(self.context.now(), calendar=self.context.rules.calendar)
        round_name = found.campaign.round_name if found.campaign else ""
        self._stack.show_panel(self.form)
        self.form.begin(header, today=self._today(), band=band, round_name=round_name, keep=self._keep)
        self._keep = None
        if found.known is not None:
            self.form.load(as_change(found.known))
        self.drafting.begin(self._account_id, self._key)
        self.bar.show()
        self.station_button.setVisible(found.known is None)
        self.past.show_visits(found.past, today=self._today())
        self.past.show()
        self.harm.set_phone(found.phone)
        if found.draft is not None and self.drafting.restore(found.draft):
            self.bar.set_hint(tr("Going on where you left it"))
        self.show_wrong(self.form.show_error)
        self._set_saving(False)

    def _set_saving(self, on: bool) -> None:
        self._is_saving = on
        for made in (self.save_button, self.station_button, self.aside_button):
            made.setEnabled(not on)

    def _saved(self, saved: Recorded, intent: VisitIntent) -> None:
        self._set_saving(False)
        room = self.form.title_label.text().split(" ")[0]
        self._last_saved = saved.visit_id
        self.undo_button.set_words(tr("Change {room} back").format(room=room))
        self.undo_button.show()
        said = tr("{room} saved").format(room=room)
        if intent.demands:
            said = tr("{room} saved, {n} for the station").format(room=room, n=len(intent.demands))
        self.bar.set_hint(said)
        if intent.change_flags and not self._visit_id:
            say_details_changed(self.context, room, intent.household_id)
        if self._visit_id:
            self.context.navigate("visits")
            return
        self._keep = intent
        if self._queue:
            self._go(household_id=self._queue[0], queue=self._queue[1:])
            return
        viewer = self.context.session.viewer
        self.context.tasks.read(
            self,
            lambda reader: visits.next_door(reader.db, viewer, intent.household_id),
            lambda following: self._go(household_id=following) if following else self._go(),
        )

    def _undone(self, _: Recorded) -> None:
        self.undo_button.hide()
        self._last_saved = ""
        self.bar.set_hint(tr("Changed back"))
        self.reload()

    def _failed(self, error: Exception) -> None:
        self._set_saving(False)
        self.drafting.touch()
        if isinstance(error, RuleError) and self.form.show_error(error.field, words(error).title):
            return
        say_failed(self.context, error, again=self.save if isinstance(error, StoreError) else None)

    # ------------------------------------------------------------------------------------------- start panel

    def _on_draft(self) -> None:
        if self._stack.current is self.start and self.context.session.is_open:
            self.start.reload()

    def _show_start(self) -> None:
        self.drafting.end()
        self._stack.show_panel(self.start)
        self.bar.setVisible(False)
        self.past.hide()
        self.start.search.setFocus()

    # ------------------------------------------------------------------------------------------- report

    def _open_report(self) -> None:
        self._stack.show_panel(self.report)
        self.bar.hide()
        building_id = self._building_id if self._household_id else None
        self.report.begin(building_id=building_id, household_id=self._household_id or None)

    def _back_from_report(self) -> None:
        self._stack.show_panel(self.form if self._household_id else self.start)
        self.bar.setVisible(bool(self._household_id))
