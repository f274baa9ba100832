"""How much goes into one request: as much as the line carries in about ten seconds, and as the server takes."""

AIM_S = 10.0


class Sizing:
    """Operations of a batch, or rows of a page. ``known`` is what an earlier session found to go through; 0: nothing.

    A request that took longer than the aim makes the next one smaller; one of full size that was quick, twice as large,
    but in this session never again as large as one that was refused for its size.
    """

    def __init__(self, most: int, *, least: int, known: int = 0) -> None:
        self._most = most
        self._least = least
        self._ceiling = most
        self.now = min(most, known or most)

    @property
    def known(self) -> int:
        """What to remember for the next session; 0 when the line takes all."""
        return 0 if self.now >= self._most else self.now

    def went(self, count: int, *, seconds: float) -> None:
        """So much went through in one request of so long."""
        if seconds > AIM_S:
            self.now = max(self._least, min(self.now, int(count * AIM_S / seconds)))
        elif count >= self.now:
            self.now = max(self.now, min(self.now * 2, self._ceiling))

    def too_large(self, count: int) -> None:
        """A request of so much was refused for its size, or never got through."""
        self._ceiling = max(1, min(self._ceiling, count - 1))
        self.now = max(1, min(self.now, count // 2))
