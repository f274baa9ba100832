"""The first shape: records, streams, exits, history, and who may talk to the server."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "meta",
        sa.Column("key", _ID, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "stream",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", _ID, nullable=False),
        sa.Column("stream", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hlc", sa.BigInteger, nullable=False),
        sa.Column("dev", sa.BigInteger, nullable=False),
        sa.Column("clocks", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("parent", _ID, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
    )
    op.create_index("record_children", "record", ["community", "parent", "kind"])
    op.create_index("record_feed", "record", ["community", "stream", "seq"])
    op.create_table(
        "exit",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("stream", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hlc", sa.BigInteger, nullable=False),
        sa.Column("dev", sa.BigInteger, nullable=False),
    )
    op.create_index("exit_feed", "exit", ["community", "stream", "seq"])
    op.create_table(
        "installation",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "installation_account",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("installation", _ID, primary_key=True),
        sa.Column("account", _ID, primary_key=True),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "replica",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("installation", _ID, nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("reply", sa.LargeBinary, nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("number_day", sa.Text, nullable=False),
        sa.Column("number_last", sa.Integer, nullable=False),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("hash", _ID, primary_key=True),
        sa.Column("account", _ID, nullable=False),
        sa.Column("made_by", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=True),
    )
    op.create_index("enrolment_code_hash", "enrolment_code", ["hash"])
    op.create_table(
        "history",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("hlc", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dev", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", _ID, nullable=False),
        sa.Column("author", _ID, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
    )
    op.create_table(
        "refused",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("hlc", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dev", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("refused_age", "refused", ["community", "at"])
    op.create_table(
        "audit",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("installation", _ID, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """There is nothing before the first shape: the way back is a backup."""
    raise RuntimeError("restore the copy made before the upgrade")
