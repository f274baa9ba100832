"""以前的同步: when, how many went and came, and whether both sides were compared and found the same."""

from typing import Final

from desktop.context import Context
from desktop.i18n import mark, number, tr
from desktop.texts import code_words
from desktop.widgets.card import Card, clear
from desktop.widgets.labels import label
from desktop.words.moments import moment_words
from sync.store.state import Round

# Only what was compared with the server is called compared.
_RESULTS: Final = {
    "verified": mark("compared, the same on both sides ✓"),
    "healed": mark("was not the same, received anew ✓"),
    "differs": mark("not the same yet, is received anew"),
    "ok": mark("all sent and received ✓"),
    "cut": mark("cut off, goes on by itself"),
    "no_line": mark("cut off, goes on by itself"),
    "timeout": mark("cut off, goes on by itself"),
    "stopped": mark("paused by hand"),
}


class HistoryCard(Card):
    """The last syncs, newest first."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Earlier syncs"))
        self._context = context
        self._shown: tuple[Round, ...] | None = None

    def show_rounds(self, rounds: tuple[Round, ...]) -> None:
        """Fill the card."""
        clear(self.body)
        now = self._context.now()
        for line in rounds:
            said = tr(_RESULTS[line.result]) if line.result in _RESULTS else code_words(line.result).title
            text = tr("{when}　sent {sent}　received {received}　{result}").format(
                when=moment_words(line.at, now=now),
                sent=number(line.pushed),
                received=number(line.pulled),
                result=said,
            )
            self.add(label(text, wrap=True))
        if not rounds:
            self.add(label(tr("Each sync with the server will be listed here."), "secondary", wrap=True))
        self.fill()
