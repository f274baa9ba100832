"""Over the names: the community's picture, its name and the station's."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import icons
from desktop.preset import Preset
from desktop.vault import Profile
from desktop.widgets.card import clear
from desktop.widgets.logo import Logo


class Place(QWidget):
    """What the community's file says at first, then what was read on this PC."""

    def __init__(self, preset: Preset | None) -> None:
        super().__init__()
        self._picture = icons.picture(preset.logo) if preset is not None else None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._show(preset.community.name if preset is not None else " ")

    def show_profile(self, profile: Profile) -> None:
        """The names as the records have them."""
        place = " · ".join(part for part in (profile.community_name, profile.station_name) if part)
        if place:
            self._show(place)

    def _show(self, place: str) -> None:
        clear(self._box)
        self._box.addWidget(Logo(subtitle=place, picture=self._picture))
