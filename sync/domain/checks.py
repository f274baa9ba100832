"""The check of a row: a number made of its id and the clocks of all its registers.

Two sides that hold the same versions of the same rows have the same sum of checks, so that a stream is compared by
two numbers. A clock names one write, and with it the value; the values themselves are not looked at.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from struct import Struct
from typing import Final

from sync.domain.clock import Clock

CHECK_BYTES: Final = 5  # of 40 bits eight million can be summed within a signed integer of 64
_packed = Struct(">qq").pack


def sum_of_checks(ids: Iterable[str], hlcs: Iterable[int], *, device: int) -> int:
    """The sum of the checks of records that one device made and nobody has changed."""
    made = int.from_bytes
    return sum(
        made(blake2b(record_id.encode() + _packed(hlc, device), digest_size=CHECK_BYTES).digest())
        for record_id, hlc in zip(ids, hlcs, strict=True)
    )


def row_check(record_id: str, clock: Clock, clocks: Mapping[str, Clock]) -> int:
    """The check of a row with this clock, whose registers in ``clocks`` differ from it; below 2**40.

    A register that is named though its clock is the row's own counts as not named.
    """
    told = record_id.encode() + _packed(*clock)
    if clocks:
        for register in sorted(clocks):
            if clocks[register] != clock:
                told += register.encode() + _packed(*clocks[register])
    return int.from_bytes(blake2b(told, digest_size=CHECK_BYTES).digest())
