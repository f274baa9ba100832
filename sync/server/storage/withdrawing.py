"""Batches that their sender gives up: what was not applied by now never will be, in whatever order the rest arrives."""

import msgspec
from sqlalchemy import Connection

from sync.server.storage import replicas
from sync.server.storage.push import Caller
from sync.wire import PushReply, Withdraw


def withdraw(connection: Connection, caller: Caller, message: Withdraw, *, now: int) -> bytes:
    """The answer to the first of these batches if it has come; otherwise all of them count as taken, with nothing.

    Their bytes, should they arrive later, get the answer that says so. Asked again, the answer is the same. Raises
    ProtocolError 409 ``epoch``, ``forked``.
    """
    replica, _ = replicas.sender(connection, caller.community, caller.installation, message, now=now)
    known = replicas.answer_to(connection, caller.community, replica, batch=message.batch, digest=message.digests[0])
    if known is not None:
        return known
    void = message.batch + len(message.digests) - 1
    for batch, digest in enumerate(message.digests, message.batch):
        done = replicas.Done(batch, digest, msgspec.json.encode(PushReply(batch=batch, void=void)))
        replicas.keep_answer(connection, caller.community, replica, done, now=now)
    replicas.settle(connection, caller.community, replica, done, now=now)
    return msgspec.json.encode(PushReply(batch=message.batch, void=void))
