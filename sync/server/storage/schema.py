"""The server's tables: one generic table of records, streams with gapless counters, and who may talk to the server.

Every key begins with the community, so that the same statements run on SQLite, PostgreSQL and a cluster that is
partitioned by community. Ids compare byte by byte on every engine.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

Id = Text().with_variant(Text(collation="C"), "postgresql")

meta = Table(
    "meta",
    metadata,
    Column("key", Id, primary_key=True),
    Column("value", Text, nullable=False),
)

stream = Table(
    "stream",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),  # removed rows and exits stood at or below it
    Column("rows", BigInteger, nullable=False, server_default="0"),  # living ones
    Column("sum", BigInteger, nullable=False, server_default="0"),  # of their checks
)

record = Table(
    "record",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("kind", Id, nullable=False),
    Column("stream", Id, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hlc", BigInteger, nullable=False),
    Column("dev", BigInteger, nullable=False),
    Column("clocks", Text, nullable=False),  # JSON {register: [hlc, dev]}, '' when none differs
    Column("deleted", Boolean, nullable=False),
    Column("parent", Id, nullable=False),  # the id that the kind's parent field names, '' when none
    Column("fields", Text, nullable=False),  # JSON {field: value}
    # Who made the row and when (ms), as long as no other write followed. When one does, the first goes into the
    # history, and ``at`` is 0 from then on: so what nobody changes, which is most, is stored once.
    Column("author", Id, nullable=False, server_default=""),
    Column("at", BigInteger, nullable=False, server_default="0"),
    Index("record_feed", "community", "stream", "seq"),
    Index("record_children", "community", "parent", "kind"),
    Index("record_deleted", "community", "id", postgresql_where=text("deleted"), sqlite_where=text("deleted")),
)

exit_ = Table(
    "exit",
    metadata,
    Column("community", Id, primary_key=True),
    Column("stream", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hlc", BigInteger, nullable=False),
    Column("dev", BigInteger, nullable=False),
    Index("exit_feed", "community", "stream", "seq"),
)

installation = Table(
    "installation",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

installation_account = Table(
    "installation_account",
    metadata,
    Column("community", Id, primary_key=True),
    Column("installation", Id, primary_key=True),
    Column("account", Id, primary_key=True),
    Column("added_at", BigInteger, nullable=False),
)

replica = Table(
    "replica",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("installation", Id, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("reply", LargeBinary, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("app", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("tag", Text, nullable=False),  # two characters or more, part of the numbers given to its demands
    Column("number_day", Text, nullable=False),  # the day of the last demand number given to this replica
    Column("number_last", Integer, nullable=False),
)

enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("community", Id, primary_key=True),
    Column("hash", Id, primary_key=True),
    Column("account", Id, nullable=False),
    Column("made_by", Id, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index("enrolment_code_hash", "hash"),
)

tried = Table(
    "tried",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("address", Id, nullable=False),  # hashed; it handed in a wrong one-time code
    Column("at", BigInteger, nullable=False),
    Index("tried_address", "community", "address", "at"),
)

history = Table(  # without the writes that records still hold: ``author`` and ``at``
    "history",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("hlc", BigInteger, primary_key=True, autoincrement=False),
    Column("dev", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Id, nullable=False),
    Column("author", Id, nullable=False),
    Column("fields", Text, nullable=False),  # JSON {field: value}, groups whole
    Column("given_by", Id, nullable=False, server_default=""),  # the installation that gave it back after a restore
)

wanted = Table(
    "wanted",
    metadata,
    Column("community", Id, primary_key=True),
    Column("replica", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Id, primary_key=True),
    Column("epoch", Id, nullable=False),
)

answered = Table(
    "answered",
    metadata,
    Column("community", Id, primary_key=True),
    Column("replica", BigInteger, primary_key=True, autoincrement=False),
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("reply", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

refused = Table(
    "refused",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("hlc", BigInteger, primary_key=True, autoincrement=False),
    Column("dev", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("refused_age", "community", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("community", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("account", Id, nullable=False),
    Column("installation", Id, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
)
