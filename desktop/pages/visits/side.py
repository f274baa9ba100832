"""The card beside the form: what was noted about this household before; of other people's visits the outcome only."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from desktop.i18n import short_day, tr
from desktop.pages.visits import choices
from desktop.widgets.card import Card
from desktop.widgets.labels import label, set_text
from desktop.widgets.timeline import Timeline, TimelineEntry
from desktop.words.sync import short_state
from sync.store.visits import PastVisit

# A demand in one of these needs nothing more from the person at the door.
_SHOWN = 4  # the card below, which says whom to call first, must stay in sight
_DONE = frozenset(("answered_on_spot", "resolved", "replied", "evaluated", "archived"))


class PastCard(Card):
    """The household's timeline, newest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("This household"), hint=tr("what I noted"), parent=parent)
        self._empty = label("", "secondary", wrap=True)
        self.timeline = Timeline()
        self._older = label("", "secondary", wrap=True)
        self.add(self._empty)
        self.add(self.timeline)
        self.add(self._older)
        self.fill()

    def show_visits(self, visits: Sequence[PastVisit], *, today: str) -> None:
        """Show these, or say what will stand here."""
        self.timeline.set_entries([_entry(visit, today) for visit in visits[:_SHOWN]])
        older = len(visits) - _SHOWN
        set_text(self._older, tr("{n} earlier ones in the household's card").format(n=older) if older > 0 else "")
        set_text(self._empty, "" if visits else tr("Nothing noted yet. What you save stands here from then on."))


def _entry(visit: PastVisit, today: str) -> TimelineEntry:
    day = short_day(visit.visited_on, today=today)
    outcome = choices.words(choices.OUTCOMES, visit.outcome)
    if not visit.is_own and not visit.reasons and not visit.note:
        return TimelineEntry(title=day, text=tr("Noted by somebody else: {outcome}").format(outcome=outcome))
    why = [
        visit.round_name if reason == "campaign" and visit.round_name else choices.words(choices.REASONS, reason)
        for reason in visit.reasons
    ]
    said = [outcome, *(_matter(title, state) for title, state in visit.demands)]
    if visit.note:
        said.append(visit.note)
    elif not visit.demands and visit.outcome == "met":
        said.append(tr("nothing new"))
    note = short_state(visit.sync) if visit.is_own else tr("by a colleague")
    return TimelineEntry(title=" ".join((day, *why)), text=" · ".join(said), note=note)


def _matter(title: str, state: str) -> str:
    word = tr("done", "matter") if state in _DONE else tr("under way", "matter")
    return f"{title} → {word}"
