"""A pushed batch taken apart, whether it came over the line or in a bundle."""

from sync.domain.upgrades import upgrade
from sync.server.storage.batched import Batched
from sync.server.storage.values import flaws, unsound
from sync.wire import SCHEMA, Push, count_operations, decode_operations, digest_batch, encode_operations


def taken_apart(message: Push, body: bytes) -> Batched:
    """The operations of a batch, whose JSON is ``body``, brought up to date when an older program made them.

    Raises BadMessage.
    """
    groups = message.groups
    count = count_operations(groups)
    if message.schema < SCHEMA:
        operations = decode_operations(groups)
        upgraded = [upgrade(operation, since=message.schema) for operation in operations]
        if upgraded != operations:
            groups = encode_operations(upgraded)
    return Batched(message, groups, count, flaws(groups), digest_batch(body), unsound(groups))
