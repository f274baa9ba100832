"""The steps that bring a file to the present shape, each with its record in one transaction; a shipped one stays."""

from sync.errors import StoreError
from sync.store import schema, upgrading
from sync.store.database import Database, Migrations, converted, immediate

migrations = Migrations("store")

_LOCAL_TABLES = (
    # what sync keeps about itself
    "CREATE TABLE sync_state (key TEXT PRIMARY KEY NOT NULL, value ANY) STRICT",
    "CREATE TABLE stream (id TEXT PRIMARY KEY NOT NULL) STRICT",
    """CREATE TABLE outbox (op INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
        action TEXT NOT NULL, hlc INTEGER NOT NULL, author TEXT NOT NULL, schema INTEGER NOT NULL,
        body BLOB NOT NULL, replaced TEXT NOT NULL, stream TEXT NOT NULL, moved INTEGER NOT NULL,
        made_at INTEGER NOT NULL) STRICT""",
    "CREATE INDEX outbox_by_id ON outbox (id)",
    """CREATE TABLE inflight (batch INTEGER PRIMARY KEY, digest BLOB NOT NULL, body BLOB NOT NULL,
        first_op INTEGER NOT NULL, last_op INTEGER NOT NULL) STRICT""",
    """CREATE TABLE quarantine (op INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, action TEXT NOT NULL,
        hlc INTEGER NOT NULL, author TEXT NOT NULL, schema INTEGER NOT NULL, body BLOB NOT NULL, replaced TEXT NOT NULL,
        stream TEXT NOT NULL, moved INTEGER NOT NULL, made_at INTEGER NOT NULL,
        code TEXT NOT NULL, field TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL,
        state TEXT NOT NULL) STRICT""",
    "CREATE INDEX quarantine_by_id ON quarantine (id)",
    "CREATE TABLE cursor (stream TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL) STRICT",
    """CREATE TABLE leaving (id TEXT NOT NULL, stream TEXT NOT NULL, hlc INTEGER NOT NULL, dev INTEGER NOT NULL,
        PRIMARY KEY (id, stream)) STRICT""",
    "CREATE TABLE sweep (kind TEXT NOT NULL, id TEXT PRIMARY KEY NOT NULL, stream TEXT NOT NULL) STRICT",
    "CREATE TABLE batch_log (batch INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
    """CREATE TABLE sync_history (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
        pushed INTEGER NOT NULL, pulled INTEGER NOT NULL, result TEXT NOT NULL) STRICT""",
    # what never leaves the device
    """CREATE TABLE draft (account_id TEXT NOT NULL, page TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (account_id, page, key)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE read_log (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, account_id TEXT NOT NULL,
        kind TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL) STRICT""",
    # what follows from the rows
    """CREATE TABLE household_contact (household_id TEXT PRIMARY KEY NOT NULL, building_id TEXT NOT NULL,
        stream TEXT NOT NULL, last_contact_on TEXT, last_visit_on TEXT, last_outcome TEXT NOT NULL,
        failed_bands TEXT NOT NULL, failed_count INTEGER NOT NULL) STRICT""",
    "CREATE INDEX household_contact_by_building ON household_contact (building_id)",
    """CREATE TABLE term_rows (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL UNIQUE,
        stream TEXT NOT NULL, household_id TEXT NOT NULL, name TEXT NOT NULL) STRICT""",
    "CREATE INDEX term_rows_by_household ON term_rows (household_id)",
    """CREATE VIRTUAL TABLE terms USING fts5 (t, content='', contentless_delete=1, detail=none, prefix='1 2 3',
        tokenize="unicode61 tokenchars '-'")""",
)


@migrations()
def m0001_local_tables(db: Database) -> None:
    """Everything that is not a kind."""
    for statement in _LOCAL_TABLES:
        db.conn.execute(statement)


@migrations()
def m0002_verified(db: Database) -> None:
    """What a stream was found to hold, where it began, which are downloaded again, and what is to be given back."""
    for statement in (
        "DROP TABLE sweep",
        "CREATE TABLE sweep (stream TEXT PRIMARY KEY NOT NULL) STRICT",
        "CREATE TABLE met (id TEXT PRIMARY KEY NOT NULL, stream TEXT NOT NULL) STRICT, WITHOUT ROWID",
        "ALTER TABLE cursor ADD COLUMN floor INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE verified (stream TEXT PRIMARY KEY NOT NULL, head INTEGER NOT NULL, rows INTEGER NOT NULL,
            sum INTEGER NOT NULL) STRICT""",
        "CREATE TABLE giving (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL) STRICT",
        "UPDATE sync_state SET value = 0 WHERE key = 'sweeping'",
        "DELETE FROM sync_state WHERE key = 'keeping'",
        # Whatever a file holds that has met its server came from a server of the first version.
        "INSERT INTO sync_state (key, value) SELECT 'served', 1 FROM sync_state WHERE key = 'epoch' AND value <> ''",
    ):
        db.conn.execute(statement)


@migrations()
def m0003_blobs(db: Database) -> None:
    """The bytes of attached files, and which of them are to travel."""
    for statement in (
        """CREATE TABLE blob (sha256 TEXT PRIMARY KEY NOT NULL, record TEXT NOT NULL, size INTEGER NOT NULL,
            way TEXT NOT NULL, have INTEGER NOT NULL, at INTEGER NOT NULL) STRICT""",
        """CREATE TABLE blob_piece (sha256 TEXT NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
            PRIMARY KEY (sha256, number)) STRICT""",
    ):
        db.conn.execute(statement)


@migrations()
def m0004_several_in_flight(db: Database) -> None:
    """What was refused of an answered batch, while later operations on the same records are in flight."""
    db.conn.execute("ALTER TABLE inflight ADD COLUMN refused TEXT NOT NULL DEFAULT ''")


def version(db: Database) -> int:
    """The schema number written in the file; 0 before the first migration."""
    with converted():
        return int(db.conn.execute("PRAGMA user_version").fetchone()[0])


def is_newer(db: Database) -> bool:
    """Whether a newer program has written this file."""
    return version(db) > schema.SCHEMA


def is_due(db: Database) -> bool:
    """Whether the file has to be changed before this program can work with it.

    Raises StoreError('newer') when a newer program has written it.
    """
    if is_newer(db):
        raise StoreError("newer", found=version(db), known=schema.SCHEMA)
    return version(db) < schema.SCHEMA or bool(migrations.pending(db)) or _catalogue(db) != schema.fingerprint()


def migrate(db: Database) -> None:
    """Bring the file to the present shape: the numbered steps, then what the catalogue asks for."""
    with converted():
        migrations.apply(db)
    with immediate(db):
        schema.align(db)
        upgrading.upgrade_unsent(db)
        db.conn.execute(
            "INSERT INTO sync_state (key, value) VALUES ('catalogue', ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (schema.fingerprint(),),
        )
        db.conn.execute(f"PRAGMA user_version = {schema.SCHEMA}")


def _catalogue(db: Database) -> str:
    found = db.conn.execute("SELECT value FROM sync_state WHERE key = 'catalogue'").fetchone()
    return "" if found is None else str(found[0])
