"""这台电脑: that it is encrypted, how large it is, when it was last copied; and receiving everything again."""

from PySide6.QtCore import Qt

from desktop.context import Context
from desktop.i18n import tr
from desktop.sync_status import Phase, Status
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, fact
from desktop.words.moments import moment_words


class PcCard(Card):
    """Facts about the file on this PC."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("This PC"))
        self._context = context
        block, self._size = fact(tr("Records"), "")
        self.add(block)
        block, self._backup = fact(tr("Daily copy"), "")
        self.add(block)
        self.again = button(tr("Receive everything again"), role="link", on_click=self._ask)
        self.body.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)

    def show_file(self, *, size: float, copied_at: int) -> None:
        """``size`` in MB, ``copied_at`` in ms of this PC's clock, 0 without a copy."""
        self._size.setText(tr("Encrypted · {size} MB").format(size=f"{size:.0f}"))
        offset = self._context.agent.clock_offset
        copied = moment_words(copied_at + offset if copied_at else 0, now=self._context.now())
        self._backup.setText(
            tr("{when}, opened and checked ✓").format(when=copied) if copied else tr("made today after unlocking")
        )

    def show_status(self, status: Status) -> None:
        """Nothing can be received again without a server, or in the middle of a sync."""
        self.again.setVisible(status.phase is not Phase.OFF)
        self.again.setEnabled(status.phase is not Phase.SYNCING)

    def _ask(self) -> None:
        question = Question(
            title=tr("Receive everything again?"),
            advice=tr(
                "What is not sent yet is not touched. Everything else is received once more from the server and"
                " compared; that takes a while, and you can go on working."
            ),
            yes=tr("Receive everything again"),
        )
        self._context.ask.confirm(self, question, self._context.agent.download_again)
