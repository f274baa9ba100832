"""The write that made a record stands in the record itself, until a second one comes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Records made before have theirs in the history already: the columns' defaults say so."""
    op.add_column("record", sa.Column("author", _ID, nullable=False, server_default=""))
    op.add_column("record", sa.Column("at", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    """The way back is the backup made before the upgrade."""
    raise RuntimeError("restore the copy made before the upgrade")
