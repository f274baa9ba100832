"""The recovery code on paper: for the station's safe, with the few words its finder needs."""

from collections.abc import Iterable

from desktop.i18n import tr
from desktop.printing.base import CENTRE, WRAPPED, Paper


class RecoverySheet:
    """One page."""

    page_count = 1

    def __init__(self, code: str, *, printed_on: str) -> None:
        self._code = code
        self._printed_on = printed_on

    def words(self) -> Iterable[str]:
        """All that stands on the sheet."""
        return (tr("Recovery code"), self._code, self._advice(), self._printed_on)

    def paint(self, paper: Paper, page: int) -> None:
        """Paint the page."""
        paper.text(25, 30, 160, 14, tr("Recovery code"), size=24, bold=True)
        paper.text(25, 44, 160, 8, self._printed_on, size=11)
        paper.box(25, 60, 160, 34, line=0.6)
        paper.text(27, 62, 156, 30, self._code, size=17, bold=True, align=CENTRE)
        paper.text(25, 104, 160, 60, self._advice(), size=13, align=WRAPPED)

    def _advice(self) -> str:
        return tr(
            "This code opens the records of this PC when every PIN is forgotten, or a copy of them on another PC. "
            "Keep it in the station's safe, never beside the PC. Whoever has it can read everything."
        )
