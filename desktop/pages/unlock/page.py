"""The unlock page: tap a name, six digits; works without a line. A first-timer types the one-time code instead."""

from PySide6.QtCore import QEvent, QObject, QProcess, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.first_stick import FirstStick
from desktop.gate import Gate
from desktop.i18n import tr
from desktop.own_command import own_command
from desktop.pages.unlock.forms import CodeForm, PinForm, RecoveryForm, UnlockForm
from desktop.pages.unlock.people import People, PeopleTiles
from desktop.pages.unlock.place import Place
from desktop.pages.unlock.rescue_box import RescueBox
from desktop.rescue import Offer
from desktop.texts import words
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.flow import FlowLayout, PageScroll
from desktop.widgets.labels import label, set_text
from sync.domain.calendar import day_of
from sync.errors import AccessError, PinLocked

WIDTH = 760
LAID_OUT_MS = 60  # by then wrapped lines have found their height


class UnlockPage(QWidget):
    """Asks who it is and for the six digits; ``gate`` does the rest.

    ``account_id`` is who was here last; ``trouble`` what is wrong with the files already.
    """

    def __init__(self, context: Context, gate: Gate, *, account_id: str = "", trouble: Exception | None = None) -> None:
        super().__init__()
        self.setObjectName("page")
        self._context = context
        self._gate = gate
        self._chosen = account_id
        self._form: UnlockForm | None = None
        self._rescue: RescueBox | None = None
        self._stick: FirstStick | None = None
        self._until = 0
        self._wait = QTimer(self)
        self._wait.setInterval(1000)
        self._wait.timeout.connect(self._count_down)
        self.people = PeopleTiles()
        self.people.chosen.connect(self.choose)
        self.people.digit.connect(self._begin_pin)
        self._lay_out()
        gate.failed.connect(self.fail)
        gate.restored.connect(self._restored)
        context.tasks.net(self, context.vault.profile, self._place.show_profile)
        self._read_people()
        if trouble is not None:
            self.fail(trouble)

    def say(self, text: str) -> None:
        """A calm line above the names, such as what today's work came to."""
        set_text(self._farewell, text)

    @property
    def form(self) -> UnlockForm | None:
        """The way in that is shown: PIN, one-time code or recovery code."""
        return self._form

    @property
    def rescue(self) -> RescueBox | None:
        """The ways out while a file is damaged."""
        return self._rescue

    @property
    def stick(self) -> FirstStick | None:
        """The way without a line, while this PC has received nothing."""
        return self._stick

    @property
    def error(self) -> str:
        """The sentence under the form."""
        return self._error.text()

    # ------------------------------------------------------------------------------------------- building

    def _lay_out(self) -> None:
        px = theme.current().px
        body = QWidget()
        centre = QHBoxLayout(body)
        column_widget = QWidget()
        column_widget.setMaximumWidth(px(WIDTH))
        centre.addStretch(1)
        centre.addWidget(column_widget, 8)
        centre.addStretch(1)
        column = QVBoxLayout(column_widget)
        column.setContentsMargins(0, px(theme.GAP_L), 0, px(theme.GAP_L))
        column.setSpacing(px(theme.GAP_L))
        column.addStretch(5)
        self._place = Place(self._context.community.preset)
        column.addWidget(self._place)
        self._farewell = label("", "strong", wrap=True)
        set_text(self._farewell, "")
        column.addWidget(self._farewell)
        self._card = Card(tr("Who are you?"))
        self._card.body.setSpacing(px(theme.GAP_L))
        self._card.add(self.people)
        self._form_holder = QVBoxLayout()
        self._card.add(self._form_holder)
        self._error = label("", "error", wrap=True)
        set_text(self._error, "")
        self._card.add(self._error)
        column.addWidget(self._card)
        foot = QWidget()
        words_row = FlowLayout(foot, gap=theme.GAP_L)
        words_row.addWidget(
            label(tr("Opens without a line too. Press Ctrl L when you leave: nobody sees what you noted."), "secondary")
        )
        self.practice = button(tr("Practise first (nothing is kept or sent)"), role="link", on_click=_practise)
        words_row.addWidget(self.practice)
        column.addWidget(foot)
        column.addStretch(6)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._scroll = PageScroll(body)
        outer.addWidget(self._scroll)

    def _read_people(self) -> None:
        self._context.tasks.net(self, self._context.vault.people, self._show_people, self.fail)

    def _show_people(self, people: People) -> None:
        known = {who.account_id for who, _ in people}
        chosen = self._chosen if self._chosen in known else people[0][0].account_id if people else ""
        self.people.show_people(people, chosen=chosen)
        if chosen:
            self._ask(chosen)

    # ------------------------------------------------------------------------------------------- choosing

    def choose(self, account_id: str) -> None:
        """Somebody says who they are; the keyboard goes to the PIN."""
        set_text(self._error, "")
        self._wait.stop()
        self._ask(account_id)

    def _ask(self, account_id: str) -> None:
        self._chosen = account_id
        self.people.mark(account_id)
        wanted = CodeForm if self.people.is_invited(account_id) else PinForm
        if type(self._form) is wanted and self._form is not None:
            self._form.clear()
            self._form.focus_first()
        else:
            self._use(wanted())

    def _use(self, form: UnlockForm) -> None:
        if self._form is not None:
            self._form_holder.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        self._form = form
        form.submitted.connect(self._submitted)
        form.forgot.connect(lambda: self._turn_to(RecoveryForm()))
        form.back.connect(lambda: self._turn_to(PinForm()))
        if isinstance(form, PinForm):
            form.pin.installEventFilter(self)
        self._form_holder.addWidget(form)
        form.show()
        form.focus_first()

    def _turn_to(self, form: UnlockForm) -> None:
        set_text(self._error, "")
        self._use(form)

    def _submitted(self) -> None:
        if not self._chosen or self._form is None:
            return
        form, account_id = self._form, self._chosen
        said = form.wrong()
        set_text(self._error, said)
        if said:
            return
        form.setEnabled(False)
        self._gate.enter(account_id, form.unlock(self._context.vault, account_id))

    # ------------------------------------------------------------------------------------------- when it fails

    def fail(self, error: Exception) -> None:
        """Say why nobody got in, and offer a way out when a file is damaged."""
        if self._form is not None:
            self._form.setEnabled(True)
            self._form.clear()
            self._form.focus_first()
        said = words(error)
        set_text(self._error, f"{said.title}　{said.advice}")
        self._see(self._error)
        if isinstance(error, PinLocked):
            self._until = int(error.params["until"])
            self._wait.start()
            self._count_down()
            return
        if isinstance(error, AccessError) and error.code == "nothing_received" and self._stick is None:
            self._stick = FirstStick(self._context)
            self._stick.told.connect(self._see_stick)
            self._card.add(self._stick)
            self._see_stick()
        rescue = self._gate.rescue
        self._context.tasks.net(self, lambda: rescue.offer(error), self._show_offer)

    def _show_offer(self, offer: Offer | None) -> None:
        if self._rescue is not None:
            self._rescue.hide()
            self._rescue.deleteLater()
            self._rescue = None
        if offer is None:
            return
        set_text(self._error, "")
        self._rescue = made = RescueBox(offer, today=day_of(self._context.now()))
        made.copy_wanted.connect(self._open_copy)
        made.keys_wanted.connect(self._take_keys)
        made.over_wanted.connect(self._start_over)
        self._card.add(made)
        made.buttons[0].setFocus()
        self._see(made)

    def _see(self, widget: QWidget) -> None:
        """With large letters the page is higher than the screen: go to what was just said."""
        QTimer.singleShot(LAID_OUT_MS, widget, lambda: self._scroll.show_widget(widget))

    def _see_stick(self) -> None:
        if self._stick is not None:
            self._see(self._stick)

    def _open_copy(self, day: str) -> None:
        self._show_offer(None)
        self.say(tr("Opening the copy …"))
        self._gate.open_copy(day)

    def _restored(self) -> None:
        self.say(tr("The copy is in place. Please type your PIN once more."))
        self.choose(self._chosen)

    def _take_keys(self, day: str) -> None:
        rescue = self._gate.rescue

        def taken(_: object) -> None:
            self._show_offer(None)
            self.say(tr("The key file is back. Type your PIN as it was then."))
            self._read_people()

        self._context.tasks.net(self, lambda: rescue.take_keys(day), taken, self.fail)

    def _start_over(self) -> None:
        self._context.ask.confirm(
            self,
            Question(
                title=tr("Set this PC up again?"),
                advice=tr(
                    "You need a one-time code from the secretary. The old files are kept in a folder beside; "
                    "what was noted here and never synced stays in them and is not shown any more."
                ),
                yes=tr("Set this PC up again"),
                is_danger=True,
            ),
            self._gate.start_over,
        )

    def _count_down(self) -> None:
        left = max(0, (self._until - self._context.now() + 999) // 1000)
        if left == 0:
            self._wait.stop()
            set_text(self._error, tr("You can try again now."))
            return
        text = tr("Too many wrong PINs. Please wait {n} seconds; nothing is lost.").format(n=left)
        set_text(self._error, text)

    # ------------------------------------------------------------------------------------------- keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Letters have no place in a PIN: they look for a name. Arrows up and down go to the names."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            on_pad = bool(event.modifiers() & Qt.KeyboardModifier.KeypadModifier)
            if event.text().isalpha():
                self.people.search(event.text())
                return True
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not on_pad:
                return self.people.walk(event.key())
        return super().eventFilter(watched, event)

    def _begin_pin(self, digit: str) -> None:
        if isinstance(self._form, PinForm):
            self._form.focus_first()
            self._form.pin.setText(digit)


def _practise() -> None:
    """Another window with made-up people and matters, in a folder that is thrown away."""
    QProcess.startDetached(*own_command("--practice"))
