"""Removes what is kept no longer, in pieces: each is a transaction of its own, and devices get in between."""

from collections import Counter
from functools import partial

from sync.server.runner import Runner
from sync.server.storage import purging


async def purge(runner: Runner, community: str, *, replica: int, now: int) -> Counter[str]:
    """Blank and remove what was deleted long ago, with exits, refusals and answers of old; how many of each."""
    counts: Counter[str] = Counter()
    after = ""
    while True:
        removing = partial(purging.blank_and_remove, community=community, after=after, replica=replica, now=now)
        piece = await runner.write(removing)
        counts.update(piece.counts)
        after = piece.last
        if not after:
            break
    for name, remove in purging.PIECES.items():
        while removed := await runner.write(partial(remove, community=community, now=now)):
            counts[name] += removed
    return counts
