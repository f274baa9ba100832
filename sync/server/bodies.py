"""Bodies on their way in: each within its size and its time, all together within so many bytes of memory."""

import asyncio
from collections.abc import AsyncIterable

from litestar.exceptions import HTTPException

from sync.errors import BadMessage
from sync.server.problems import ProtocolError
from sync.wire import LIMITS

HELD_MOST = 16 * LIMITS.json_bytes


class Bodies:
    """Reads bodies before it is known who sends them, and before they have a place in the queue.

    So whoever begins many and ends none keeps nobody from work. ``held_most`` bytes are held of all that are under way;
    beyond it the one that has been under way longest is given up.
    """

    def __init__(self, *, within_s: float, held_most: int = HELD_MOST) -> None:
        self._within_s = within_s
        self._held_most = held_most
        self._held: dict[asyncio.Timeout, int] = {}  # bytes, the oldest first

    async def read(self, pieces: AsyncIterable[bytes], *, most: int) -> bytes:
        """A whole body of ``most`` bytes at the most.

        Raises BadMessage ``too_large``, and ProtocolError 408 ``too_slow`` when it does not come in time, had to give
        way, or was cut off.
        """
        try:
            async with asyncio.timeout(self._within_s) as limit:
                try:
                    return await self._whole(pieces, limit, most)
                finally:
                    self._held.pop(limit, None)
        except (TimeoutError, HTTPException) as error:
            raise ProtocolError(408, "too_slow") from error

    async def _whole(self, pieces: AsyncIterable[bytes], limit: asyncio.Timeout, most: int) -> bytes:
        body = bytearray()
        async for piece in pieces:
            body += piece
            if len(body) > most:
                raise BadMessage("too_large", most=most)
            if most <= LIMITS.json_bytes:  # larger ones come only from who holds this server's own secret
                self._held[limit] = len(body)
                self._make_room()
        return bytes(body)

    def _make_room(self) -> None:
        while len(self._held) > 1 and sum(self._held.values()) > self._held_most:
            oldest = next(iter(self._held))
            del self._held[oldest]
            oldest.reschedule(0)  # at once
