"""更新: which version is here, whether there is a newer one, and putting it in place when it suits."""

from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.context import Context
from desktop.drives import stick_folder
from desktop.i18n import number, tr
from desktop.texts import words
from desktop.update_agent import Phase, Standing
from desktop.updating import Offer
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.labels import label, set_text
from desktop.widgets.progress_row import ProgressRow

_MEGABYTE = 1_000_000


class UpdateCard(Card):
    """Shows how it stands with updates; hidden where nothing can be renewed."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Updates"), hint=tr("never by itself"))
        self._context = context
        self._agent = context.updates
        self._told = label("", wrap=True)
        self._told.setAccessibleName(tr("Updates"))
        self._notes = label("", "secondary", wrap=True)
        self._trouble = Box("warn-box")
        self._bar = ProgressRow()
        for part in (self._told, self._notes, self._trouble, self._bar):
            self.add(part)
        self.look = button(tr("Look for a new version"), on_click=self._look)
        self.stick = button(tr("From a stick"), on_click=self._ask_which)
        self.fetch = button(tr("Download"), role="second", on_click=self._fetch)
        self.use = button("", role="second", on_click=self._ask_to_use)
        for pair in ((self.fetch, self.use), (self.look, self.stick)):
            row = QHBoxLayout()
            for one in pair:
                row.addWidget(one)
            row.addStretch(1)
            self.add(row)
        if self._agent is None:
            self.hide()
            return
        self._bar.cancelled.connect(self._agent.stop)
        self._agent.changed.connect(self._show)
        self._show()

    @property
    def told(self) -> str:
        """How it stands, in words."""
        return self._told.text()

    def _show(self) -> None:
        assert self._agent is not None
        standing = self._agent.standing
        installed = self._agent.installed
        self.setVisible(standing.phase is not Phase.OFF and installed is not None)
        if installed is None:
            return
        offer, phase = standing.offer, standing.phase
        set_text(self._told, _sentence(standing, here=installed.version))
        set_text(self._notes, offer.manifest.notes if offer is not None and offer.is_program else "")
        self._notes.setVisible(bool(self._notes.text()))
        self._show_trouble(standing)
        self._bar.setVisible(phase is Phase.FETCHING)
        if phase is Phase.FETCHING and offer is not None:
            self._bar.set_progress(
                tr("Fetching, MB"), done=standing.have // _MEGABYTE, total=max(1, offer.file.size // _MEGABYTE)
            )
        is_busy = phase in (Phase.LOOKING, Phase.FETCHING, Phase.HANDED_OVER)
        has_offer = offer is not None and not is_busy
        self.fetch.setVisible(has_offer and phase is not Phase.READY)
        self.fetch.set_words(tr("Download") if phase is Phase.FOUND else tr("Try again"))
        self.use.setVisible(has_offer and phase is Phase.READY)
        self.use.set_words(tr("Close and install") if offer is None or offer.is_program else tr("Take it in now"))
        for one in (self.look, self.stick):
            one.setVisible(not is_busy and phase is not Phase.READY)

    def _show_trouble(self, standing: Standing) -> None:
        clear(self._trouble.body)
        lines: list[QWidget] = []
        if standing.error is not None:
            said = words(standing.error)
            lines += [label(said.title, "strong", wrap=True), label(said.advice, wrap=True)]
            lines.append(label(said.details, "hint", wrap=True, copyable=True))
        if standing.failed is not None:
            said_failed = tr("Version {version} did not open on this PC").format(version=standing.failed.name)
            lines.append(label(said_failed, "strong", wrap=True))
            lines.append(label(tr("The one before it is in use; the records are as they were."), wrap=True))
        if standing.missed is not None:
            said_missed = tr("Version {version} was not installed").format(version=standing.missed.name)
            lines.append(label(said_missed, "strong", wrap=True))
            lines.append(label(tr("Nothing was changed. It can be tried again."), wrap=True))
        for line in lines:
            self._trouble.body.addWidget(line)
        self._trouble.setVisible(bool(lines))

    # ------------------------------------------------------------------------------------------- what is pressed

    def _look(self) -> None:
        assert self._agent is not None
        self._agent.look()

    def _fetch(self) -> None:
        assert self._agent is not None
        self._agent.fetch()

    def _ask_which(self) -> None:
        def look(path: Path) -> None:
            assert self._agent is not None
            self._agent.look(path.parent)

        def ask(stick: Path | None) -> None:
            self._context.ask.pick_file(
                self,
                title=tr("The list of the new version on the stick"),
                filters=f"{tr('List of a version')} (manifest.json)",
                then=look,
                folder=stick,
            )

        self._context.tasks.net(self, stick_folder, ask, lambda _: ask(None))

    def _ask_to_use(self) -> None:
        assert self._agent is not None
        offer = self._agent.standing.offer
        if offer is not None:
            self._context.ask.confirm(self, self._question(offer), self._use)

    def _question(self, offer: Offer) -> Question:
        if not offer.is_program:
            return Question(
                title=tr("Take in what your community issued anew?"),
                advice=tr("The program begins anew with it. Nothing is lost."),
                yes=tr("Take it in now"),
                no=tr("Leave it for now"),
            )
        installed = self._agent.installed if self._agent is not None else None
        if installed is None or installed.comes_back:
            lines = [tr("The program closes, and comes back by itself when it is done. All records stay.")]
        else:
            lines = [
                tr(
                    "The program closes, and the installer of this PC opens; it asks for the administrator. When it is"
                    " done, please open the program again. All records stay."
                )
            ]
        unsent = self._context.agent.status.unsent
        if unsent:
            lines.append(
                tr("{n} entries are not sent yet; they stay on this PC and go out afterwards.").format(n=unsent)
            )
        return Question(
            title=tr("Install version {version} now?").format(version=offer.manifest.version),
            advice="\n".join(lines),
            yes=tr("Close and install"),
            no=tr("Leave it for now"),
        )

    def _use(self) -> None:
        assert self._agent is not None
        self._agent.use(then=self._context.restart)


def _sentence(standing: Standing, *, here: str) -> str:
    offer = standing.offer
    match standing.phase:
        case Phase.LOOKING:
            return tr("Version {version} is here. Looking …").format(version=here)
        case Phase.CURRENT:
            return tr("Version {version} is here; nothing newer is offered.").format(version=here)
        case Phase.HANDED_OVER:
            return tr("The installer has it now.")
        case Phase.FOUND | Phase.FETCHING | Phase.READY | Phase.TROUBLE if offer is not None:
            return _of_offer(offer, here=here, is_ready=standing.phase is Phase.READY)
    return tr("Version {version} is here.").format(version=here)


def _of_offer(offer: Offer, *, here: str, is_ready: bool) -> str:
    size = number(max(1, round(offer.file.size / _MEGABYTE)))
    if not offer.is_program:
        return tr("Your community issued its file anew: addresses, name or picture may have changed.")
    if is_ready:
        return tr("Version {version} lies ready; {here} is in use.").format(version=offer.manifest.version, here=here)
    if offer.has_failed:
        told = tr("Version {version} did not open here; it can be had once more ({size} MB).")
        return told.format(version=offer.manifest.version, size=size)
    told = tr("Version {version} can be had ({size} MB); {here} is in use.")
    return told.format(version=offer.manifest.version, size=size, here=here)
