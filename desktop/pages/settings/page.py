"""设置: size of the letters, language, contrast, one's own PIN, the server, and for secretaries the people."""

from typing import ClassVar

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.page import Page
from desktop.pages.settings.people import PeopleCard
from desktop.settings import TEXT_PERCENTS, Settings
from desktop.staffing import change_pin
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, fact
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.form import Form
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.pin_field import PinField
from sync.domain.roles import SECRETARY_ROLES
from sync.errors import QiaomenError
from sync.keys.codes import check_pin
from sync.store.store import Reader


class SettingsPage(Page):
    """Every choice is worn at once and kept; nothing has to be saved."""

    name: ClassVar[str] = "settings"
    listens: ClassVar[frozenset[str]] = frozenset({"account", "grant"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.setObjectName("page")
        px = theme.current().px
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(theme.GAP_L))
        column.addWidget(self._look_card())
        self.people: PeopleCard | None = None
        if context.session.viewer.has_any(SECRETARY_ROLES):
            self.people = PeopleCard(context)
            column.addWidget(self.people)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(28), px(24), px(28), px(24))
        outer.addWidget(ResponsiveColumns(main, [self._pin_card(), self._pc_card()], side_width=360))

    def title(self) -> str:
        return tr("Settings")

    def reload(self) -> None:
        self.context.tasks.read(self, _about, self._show_about, key="about")
        if self.people is not None:
            self.people.reload()

    # ------------------------------------------------------------------------------------------- looks

    def _look_card(self) -> Card:
        card = Card(tr("How it looks"), hint=tr("worn at once"))
        settings = self.context.settings()
        form = Form()
        self.sizes = OptionRow(
            [Option(str(percent), f"{percent}%") for percent in TEXT_PERCENTS], name=tr("Size of the letters")
        )
        self.sizes.set_value(str(settings.text_percent))
        self.contrast = OptionRow(
            [Option("default", tr("Usual")), Option("high_contrast", tr("High contrast"))], name=tr("Contrast")
        )
        self.contrast.set_value(settings.theme)
        self.language = OptionRow([Option("zh_CN", "中文"), Option("en", "English")], name=tr("Language"))
        self.language.set_value(settings.language)
        form.add("size", tr("Size of the letters"), self.sizes)
        form.add("contrast", tr("Contrast"), self.contrast)
        form.add("language", tr("Language"), self.language)
        for row in (self.sizes, self.contrast, self.language):
            row.changed.connect(self._wear)
        card.add(form)
        return card

    def _wear(self) -> None:
        before = self.context.settings()
        self.context.change_settings(
            Settings(
                text_percent=int(self.sizes.value()),
                theme=self.contrast.value(),
                language=self.language.value(),
                server_url=before.server_url,
            )
        )

    # ------------------------------------------------------------------------------------------- PIN

    def _pin_card(self) -> Card:
        card = Card(tr("My PIN"))
        self._pin_form = Form()
        self.old = PinField(name=tr("Present PIN"))
        self.new = PinField(name=tr("New six-digit PIN"))
        self.again = PinField(name=tr("The same PIN again"))
        self._pin_form.add("old", tr("Present PIN"), self.old)
        self._pin_form.add("pin", tr("New six-digit PIN"), self.new)
        self._pin_form.add("again", tr("The same PIN again"), self.again)
        card.add(self._pin_form)
        row = QHBoxLayout()
        row.addWidget(button(tr("Change my PIN"), role="second", on_click=self._change_pin))
        row.addStretch(1)
        card.add(row)
        return card

    def _change_pin(self) -> None:
        self._pin_form.clear_errors()
        old, new = self.old.text(), self.new.text()
        try:
            check_pin(new)
        except QiaomenError as error:
            self._pin_form.set_error("pin", words(error).title)
            return
        if new != self.again.text():
            self._pin_form.set_error("again", tr("The two PINs are not the same. Please type both again."))
            return
        context, account_id = self.context, self.context.session.account_id
        context.tasks.net(
            self, lambda: change_pin(context, account_id, old=old, new=new), self._pin_changed, self._pin_failed
        )

    def _pin_changed(self, _: None) -> None:
        self._clear_pins()
        self.context.hub.notice.emit(Notice(title=tr("Your PIN is changed"), tone=Tone.GOOD))

    def _pin_failed(self, error: Exception) -> None:
        said = words(error)
        self._pin_form.set_error("old", f"{said.title}　{said.advice}")

    def _clear_pins(self) -> None:
        for field in (self.old, self.new, self.again):
            field.clear()

    def forget(self) -> None:
        self._clear_pins()

    # ------------------------------------------------------------------------------------------- this PC

    def _pc_card(self) -> Card:
        card = Card(tr("This PC"))
        block, self._server = fact(tr("Server"), "")
        card.add(block)
        block, self._file = fact(tr("Records"), "")
        card.add(block)
        return card

    def _show_about(self, about: tuple[str, bool]) -> None:
        server, is_enrolled = about
        self._server.setText(server if is_enrolled else tr("None: nothing is sent from this PC"))
        size = self.context.vault.database.stat().st_size / 1_000_000
        self._file.setText(tr("Encrypted · {size} MB").format(size=f"{size:.0f}"))


def _about(reader: Reader) -> tuple[str, bool]:
    state = reader.state
    return state.server_url, bool(state.installation_id)
