"""The files of a release for the PCs of a community: a folder that somebody filled, read a piece at a time.

What is in it is signed by those who issue releases; this server can neither make nor change it.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from sync.server.blob_desk import OCTETS
from sync.server.problems import ProtocolError
from sync.server.requests import Answer, Sent, caller_of
from sync.server.runner import Runner
from sync.server.storage.blobs import PIECE

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)  # no folders, nothing hidden


class ReleaseDesk:
    """Answers for the files of ``folder``; None when this server offers no releases."""

    def __init__(self, runner: Runner, folder: Path | None, *, wall: Callable[[], int]) -> None:
        self._runner = runner
        self._folder = folder
        self._wall = wall

    async def get(self, sent: Sent) -> Answer:
        """The piece of a file that begins at an offset; empty behind its end.

        Raises BadSignature, and ProtocolError 404 ``no_release``, 422 ``invalid``.
        """
        name = sent.path.rpartition("/")[2]
        offset = parse_qs(sent.query).get("offset", ["0"])[0]
        if not _NAME.fullmatch(name):
            raise ProtocolError(422, "invalid", field="name")
        if not offset.isdecimal() or len(offset) > 18:
            raise ProtocolError(422, "invalid", field="offset")
        await self._runner.read(lambda connection: caller_of(connection, sent, now=self._wall()))
        if self._folder is None:
            raise ProtocolError(404, "no_release")
        return Answer(await asyncio.to_thread(_piece, self._folder / name, int(offset)), media_type=OCTETS)


def _piece(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(PIECE)
    except OSError:  # it is not there, it is a folder, it may not be read
        raise ProtocolError(404, "no_release") from None
