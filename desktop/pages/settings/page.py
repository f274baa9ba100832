"""设置: size of the letters, language, contrast, one's own PIN, this PC, and for secretaries the people."""

from typing import ClassVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.page import Page
from desktop.pages.settings.about import AboutCard
from desktop.pages.settings.letting_in import LetInCard
from desktop.pages.settings.own_pin import OwnPinCard
from desktop.pages.settings.people import PeopleCard
from desktop.pages.settings.rejoining import RejoinCard
from desktop.pages.settings.update_card import UpdateCard
from desktop.settings import TEXT_PERCENTS, Settings
from desktop.widgets.card import Card, fact
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.form import Form
from desktop.widgets.option_row import Option, OptionRow
from sync.domain.roles import SECRETARY_ROLES
from sync.store.store import Reader


class SettingsPage(Page):
    """Every choice is worn at once and kept; nothing has to be saved."""

    name: ClassVar[str] = "settings"
    listens: ClassVar[frozenset[str]] = frozenset({"account", "grant"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.setObjectName("page")
        px = theme.current().px
        is_secretary = context.session.viewer.has_any(SECRETARY_ROLES)
        # From the outside in: whatever gets another parent is dressed anew with all that is in it.
        main = QWidget()
        self.own_pin = OwnPinCard(context, is_main=not is_secretary)
        self.about = AboutCard(context)
        self.updates = UpdateCard(context)
        sides: list[QWidget] = [self.own_pin, self._pc_card(), self.updates, self.about]
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(28), px(24), px(28), px(24))
        outer.addWidget(ResponsiveColumns(main, sides, side_width=360, parent=self))
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(theme.GAP_L))
        column.addWidget(self._look_card())
        self.people = PeopleCard(context) if is_secretary else None
        if self.people is not None:
            column.addWidget(self.people)
        self.letting_in = LetInCard(context)
        column.addWidget(self.letting_in)
        self.rejoining = RejoinCard(context)
        column.addWidget(self.rejoining)
        column.addStretch(1)

    def title(self) -> str:
        return tr("Settings")

    def reload(self) -> None:
        database = self.context.vault.database

        def about(reader: Reader) -> tuple[str, float]:
            state = reader.state
            return state.server_url if state.installation_id else "", database.stat().st_size / 1_000_000

        self.context.tasks.read(self, about, self._show_about, key="about")
        if self.people is not None:
            self.people.reload()

    def forget(self) -> None:
        self.own_pin.forget()
        self.letting_in.forget()
        self.rejoining.forget()
        if self.people is not None:
            self.people.forget()

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
        size = int(self.sizes.value() or before.text_percent)
        self.context.change_settings(
            Settings(
                text_percent=size,
                text_chosen=before.text_chosen or size != before.text_percent,
                theme=self.contrast.value() or before.theme,
                language=self.language.value() or before.language,
                server_url=before.server_url,
            )
        )

    # ------------------------------------------------------------------------------------------- this PC

    def _pc_card(self) -> Card:
        card = Card(tr("This PC"))
        block, self._server = fact(tr("Server"), "")
        card.add(block)
        block, self._file = fact(tr("Records"), "")
        card.add(block)
        return card

    def _show_about(self, about: tuple[str, float]) -> None:
        server, size = about
        self.rejoining.setVisible(bool(server))
        preset = self.context.community.preset
        if server and preset is not None:
            server = "\n".join(preset.community.servers)  # whatever was typed by hand
        self._server.setText(server or tr("None: nothing is sent from this PC"))
        self._file.setText(tr("Encrypted · {size} MB").format(size=f"{size:.0f}"))
