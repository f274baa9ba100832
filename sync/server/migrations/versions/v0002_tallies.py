"""What a stream's readers must hold, counted; what was asked for after a restore; answers to batches from bundles."""

import json

import sqlalchemy as sa
from alembic import op

from sync.domain.checks import row_check

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_AT_ONCE = 2_000


def upgrade() -> None:
    """Add the columns and tables, and count what is there."""
    op.add_column("stream", sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("stream", sa.Column("sum", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("history", sa.Column("given_by", _ID, nullable=False, server_default=""))
    op.create_index(
        "record_deleted",
        "record",
        ["community", "id"],
        postgresql_where=sa.text("deleted"),
        sqlite_where=sa.text("deleted"),
    )
    op.create_table(
        "wanted",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("replica", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("epoch", _ID, nullable=False),
    )
    op.create_table(
        "answered",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("replica", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("reply", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    _count(op.get_bind())


def _count(connection: sa.Connection) -> None:
    counted: dict[tuple[str, str], list[int]] = {}
    last = ("", "")
    while True:
        found = connection.execute(
            sa.text(
                "SELECT community, id, stream, hlc, dev, clocks, deleted FROM record "
                "WHERE (community, id) > (:community, :id) ORDER BY community, id LIMIT :some"
            ),
            {"community": last[0], "id": last[1], "some": _AT_ONCE},
        ).all()
        for row in found:
            if not row.deleted:
                clocks = {name: (hlc, dev) for name, (hlc, dev) in json.loads(row.clocks or "{}").items()}
                tally = counted.setdefault((row.community, row.stream), [0, 0])
                tally[0] += 1
                tally[1] += row_check(row.id, (row.hlc, row.dev), clocks)
        if len(found) < _AT_ONCE:
            break
        last = (found[-1].community, found[-1].id)
    for (community, stream), (rows, total) in counted.items():
        connection.execute(
            sa.text('UPDATE stream SET "rows" = :rows, "sum" = :sum WHERE community = :community AND id = :stream'),
            {"community": community, "stream": stream, "rows": rows, "sum": total},
        )


def downgrade() -> None:
    """The way back is the backup made before the upgrade."""
    raise RuntimeError("restore the copy made before the upgrade")
