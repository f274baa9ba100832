"""The cards beside the list: the colours of one's building, the visits of the coming days, residents to be told."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import number, tr
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.labels import label, set_text
from desktop.widgets.share_bar import Counts, ShareBar
from desktop.words.households import near_words
from sync.domain.colours import AreaCounts
from sync.store.demand_rows import DemandRow
from sync.store.today import AreaShare, VisitDue

_NAMES = ("red", "yellow", "green", "grey")


class ShareCard(Card):
    """Four numbers and a bar, for the head's buildings or the station's compounds together."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout()
        self._numbers = {}
        self._names = {}
        for name in _NAMES:
            column = QVBoxLayout()
            column.setSpacing(0)
            self._numbers[name] = label("–", "big", tone=name)
            self._names[name] = label("", "secondary")
            for shown in (self._numbers[name], self._names[name]):
                shown.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                column.addWidget(shown)
            row.addLayout(column, 1)
        self._bar = ShareBar()
        self.add(row)
        self.add(self._bar)
        self.retranslate(is_building=True)

    def retranslate(self, *, is_building: bool) -> None:
        """The words again."""
        self.set_title(tr("My building") if is_building else tr("My compound"))
        for name, word in zip(
            _NAMES,
            (tr("U", note="badge"), tr("C", note="badge"), tr("S", note="badge"), tr("N", note="badge")),
            strict=True,
        ):
            self._names[name].setText(word)

    def show_shares(self, shares: Sequence[AreaShare]) -> None:
        """Fill in the numbers; several areas are added up."""
        self.retranslate(is_building=all(share.is_building for share in shares))
        total = sum((share.counts for share in shares), AreaCounts())
        households = sum(share.households for share in shares)
        names = tr(", ", "list").join(share.name for share in shares[:2])
        if len(shares) > 2:
            names = tr("{n} areas").format(n=len(shares))
        self.set_hint(tr("{place} · {n} households").format(place=names, n=number(households)) if shares else "")
        for name in _NAMES:
            self._numbers[name].setText(number(getattr(total, name)))
        self._bar.set_counts(
            Counts(red=total.red, yellow=total.yellow, green=total.green, grey=total.grey, blank=total.blank)
        )


class ListCard(Card):
    """A few lines, each a place to go to; a sentence when there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._holder = QWidget()
        self._lines = QVBoxLayout(self._holder)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(theme.current().px(4))
        self._empty = label("", "secondary", wrap=True)
        self.add(self._holder)
        self.add(self._empty)

    def show_lines(self, lines: Sequence[tuple[str, str, Callable[[], object]]], *, empty: str) -> None:
        """(place, words, what a click opens) each."""
        clear(self._lines)
        for place, words, on_click in lines:
            holder = QWidget()
            row = QHBoxLayout(holder)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(theme.current().px(theme.GAP_M))
            opened = button(place, role="link", on_click=on_click)
            opened.setAccessibleName(f"{place} {words}")
            row.addWidget(opened, 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(label(words, wrap=True), 1)
            self._lines.addWidget(holder)
        self._holder.setVisible(bool(lines))
        set_text(self._empty, "" if lines else empty)


def show_near(
    card: ListCard, near: Sequence[VisitDue], count: int, *, today: str, on_click: Callable[[str], object]
) -> None:
    """The visits of the coming seven days."""
    card.set_title(tr("Visits coming up"))
    card.set_hint(tr("{n} within 7 days").format(n=number(count)) if count else "")
    lines = [
        (visit.place, near_words(visit.due_on, today=today), lambda visit=visit: on_click(visit.household_id))
        for visit in near
    ]
    card.show_lines(lines, empty=tr("Nobody is waiting for a visit this week."))


def show_untold(card: ListCard, untold: Sequence[DemandRow], *, on_click: Callable[[str], object]) -> None:
    """Solved demands whose residents do not know yet."""
    card.set_title(tr("Residents not told yet"))
    card.set_hint(tr("done is only done when they know"))
    lines = [(row.place, row.title, lambda row=row: on_click(row.demand_id)) for row in untold[:5]]
    card.show_lines(lines, empty=tr("All residents know what became of their demands."))
