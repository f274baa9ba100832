"""A pushed batch as it came, checked by columns; its operations one by one for whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sync.domain.operations import Operation
from sync.server.storage.values import Flaw
from sync.wire import Group, Push, decode_operations


@dataclass(frozen=True)
class Batched:
    """A batch taken apart: groups of so many operations, those with impossible values, and the digest of its bytes.

    ``unsound`` names the impossible fields of rows given back, which are taken without them.
    """

    head: Push
    groups: Sequence[Group]
    count: int
    flaws: Mapping[int, Flaw]
    digest: str
    unsound: Mapping[int, frozenset[str]]

    @cached_property
    def operations(self) -> Sequence[Operation]:
        """One by one in their order; for those that cannot be taken by the group."""
        return decode_operations(self.groups)
