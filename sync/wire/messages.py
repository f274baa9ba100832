"""The messages of the protocol, each a struct; field names are what stands in the JSON.

Times are ms since 1970 unless a name says otherwise, dates 'YYYY-MM-DD'. A field that a reader does not know is left
aside: within a range of versions changes only add.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from sync.domain.clock import Clock
from sync.domain.operations import LARGEST_OPERATION, Action

# One integer, sent with every request, for the messages and for the fields of the kinds alike.
#
# version  since  what changed
# 1        0.1.0  the first
# 2        0.2.0  attached files; tallies of streams, giving back, bundles
SCHEMA = 2
SCHEMA_MIN = 1  # below it a pull is answered ``upgrade``; a push still works for two years

Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Id = Annotated[str, Meta(min_length=1, max_length=128)]  # of records, streams, replicas' epochs; all are shorter
Short = Annotated[str, Meta(max_length=1000)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]  # of a batch's body, in hexadecimal


class Limits(Struct, frozen=True, kw_only=True):
    """What one request may hold; told in the greeting, so that a client of another version keeps to the server's."""

    operations: int = 3_000
    json_bytes: int = 4 * 1024 * 1024
    operation_bytes: int = LARGEST_OPERATION
    inflated_bytes: int = 16 * 1024 * 1024
    rows: int = 2_000  # of a page


LIMITS = Limits()


class Problem(Struct, frozen=True, kw_only=True):
    """The body of every answer that is not 200: the code picks the words, the parameters fill them."""

    code: Short
    params: dict[str, Any] = {}


# ---------------------------------------------------------------------------------------------------- greeting


class StreamHead(Struct, frozen=True, array_like=True):
    """A stream that may be read: its last position, and the position below which a reader must start anew.

    ``rows`` and ``sum`` are what a reader at ``head`` must hold: the living rows and the sum of their checks.
    """

    id: Id
    head: Whole
    floor: Whole = 0
    rows: Whole = 0
    sum: Whole = 0


class Hello(Struct, frozen=True, kw_only=True):
    """The greeting, signed by the installation; ``device`` is the replica, a random 63-bit number."""

    device: Whole
    schema: Whole
    app: Short
    time: Whole
    fingerprint: Short = ""  # of the PC and the database file: tells a clone
    epoch: Annotated[str, Meta(max_length=128)] = ""  # the server's life as last met; "" before the first greeting
    batches: list[tuple[int, str]] = []  # the last ones sent, (number, digest), the latest last
    cursors: dict[Id, Whole] = {}
    level: Short = ""  # ``digest_heads`` of the list as last met, all of it reached; then ``cursors`` may be left out


class HelloReply(Struct, frozen=True, kw_only=True):
    """What the server holds for this replica; nothing to push or pull when it agrees with what the replica holds."""

    epoch: Id
    time: Whole
    schema: tuple[int, int]  # served from, to
    limits: Limits
    batch: Whole  # the last one of this replica that is done
    digest: str  # its digest, "" when there was none
    streams: list[StreamHead]
    sync_window_s: Whole = 30  # routine sessions are spread over so many seconds
    sealing_key: bytes = b""  # X25519, 32 bytes: what a bundle for this server is sealed with
    signing_key: bytes = b""  # Ed25519, 32 bytes: what this server signs its bundles with
    is_level: bool = False  # the list is the one of ``level``, and is not told again
    is_anew: bool = False  # in your own epoch: what you are ahead by is lost, so do as if you had just met this epoch


# ---------------------------------------------------------------------------------------------------- push


