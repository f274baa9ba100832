"""帮助: the manual, opened at the section about the page one came from; and where to complain."""

from typing import Any, ClassVar, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QResizeEvent, QTextBlock, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QListWidget, QTextBrowser, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.help.manual import Manual, read_manual
from desktop.pages.page import Page
from desktop.widgets.card import Card
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.labels import label, set_text
from sync.store import staff

_LINE_HEIGHT: Final = 140  # per cent: large and calm to read
_SECTION: Final = 2  # the heading level of a section
_LEAST: Final = 260
_CONTENTS: Final = 300


class HelpPage(Page):
    """``open(about='visits')`` shows the section about that page; Up, Down and Page keys scroll, Esc goes back."""

    name: ClassVar[str] = "help"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._manual: Manual = read_manual()
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setMinimumHeight(theme.current().px(_LEAST))
        self.contents = QListWidget()
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # It scrolls by itself, so that the card below it stays in sight.
        self.contents.setFixedHeight(theme.current().px(_CONTENTS))
        self._phone = ""
        self._community = ""
        self._say = label("", wrap=True)
        self._call = label("", "strong", wrap=True, copyable=True)
        self._promise = label("", "hint", wrap=True)
        self._book, self._index, self.feedback = Card(), Card(), Card()
        self._lay_out()
        self.contents.currentRowChanged.connect(self._go_to)
        self.retranslate()

    def title(self) -> str:
        return tr("Help")

    def open(self, **target: Any) -> None:
        super().open()
        place = self._manual.section_about(str(target.get("about", "")))
        self.contents.setCurrentRow(place)
        QTimer.singleShot(0, self, lambda: self._go_to(place))
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def reload(self) -> None:
        viewer = self.context.session.viewer
        self.context.tasks.read(self, lambda reader: staff.community(reader.db, viewer), self._show_community)

    def retranslate(self) -> None:
        self.text.setAccessibleName(tr("Users' manual"))
        self.contents.setAccessibleName(tr("Contents"))
        self._index.set_title(tr("Contents"))
        self.feedback.set_title(tr("Opinions and complaints"))
        self._say.setText(tr("Is something hard to use, wrong, or more burden than help? Say so, to the community:"))
        self._promise.setText(
            tr("You may also write it on paper and hand it in at the station. Nobody is judged by what they say here.")
        )
        self._show_phone()
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines break elsewhere: find the heading again once they have."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self, lambda: self._go_to(self.contents.currentRow()))

    def section_shown(self) -> str:
        """The heading at the top of what can be seen."""
        row = self.contents.currentRow()
        return self._manual.sections[row].title if row >= 0 else ""

    # ------------------------------------------------------------------------------------------- inside

    def _lay_out(self) -> None:
        px = theme.current().px
        self._book.add(self.text, stretch=1)
        self._index.add(self.contents)
        for part in (self._say, self._call, self._promise):
            self.feedback.add(part)
        for section in self._manual.sections:
            self.contents.addItem(section.title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(theme.GAP_XL), px(24), px(theme.GAP_XL), px(24))
        sides: list[QWidget] = [self._index, self.feedback]
        outer.addWidget(ResponsiveColumns(self._book, sides, side_width=320))

    def _write(self) -> None:
        """The whole manual in the program's own letters and colours."""
        look = theme.current()
        document = self.text.document()
        document.setDefaultFont(look.font())
        self.text.setMarkdown(self._manual.text)
        cursor = QTextCursor(document)
        block = document.begin()
        while block.isValid():
            cursor.setPosition(block.position())
            air = QTextBlockFormat()
            air.setLineHeight(_LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            level = block.blockFormat().headingLevel()
            if level:
                air.setTopMargin(look.px(theme.GAP_L))
                air.setBottomMargin(look.px(theme.GAP_S))
                letters = QTextCharFormat()
                letters.setFont(look.font(22 if level < _SECTION else 19, bold=True))
                letters.setForeground(QColor(look.colours.ink))
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                cursor.mergeCharFormat(letters)
            cursor.mergeBlockFormat(air)
            block = block.next()

    def _headings(self) -> list[QTextBlock]:
        found, block = [], self.text.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() == _SECTION:
                found.append(block)
            block = block.next()
        return found

    def _go_to(self, place: int) -> None:
        headings = self._headings()
        if 0 <= place < len(headings):
            self.text.setTextCursor(QTextCursor(headings[place]))
            top = self.text.document().documentLayout().blockBoundingRect(headings[place]).top()
            self.text.verticalScrollBar().setValue(round(top) if place else 0)

    def _show_community(self, community: staff.CommunityRow) -> None:
        self._phone, self._community = community.emergency_phone, community.name
        self._show_phone()

    def _show_phone(self) -> None:
        text = ""
        if self._phone:
            text = tr("{community}, phone {phone}").format(community=self._community, phone=self._phone)
        set_text(self._call, text or self._community)
