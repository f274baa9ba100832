"""Behind the card: what was asked for, visits, the people, what was changed; for the station, who looks in."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.pages.households.reading import Opened
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.labels import label, line
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.state_badge import StateBadge
from desktop.widgets.tabs import Tabs
from desktop.widgets.timeline import Timeline, TimelineEntry
from desktop.words.demands import EVALUATIONS, MOVES, STATES, badge_of
from desktop.words.demands import word as demand_word
from desktop.words.households import CARE_LEVELS, OUTCOMES, SEXES, word
from desktop.words.sync import short_state
from sync.domain.calendar import CHINA, day_of
from sync.domain.catalogue import KINDS
from sync.domain.categories import DemandCategories
from sync.domain.categories import label as category_label
from sync.domain.pairing import PairingIntent
from sync.store.demand_rows import DemandRow
from sync.store.households import Change, ResidentRow

DEMANDS, VISITS, PEOPLE, CHANGES, CARE = range(5)


class HouseholdTabs(Card):
    """Shows an ``Opened`` household; what is clicked is told, nothing is done here."""

    demand_asked = Signal(str, str)  # demand id, move
    move_out_asked = Signal(str)  # resident id
    reveal_asked = Signal(str)  # resident id
    pairing_made = Signal(object)  # PairingIntent
    pairing_ended = Signal(str)

    def __init__(self, categories: DemandCategories) -> None:
        super().__init__()
        self._categories = categories
        self._opened: Opened | None = None
        self._today = ""
        self._numbers: dict[str, str] = {}
        self.tabs = Tabs(tr("More about the household"))
        self._boxes: list[QVBoxLayout] = []
        self._contents: list[QWidget] = []
        self._has_care = False
        for _ in range(4):
            self._add_tab()
        self.tabs.changed.connect(self._fit)
        self.add(self.tabs)
        self.fill()

    def show_household(self, opened: Opened, *, today: str) -> None:
        """Fill every tab."""
        if self._opened is None or self._opened.card.household_id != opened.card.household_id:
            self._numbers = {}
        self._opened, self._today = opened, today
        if opened.card.may_care and not self._has_care:
            self._has_care = True
            self._add_tab()
        living = [person for person in opened.card.residents if person.lives_here]
        for place, (title, count) in enumerate(
            (
                (tr("Demands"), len(opened.demands)),
                (tr("Visits"), opened.card.visits),
                (tr("At home"), len(living)),
                (tr("Changes"), None),
                (tr("Care"), len(opened.pairings)),
            )[: len(self._boxes)]
        ):
            self.tabs.set_title(place, title, count=count)
        for box in self._boxes:
            clear(box)
        self._show_demands(opened.demands, today=today)
        self._show_visits(opened, today=today)
        self._show_people(opened.card.residents, may_edit=opened.card.may_edit)
        self._show_changes(opened.changes, today=today)
        if self._has_care:
            self._show_care(opened)
        for box in self._boxes:
            box.addStretch(1)
        self._fit(self.tabs.current)

    def show_number(self, resident_id: str, number: str) -> None:
        """The number that was asked for, as long as this household is shown."""
        self._numbers[resident_id] = number
        if self._opened is not None:
            self.show_household(self._opened, today=self._today)

    def _fit(self, shown: int) -> None:
        """Only the tab that is shown asks for height."""
        for place, content in enumerate(self._contents):
            policy = QSizePolicy.Policy.Preferred if place == shown else QSizePolicy.Policy.Ignored
            content.setSizePolicy(QSizePolicy.Policy.Preferred, policy)

    def _add_tab(self) -> None:
        content = QWidget()
        self._contents.append(content)
        box = QVBoxLayout(content)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        self._boxes.append(box)
        self.tabs.add("", content)

    # ------------------------------------------------------------------------------------------- the tabs

    def _show_demands(self, rows: Sequence[DemandRow], *, today: str) -> None:
        box = self._boxes[DEMANDS]
        if not rows:
            box.addWidget(_empty(tr("Nothing was asked for yet. What residents say on a visit will stand here.")))
        for row in rows:
            if box.count():
                box.addWidget(line())
            box.addWidget(self._demand(row, today=today))

    def _demand(self, row: DemandRow, *, today: str) -> QWidget:
        tone, character = badge_of(row)
        category = "" if row.is_sensitive else category_label(self._categories, row.category)
        raised = short_day(day_of(row.reported_at), today=today)
        note = " · ".join(part for part in (category, raised, row.recorded_by_name) if part)
        state = demand_word(STATES, row.state)
        if row.evaluation:
            state = f"{state} · {demand_word(EVALUATIONS, row.evaluation)}"
        elif row.partner_name:
            state = f"{row.partner_name} · {state}"
        if short := short_state(row.sync):
            state = f"{state} · {short}"
        is_untold = row.state == "resolved"
        action = button(
            tr(MOVES["reply"]) if is_untold else tr("Look"),
            role="second" if is_untold else "",
            on_click=lambda: self.demand_asked.emit(row.demand_id, "reply" if is_untold else ""),
        )
        action.setAccessibleName(f"{action.words} {row.title}")
        return _row(StateBadge(tone, character=character), row.title, note, state, action)

    def _show_visits(self, opened: Opened, *, today: str) -> None:
        entries = []
        for visit in opened.visits:
            asked = tr(", ", "list").join(title for title, _ in visit.demands)
            said = " · ".join(part for part in (visit.note, asked, short_state(visit.sync)) if part)
            day = short_day(visit.visited_on, today=today)
            title = f"{day} {word(OUTCOMES, visit.outcome)}"
            entries.append(TimelineEntry(title, said, visit.round_name))
        box = self._boxes[VISITS]
        if entries:
            box.addWidget(Timeline(entries))
        else:
            box.addWidget(_empty(tr("No visit yet. The first one is noted with the blue button.")))

    def _show_people(self, people: Sequence[ResidentRow], *, may_edit: bool) -> None:
        box = self._boxes[PEOPLE]
        if not people:
            box.addWidget(_empty(tr("Nobody is written down yet. Add people with Change.")))
        for person in people:
            if box.count():
                box.addWidget(line())
            box.addWidget(self._person(person, may_edit=may_edit))

    def _person(self, person: ResidentRow, *, may_edit: bool) -> QWidget:
        marks = [tr("Householder")] if person.is_householder else []
        marks += [person.relation] if person.relation else []
        marks += [word(SEXES, person.sex)] if person.sex != "unknown" else []
        marks += [tr("born {year}").format(year=person.birth_year)] if person.birth_year else []
        number = self._numbers.get(person.resident_id, person.phone)
        actions = QWidget()
        row = QHBoxLayout(actions)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(theme.GAP_S))
        if person.phone and person.resident_id not in self._numbers:
            show = button(tr("Show"), role="link", on_click=lambda: self.reveal_asked.emit(person.resident_id))
            show.setAccessibleDescription(tr("That you looked is noted"))
            show.setToolTip(tr("That you looked is noted"))
            row.addWidget(show)
        if may_edit and person.lives_here:
            gone = button(tr("Moved out"), on_click=lambda: self.move_out_asked.emit(person.resident_id))
            gone.setAccessibleName(f"{gone.words} {person.name}")
            row.addWidget(gone)
        tone = "quiet"
        letter = person.name[:1] if person.lives_here else "—"
        said = number if person.lives_here else tr("lives here no longer")
        return _row(
            StateBadge(tone, character=letter, words=person.name), person.name, " · ".join(marks), said, actions
        )

    def _show_changes(self, changes: Sequence[Change], *, today: str) -> None:
        entries = []
        for change in changes:
            day = short_day(day_of(change.at), today=today)
            clock = datetime.fromtimestamp(change.at / 1000, CHINA).strftime("%H:%M")
            kind = KINDS["resident" if change.subject else "household"]
            named = [tr(kind.fields[name].label) for name in change.fields if name in kind.fields]
            what = tr("written down") if change.is_new else tr(", ", "list").join(named)
            title = " ".join(part for part in (day, clock, change.subject) if part)
            note = tr("not sent yet") if change.waits else ""
            entries.append(TimelineEntry(title, " · ".join(part for part in (what, change.who) if part), note))
        box = self._boxes[CHANGES]
        if entries:
            box.addWidget(Timeline(entries))
        else:
            box.addWidget(_empty(tr("Nothing was changed yet.")))

    # ------------------------------------------------------------------------------------------- care, at the station

    def _show_care(self, opened: Opened) -> None:
        box = self._boxes[CARE]
        for pairing in opened.pairings:
            end = button(tr("End it today"), on_click=partial(self.pairing_ended.emit, pairing.pairing_id))
            who = " · ".join(part for part in (pairing.responsible, pairing.substitute) if part)
            since = tr("since {day}").format(day=pairing.since)
            badge = StateBadge("quiet", character=tr("C", note="care badge"), words=tr("Care"))
            box.addWidget(_row(badge, who, since, word(CARE_LEVELS, pairing.level), end))
            box.addWidget(line())
        for hint in opened.hints:
            told = tr("{who} told the station {day}").format(who=hint.by, day=hint.on)
            badge = StateBadge("quiet", character=tr("H", note="hint badge"), words=tr("Hint"))
            box.addWidget(_row(badge, hint.note, told, "", None))
            box.addWidget(line())
        level = OptionRow([Option(code, tr(text)) for code, text in CARE_LEVELS.items()], name=tr("How often"))
        level.set_value("B")
        who_box = QComboBox()
        who_box.setAccessibleName(tr("Who looks in"))
        for person in opened.colleagues:
            who_box.addItem(person.name, person.id)
        made = button(
            tr("Somebody looks in from now on"),
            role="second",
            on_click=lambda: self.pairing_made.emit(
                PairingIntent(
                    household_id=opened.card.household_id,
                    responsible_id=str(who_box.currentData() or ""),
                    level=level.value(),
                )
            ),
        )
        box.addSpacing(theme.current().px(theme.GAP_M))
        box.addWidget(
            label(tr("Only the day of the next visit is shown to building heads, never the reason."), "hint", wrap=True)
        )
        box.addSpacing(theme.current().px(theme.GAP_S))
        box.addWidget(level)
        row = QHBoxLayout()
        row.addWidget(who_box, 1)
        row.addWidget(made)
        box.addSpacing(theme.current().px(theme.GAP_S))
        box.addLayout(row)


def _empty(text: str) -> QWidget:
    return label(text, "secondary", wrap=True)


def _row(badge: QWidget, title: str, note: str, state: str, action: QWidget | None) -> QWidget:
    px = theme.current().px
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, px(8), 0, px(8))
    row.setSpacing(px(14))
    words = QVBoxLayout()
    words.setSpacing(px(1))
    words.addWidget(label(title, "strong", wrap=True))
    if note:
        words.addWidget(label(note, "secondary", wrap=True))
    row.addWidget(badge)
    row.addLayout(words, 3)
    row.addWidget(label(state, "secondary", wrap=True), 2)
    if action is not None:
        row.addWidget(action)
    return holder
