"""What the households page writes: each deed on the write lane, with a word when it is done or refused."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.households.reading import PAGE
from desktop.pages.page import Touched
from desktop.texts import words
from sync.domain.building_plan import BuildingIntent
from sync.domain.households import CardIntent
from sync.domain.pairing import PairingIntent
from sync.errors import RuleError
from sync.store import drafts, household_records
from sync.store.store import Store

ShowError = Callable[[RuleError], bool]


class Saving:
    """Acts for the person who is unlocked; ``owner`` is the page, which may be gone before an answer comes."""

    def __init__(self, context: Context, owner: QWidget) -> None:
        self._context = context
        self._owner = owner

    def card(self, household_id: str, intent: CardIntent, *, then: Callable[[], object], wrong: ShowError) -> None:
        """Save the form with its people and forget the draft, in this order."""
        me = self._context.session.account_id

        def save(store: Store) -> Touched:
            touched = household_records.save_card(store, me, household_id, intent)
            drafts.finish(store, me, PAGE, household_id)
            return touched

        self._do(save, tr("Saved"), then, wrong)

    def building(self, intent: BuildingIntent, *, then: Callable[[str], object], wrong: ShowError) -> None:
        """Make a building; ``then`` gets its id."""
        me = self._context.session.account_id

        def made(touched: Touched) -> None:
            self.say(tr("{building} is made, with all its doors.").format(building=intent.name))
            then(next(record_id for kind, record_id in touched if kind == "building"))

        self._context.tasks.write(
            self._owner,
            lambda store: household_records.record_building(store, me, intent),
            made,
            lambda error: self._refused(error, wrong),
        )

    def draft(self, household_id: str, body: bytes) -> None:
        """Keep what is being typed; nobody waits for it."""
        me = self._context.session.account_id
        self._context.tasks.write(None, lambda store: drafts.keep(store, me, PAGE, household_id, body))

    def drop_draft(self, household_id: str, *, then: Callable[[], object]) -> None:
        """Throw away what was typed."""
        me = self._context.session.account_id
        self._context.tasks.write(
            self._owner, lambda store: drafts.drop(store, me, PAGE, household_id), lambda _: then()
        )

    def reveal(self, kind: str, record_id: str, field: str, *, then: Callable[[str], object]) -> None:
        """A masked number in full; the look is noted before the number is shown."""
        me = self._context.session.account_id
        self._context.tasks.write(
            self._owner,
            lambda store: household_records.reveal(store, me, kind, record_id, field),
            then,
            self._refused,
        )

    def move_out(self, resident_id: str) -> None:
        """Somebody lives there no longer."""
        me = self._context.session.account_id
        said = tr("Noted: lives here no longer. Under Change it can be put right.")
        self._do(lambda store: household_records.record_move_out(store, me, resident_id), said)

    def notice(self, household_id: str) -> None:
        """The household was told today what is kept and why."""
        me = self._context.session.account_id
        said = tr("Noted: the household was told today.")
        self._do(lambda store: household_records.record_notice(store, me, household_id), said)

    def hint(self, household_id: str, note: str, *, then: Callable[[], object]) -> None:
        """Tell the station that somebody should look in."""
        me = self._context.session.account_id
        said = tr("The station has been told. Thank you.")
        self._do(lambda store: household_records.record_hint(store, me, household_id, note), said, then)

    def pairing(self, intent: PairingIntent) -> None:
        """Somebody looks in from now on."""
        me, care = self._context.session.account_id, self._context.rules.care
        self._do(lambda store: household_records.record_pairing(store, me, intent, rules=care), tr("Saved"))

    def end_pairing(self, household_id: str, pairing_id: str) -> None:
        """The pairing ends today."""
        me, care = self._context.session.account_id, self._context.rules.care
        self._do(
            lambda store: household_records.record_pairing_end(store, me, household_id, pairing_id, rules=care),
            tr("Saved"),
        )

    def say(self, text: str, tone: Tone = Tone.GOOD) -> None:
        """A word in the bar over the page."""
        self._context.hub.notice.emit(Notice(title=text, tone=tone))

    def _do(
        self,
        deed: Callable[[Store], Touched],
        said: str,
        then: Callable[[], object] | None = None,
        wrong: ShowError | None = None,
    ) -> None:
        def done(_: Touched) -> None:
            self.say(said)
            if then is not None:
                then()

        self._context.tasks.write(self._owner, deed, done, lambda error: self._refused(error, wrong))

    def _refused(self, error: Exception, wrong: ShowError | None = None) -> None:
        """Beside the field where there is one, else in the bar: what happened, what was kept, what to do."""
        if wrong is not None and isinstance(error, RuleError) and wrong(error):
            return
        said = words(error)
        self._context.hub.notice.emit(
            Notice(title=said.title, advice=said.advice, tone=Tone.WARN, details=said.details)
        )
