"""Adding a file to a record: what kinds of files there are, how large, and the operation that says so."""

from hashlib import sha256

from sync.domain.act import Act
from sync.domain.kinds.attachments import LARGEST
from sync.domain.operations import Operation, new
from sync.errors import RuleError

# By what they begin with: the name of a file proves nothing.
_BEGINNINGS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))


def media_type_of(data: bytes) -> str:
    """The type of a file by its first bytes.

    Raises RuleError('file', 'empty_file' | 'unknown_file').
    """
    if not data:
        raise RuleError("file", "empty_file")
    for beginning, media_type in _BEGINNINGS:
        if data.startswith(beginning):
            return media_type
    raise RuleError("file", "unknown_file")


def attach(act: Act, *, record_kind: str, record_id: str, data: bytes, name: str) -> Operation:
    """The operation that adds these bytes to a record; the bytes themselves are kept beside it.

    Raises RuleError('file', 'empty_file' | 'unknown_file' | 'file_too_large').
    """
    media_type = media_type_of(data)
    if len(data) > LARGEST:
        raise RuleError("file", "file_too_large", most=LARGEST // (1024 * 1024))
    return new(
        "attachment",
        act.id(),
        record_kind=record_kind,
        record_id=record_id,
        sha256=sha256(data).hexdigest(),
        size=len(data),
        media_type=media_type,
        name=name.strip()[:120],
        recorded_by=act.author,
        recorded_at=act.now,
    )
