"""Files that somebody added to a record of his own will; no step of any flow asks for one."""

from typing import Annotated

from sync.domain.fields import YEAR, Policy, Privacy, Purpose, Record, Slot, Type, mark

_attachment = Slot(Privacy.K2, Purpose.VISITING, retention_days=3 * YEAR, since=2)

MEDIA_TYPES = ("image/jpeg", "image/png", "application/pdf")
LARGEST = 20 * 1024 * 1024  # bytes of one file


class Attachment(Record, frozen=True, kw_only=True):
    """What is known of a file; its bytes travel by themselves, known by their SHA-256, after everything else."""

    record_kind: Annotated[str, _attachment(mark("Sort"), policy=Policy.ONCE, limit=40)] = ""
    record_id: Annotated[str, _attachment(mark("Record"), policy=Policy.ONCE)] = ""
    sha256: Annotated[str, _attachment(mark("Checksum"), policy=Policy.ONCE, limit=64)] = ""
    size: Annotated[int, _attachment(mark("Size"), Type.INTEGER, Policy.ONCE)] = 0
    media_type: Annotated[str, _attachment(mark("Type of file"), policy=Policy.ONCE, options=MEDIA_TYPES)] = ""
    name: Annotated[str, _attachment(mark("Name of the file"), limit=120)] = ""
    recorded_by: Annotated[str, _attachment(mark("Recorded by"), policy=Policy.ONCE, refers="account")] = ""
    recorded_at: Annotated[int, _attachment(mark("Recorded at"), Type.INSTANT, Policy.ONCE)] = 0


KINDS = {
    "attachment": (Attachment, mark("File"), None, "record_id"),
}
