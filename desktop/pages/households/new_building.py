"""Making a building: opens the form, sends it to the write lane, and keeps what was typed until it is made."""

from PySide6.QtCore import QObject, Signal

from desktop.context import Context
from desktop.hub import Tone
from desktop.i18n import tr
from desktop.pages.households.building_form import BuildingForm
from desktop.pages.households.saving import Saving
from sync.domain.building_plan import BuildingIntent
from sync.store import households
from sync.store.households import BuildingChoices


class NewBuilding(QObject):
    """``opened`` when the form is to be seen, ``left`` when it is put away, ``made`` with the new building's id."""

    opened = Signal()
    left = Signal()
    made = Signal(str)

    def __init__(self, context: Context, saving: Saving, form: BuildingForm) -> None:
        super().__init__(form)
        self._context = context
        self._saving = saving
        self._form = form
        form.submitted.connect(self._make)
        form.left.connect(self.left)

    def begin(self) -> None:
        """Open the form; without a compound to put it into, say who makes one."""
        viewer = self._context.session.viewer
        self._context.tasks.read(self._form, lambda reader: households.building_choices(reader.db, viewer), self._begin)

    def _begin(self, choices: BuildingChoices) -> None:
        if not choices.compounds and not choices.may_add:
            said = tr("There is no compound yet. The secretary of the community makes it with its first building.")
            self._saving.say(said, Tone.WARN)
            return
        self.opened.emit()
        self._form.begin(choices)

    def _make(self, intent: BuildingIntent) -> None:
        def made(building_id: str) -> None:
            self._form.empty()
            self.made.emit(building_id)

        self._saving.building(intent, then=made, wrong=self._form.show_error)