class Group(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Operations of one kind, action, replica and author that carry the same fields, by columns.

    ``at`` says where each stood in the batch: the first place, then the distance to the next.
    """

    kind: Id
    action: Action
    device: Whole
    author: Annotated[str, Meta(max_length=128)]
    at: list[Whole]
    id: list[Id]
    hlc: list[Whole]
    fields: list[Id]
    cols: list[list[Any]]  # a list of values for each field
    prev_of: list[Id] = []  # registers
    prev: list[list[Clock]] = []  # for each operation the clocks of those registers
    clocks: list[dict[str, Clock]] = []  # ``state`` only


class Push(Struct, frozen=True, kw_only=True):
    """One batch; sent again it is the same bytes."""

    device: Whole
    batch: Whole
    epoch: Id
    schema: Whole
    groups: list[Group]


class Refusal(Struct, frozen=True, array_like=True):
    """An operation that was not accepted, by its place in the batch."""

    op: Whole
    code: str
    field: str = ""


class Conflict(Struct, frozen=True, array_like=True):
    """An operation that was accepted while another person had changed the same register unseen."""

    op: Whole
    register: str


class Withdraw(Struct, frozen=True, kw_only=True):
    """Batches without an answer, from ``batch`` on, that are to count as taken with nothing in them.

    ``digests`` are those of their bodies, in the order of their numbers.
    """

    device: Whole
    batch: Whole
    epoch: Id
    schema: Whole
    digests: Annotated[list[Digest], Meta(min_length=1, max_length=64)]


class PushReply(Struct, frozen=True, kw_only=True):
    """Only what is not plain acceptance, and the positions given: ``ranges`` names (first, last) of each stream.

    ``void``, unless 0: nothing of this batch nor of those up to that number was applied, nor ever will be, for they
    were withdrawn; what was in them is to be sent under later numbers.
    """

    batch: Whole
    void: Whole = 0
    refused: list[Refusal] = []
    conflicts: list[Conflict] = []
    ranges: dict[str, tuple[int, int]] = {}


# ---------------------------------------------------------------------------------------------------- pull


class Pull(Struct, frozen=True, kw_only=True):
    """Give me what came after these positions."""

    device: Whole
    epoch: Id
    schema: Whole
    streams: dict[Id, Whole]
    limit: Whole = LIMITS.rows


class RowTable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows of one kind in one stream that carry the same fields, by columns."""

    kind: Id
    stream: Id
    fields: list[Id]
    id: list[Id]
    seq: list[Whole]
    hlc: list[Whole]  # the row's clock, with the replica below
    device: list[Whole]
    cols: list[list[Any]]
    clocks: list[dict[str, Clock]] = []  # of the registers that differ from the row's; [] when none does in any row
    deleted: list[int] = []  # places of the deleted ones in this table


class Exit(Struct, frozen=True, array_like=True):
    """A record that left a stream, with the clock of what moved it."""

    stream: Id
    seq: Whole
    id: Id
    hlc: Whole
    device: Whole


class PullReply(Struct, frozen=True, kw_only=True):
    """A page: rows, exits, the positions to go on from, and which streams may be read now."""

    tables: list[RowTable]
    exits: list[Exit]
    cursors: dict[str, Whole]
    more: bool
    streams: list[StreamHead]


# ---------------------------------------------------------------------------------------------------- attached files


class BlobReply(Struct, frozen=True, kw_only=True):
    """How many bytes of an attached file the server has, on its disk."""

    have: Whole


# ---------------------------------------------------------------------------------------------------- giving back


class Digests(Struct, frozen=True, kw_only=True):
    """After a restore: the rows a device holds, without its unsent work, each with its check."""

    device: Whole
    epoch: Id
    schema: Whole
    id: list[Id]
    check: list[Whole]


class DigestsReply(Struct, frozen=True, kw_only=True):
    """The places of the rows that the restored server lacks or has in another version: give them back as ``state``."""

    want: list[Whole]


# ---------------------------------------------------------------------------------------------------- letting in


class Enrol(Struct, frozen=True, kw_only=True):
    """The first request of an installation, signed with the very key it brings.

    A file that a server knows no more, restored from a backup of before, comes again with its own key and another code.
    """

    code: Short
    public_key: bytes  # 32, as base64 in the JSON
    fingerprint: Short = ""
    app: Short = ""
    name: Short = ""  # of the PC, as people call it
    community: Short = ""  # of a file that is there already: a code of another community is not for it


class EnrolReply(Struct, frozen=True, kw_only=True):
    """Who this installation is from now on, and whose account the code was made for."""

    community: Id
    installation: Id
    account: Id
    time: Whole
    sync_window_s: Whole  # the routine session starts at a random moment within so many seconds
    epoch: Annotated[str, Meta(max_length=128)] = ""  # this and the keys are what a first bundle needs
    sealing_key: bytes = b""
    signing_key: bytes = b""


class GrantWish(Struct, frozen=True, kw_only=True):
    """A role in an area for a new person."""

    role: Short
    scope_kind: Short
    scope_id: Id
    valid_to: Annotated[str, Meta(max_length=10)] | None = None


class AddPerson(Struct, frozen=True, kw_only=True):
    """The secretary adds a person, or asks for a new code for one; ``account`` is made on the PC."""

    by: Id  # the account that asks
    account: Id
    name: Short = ""  # "" for a person who is known already
    title: Short = ""
    grants: list[GrantWish] = []


class AddPersonReply(Struct, frozen=True, kw_only=True):
    """The one-time code, shown once and stored nowhere."""

    account: Id
    code: str
    expires_at: Whole
