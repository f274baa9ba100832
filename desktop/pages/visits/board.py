"""The board of a batch: the façade with what belongs to it, and the cards beside it."""

from datetime import date

from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.page import Page
from desktop.pages.visits.batch_extras import FillPanel, MatterPanel
from desktop.pages.visits.batch_marks import BatchMarks
from desktop.pages.visits.batch_side import DoorCard, HardCard, SheetCard
from desktop.pages.visits.keying import Keying
from desktop.pages.visits.no_doors import NoDoors
from desktop.pages.visits.occasion import Occasion
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.facade import Facade
from desktop.widgets.flow import ResponsiveColumns
from sync.domain.calendar import day_of, parse_day

_WRAPS_FROM = 130  # per cent of text size: the counts need a second line


class BatchBoard(Page):
    """The widgets; what they do is the page's business."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.round_name = ""
        self._lay_out()

    @property
    def marks(self) -> BatchMarks:
        """What the façade shows."""
        return self.keying.marks

    def title(self) -> str:
        return tr("Key in a building")

    def hint(self) -> str:
        parts = (self.marks.name, self.round_name, self.occasion.words() if self.marks.name else "")
        return " · ".join(part for part in parts if part)

    def today(self) -> str:
        """The day in China."""
        return day_of(self.context.now())

    def _lay_out(self) -> None:
        px = theme.current().px
        # From the outside in: whatever gets another parent is dressed anew with all that is in it.
        self.card = Card(tr("One key a door"))
        self.door_card, self.hard_card, self.sheet_card = DoorCard(), HardCard(), SheetCard()
        sides: list[QWidget] = [self.door_card, self.hard_card, self.sheet_card]
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(24), px(20), px(24), px(16))
        outer.addWidget(ResponsiveColumns(self.card, sides, side_width=310, parent=self))
        self.fill_button = button(tr("All others “nobody in” …"))
        self.card.add_action(self.fill_button)
        self.card.hint_label.setWordWrap(theme.current().percent > _WRAPS_FROM)
        self.occasion = Occasion(self._date)
        self.fill_panel = FillPanel()
        self.matter_panel = MatterPanel(self.context.rules.demand_categories)
        self.keying = Keying(self.context, self.occasion, self)
        self.facade = Facade()
        self.facade.set_typing(True)
        # It takes the room there is and scrolls by itself; its wish must not make the page scroll.
        self.facade.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.facade.setMinimumHeight(px(280))
        self.no_doors = NoDoors(self.context)
        for part in (self.no_doors, self.occasion, self.fill_panel, self.matter_panel):
            self.card.add(part)
        self.card.add(self.facade, stretch=1)
        self.card.body.addStretch(0)  # the doors take all the room; without doors the words stand at the top

    def show_any(self, there_are: bool) -> None:
        """The doors, or what has to be done before there are any."""
        self.no_doors.setVisible(not there_are)
        for part in (self.occasion, self.facade, self.fill_button, self.door_card, self.sheet_card):
            part.setVisible(there_are)
        if not there_are:
            self.hard_card.show_doors(())
            self.no_doors.begin()

    def _date(self) -> date:
        return parse_day(self.today())
