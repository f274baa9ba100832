"""How the needs map lies on the page: tools and legend above; three cards, two, or the one the keyboard is on."""

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.needs_map.cards import FacadeCard, PlanCard
from desktop.pages.needs_map.legend import Legend
from desktop.pages.needs_map.panel import HouseholdPanel
from desktop.widgets.buttons import button
from desktop.widgets.flow import TWO_FROM, WIDE_FROM, FlowLayout, PageScroll
from sync.domain.categories import DemandCategories
from sync.domain.colour_rules import RuleSet

PLAN, FACADE, HOUSEHOLD = 0, 1, 2
# The façade gets the rest: at 1366 pixels up to ten doors stand side by side in it.
_PLAN_WIDTH, _PANEL_WIDTH, _CARD_GAP = 318, 250, 14
_CARD_SHARE = 0.92  # of the height, for the one card that large letters leave room for
_EDGE = 16
_UNLIMITED = 16_777_215


class MapView(QWidget):
    """The widgets of the page without its doings."""

    def __init__(self, rules: RuleSet) -> None:
        super().__init__()
        self._level, self._has_plan, self._mode = FACADE, False, ""
        self._is_empty = False
        self._is_table = False
        px = theme.current().px
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        self._content = QWidget()
        self._scroll = PageScroll(self._content)
        whole.addWidget(self._scroll)
        outer = QVBoxLayout(self._content)
        outer.setContentsMargins(px(theme.GAP_XL), px(_EDGE), px(theme.GAP_XL), px(_EDGE))
        outer.setSpacing(px(theme.GAP_M))
        bar = QHBoxLayout()
        bar.setSpacing(px(theme.GAP_M))
        self._tools = QWidget()
        flow = FlowLayout(self._tools)
        self.back_button = button(tr("Back"))
        self.category = QComboBox()
        self.category.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.table_button = button(tr("As a table"), key="Ctrl+T")
        self.print_button = button(tr("Print"), key="Ctrl+P")
        for widget in (self.back_button, self.category, self.table_button):
            flow.addWidget(widget)
        bar.addWidget(self._tools, 1)
        bar.addWidget(self.print_button, 0, Qt.AlignmentFlag.AlignTop)
        outer.addLayout(bar)
        self.legend = Legend(rules)
        outer.addWidget(self.legend)
        self.plan = PlanCard()
        self.facade = FacadeCard()
        self.panel = HouseholdPanel()
        row = QHBoxLayout()
        row.setSpacing(px(_CARD_GAP))
        row.addWidget(self.plan)
        row.addWidget(self.facade, 1)
        row.addWidget(self.panel)
        outer.addLayout(row, 1)

    def retranslate(self, categories: DemandCategories, *, chosen: str) -> None:
        """Write the tools and cards anew in the language of the screen."""
        self._show_table_button()
        self.print_button.set_words(tr("Print"))
        self.back_button.set_words(tr("Back"))
        self.legend.retranslate()
        self.plan.retranslate()
        self.category.blockSignals(True)
        self.category.clear()
        self.category.setAccessibleName(tr("Category"))
        self.category.addItem(tr("Category: all"), "")
        for entry in categories.category:
            self.category.addItem(tr("Category: {name}").format(name=entry.label), entry.code)
        self.category.setCurrentIndex(max(0, self.category.findData(chosen)))
        self.category.blockSignals(False)

    def toggle_table(self) -> None:
        """Tables in place of the pictures, and back."""
        self._is_table = not self._is_table
        self.plan.set_table(self._is_table)
        self.facade.set_table(self._is_table)
        self._show_table_button()

    def show_part(self, level: int) -> None:
        """Scroll to a card, once the layout has its sizes."""
        part = (self.plan, self.facade, self.panel)[level]
        QTimer.singleShot(0, part, lambda: self._scroll.show_widget(part))

    def arrange(self, *, level: int, has_plan: bool, is_empty: bool = False) -> None:
        """Show the cards that there is room for around this level; of an empty community one that teaches."""
        self._level, self._has_plan, self._is_empty = level, has_plan, is_empty
        look = theme.current()
        effective = self.window().width() / look.scale
        self._mode = "wide" if effective >= WIDE_FROM else "two" if effective >= TWO_FROM else "single"
        plan, facade, panel = self._shown()
        self.plan.setVisible(plan)
        self.facade.setVisible(facade)
        self.panel.setVisible(panel)
        for part, width in ((self.plan, _PLAN_WIDTH), (self.panel, _PANEL_WIDTH)):
            if facade:
                part.setFixedWidth(look.px(width))
            else:
                part.setMinimumWidth(0)
                part.setMaximumWidth(_UNLIMITED)
        self.back_button.setVisible(self._mode != "wide" and level > (PLAN if has_plan else FACADE))
        for tool in (self._tools, self.legend, self.print_button):
            tool.setVisible(not is_empty)
        self.show_enter()
        self._fit_height()

    def show_enter(self) -> None:
        """Name the button that leads one level on, where the next level is not beside this one."""
        alone = self._mode == "single" and not self._is_empty
        self.plan.set_enter(alone, self.facade.building)
        self.facade.set_enter(alone)

    def _shown(self) -> tuple[bool, bool, bool]:
        if self._is_empty:
            return False, True, False
        level, has_plan = self._level, self._has_plan
        if self._mode == "wide":
            return has_plan, True, True
        if self._mode == "two":
            return has_plan and level == PLAN, True, not has_plan or level != PLAN
        return has_plan and level == PLAN, level == FACADE or (level == PLAN and not has_plan), level == HOUSEHOLD

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange(level=self._level, has_plan=self._has_plan, is_empty=self._is_empty)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.arrange(level=self._level, has_plan=self._has_plan, is_empty=self._is_empty)

    def _fit_height(self) -> None:
        """A wide page fits its window; with large letters it scrolls, and a card gets nearly the whole height."""
        if self._mode == "wide":
            self._content.setFixedHeight(self.height())
            return
        px = theme.current().px
        inner = self.width() - 2 * px(theme.GAP_XL)
        tools = self._tools.heightForWidth(inner - self.print_button.sizeHint().width())
        above = tools + self.legend.heightForWidth(inner) + px(2 * _EDGE + 2 * theme.GAP_M)
        self._content.setFixedHeight(max(self.height(), above + round(self.height() * _CARD_SHARE)))

    def _show_table_button(self) -> None:
        self.table_button.set_words(tr("As a picture") if self._is_table else tr("As a table"))
