"""The parts of the households page and how they stand: the list beside the household, or one of them at a time."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.pages.households.building_form import BuildingForm
from desktop.pages.households.card import FactsCard
from desktop.pages.households.door_list import DoorList
from desktop.pages.households.form import CardForm
from desktop.pages.households.nothing import NothingCard
from desktop.pages.households.tabs import HouseholdTabs
from desktop.pages.page import Page
from desktop.widgets.buttons import button
from desktop.widgets.flow import TWO_FROM, PageScroll

_LIST = 290  # design pixels of the list of doors
NOTHING, CARD, FORM = range(3)  # what stands on the right


class HouseholdsBoard(Page):
    """The widgets; what they do is the page's business."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.doors = DoorList(context)
        self.facts = FactsCard()
        self.more = HouseholdTabs(context.rules.demand_categories)
        self.form = CardForm()
        self._building_form: BuildingForm | None = None
        self.back = button("")
        self.nothing = NothingCard()
        self.right = QStackedWidget()
        self.browse = QWidget()
        self.stack = QStackedWidget()
        self._columns = QHBoxLayout(self.browse)
        self._lay_out()

    @property
    def building_form(self) -> BuildingForm:
        """The form of a new building, made when it is first wanted: most people never make one."""
        if self._building_form is None:
            self._building_form = BuildingForm()
            self.stack.addWidget(self._building_form)
        return self._building_form

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def _lay_out(self) -> None:
        # From the outside in: whatever gets another parent is dressed anew with all that is in it.
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)
        self.stack.addWidget(self.browse)
        self._columns.setSpacing(px(theme.GAP_L))
        self._columns.addWidget(self.doors)
        self._columns.addWidget(self.right, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(18))
        for part in (self.nothing, PageScroll(content), self.form):
            self.right.addWidget(part)
        column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.facts)
        column.addWidget(self.more, 1)

    def is_narrow(self) -> bool:
        """Whether the list and the household have room for one of them only."""
        return self.window().width() / theme.current().scale < TWO_FROM

    def fit(self) -> None:
        """In a narrow window either the list or the household is shown."""
        px = theme.current().px
        narrow = self.is_narrow()
        chosen = self.right.currentIndex() != NOTHING
        self.back.setVisible(narrow)
        self.doors.setVisible(not narrow or not chosen)
        self.right.setVisible(not narrow or chosen)
        self.doors.setMinimumWidth(0 if narrow else px(_LIST))
        self.doors.setMaximumWidth(16_777_215 if narrow else px(_LIST))
        side, top = (px(theme.GAP_M), px(12)) if narrow else (px(theme.GAP_XL), px(24))
        self._columns.setContentsMargins(side, top, side, top)
