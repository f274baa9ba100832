"""The bytes of attached files to and from the server, a piece at a time, after everything else.

Built for one run. Whatever is cut goes on where it stood; nothing else waits for it.
"""

from collections.abc import Callable

from sync.client.api import Api
from sync.client.means import Call
from sync.errors import Refused
from sync.store import blobs
from sync.store.blobs import Transfer, Way

_OTHER_PLACE = "offset"
_WRONG = "invalid"  # all that arrived has another checksum: the server has forgotten it
_UNKNOWN = "unknown_record"
_LATER = frozenset({_UNKNOWN, "not_yet", "out_of_scope", _WRONG, "too_large"})


class Transfers:
    """Moves what waits until there is no more, or ``stop`` says that something else is to go first."""

    def __init__(self, call: Call, api: Api, *, stop: Callable[[], bool] = lambda: False) -> None:
        self._call = call
        self._api = api
        self._stop = stop

    def run(self) -> int:
        """How many files have arrived. Raises Offline and ServerTrouble; what was moved stays moved."""
        arrived = 0
        for transfer in self._call(lambda store: blobs.waiting(store.db)):
            if self._stop():
                break
            try:
                arrived += self._send(transfer) if transfer.way is Way.UP else self._fetch(transfer)
            except Refused as refusal:
                if refusal.code not in _LATER:
                    raise
                if refusal.code == _UNKNOWN and transfer.way is Way.UP:
                    self._give_up(transfer)
        if not self._stop():
            self._call(blobs.drop_unnamed)
        return arrived

    def _send(self, transfer: Transfer) -> bool:
        checksum = transfer.sha256
        have = self._put(transfer, 0, b"")  # where to go on
        while have < transfer.size:
            if self._stop():
                return False
            have = self._put(transfer, have, self._piece(transfer, have))
        self._call(lambda store: blobs.done(store, checksum))
        return True

    def _put(self, transfer: Transfer, offset: int, data: bytes) -> int:
        try:
            return self._api.put_blob(transfer.sha256, transfer.record, offset=offset, data=data)
        except Refused as refusal:
            if refusal.code != _OTHER_PLACE:
                raise
            return int(refusal.params["have"])

    def _fetch(self, transfer: Transfer) -> bool:
        while transfer.way is Way.DOWN:
            if self._stop():
                return False
            before = transfer.have
            data = self._api.get_blob(transfer.sha256, transfer.record, offset=before)
            transfer = self._take(transfer, data)
            if transfer.have <= before:
                return False  # there was no more of it, or it was not what was asked for: another time
        return True

    def _give_up(self, transfer: Transfer) -> None:
        self._call(lambda store: blobs.give_up(store, transfer))

    def _piece(self, transfer: Transfer, offset: int) -> bytes:
        return self._call(lambda store: blobs.piece(store.db, transfer.sha256, offset))

    def _take(self, transfer: Transfer, data: bytes) -> Transfer:
        return self._call(lambda store: blobs.take_piece(store, transfer, data))
