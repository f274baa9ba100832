"""Wrong one-time codes are counted here, for all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "tried",
        sa.Column("community", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("address", _ID, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("tried_address", "tried", ["community", "address", "at"])


def downgrade() -> None:
    """The way back is the backup made before the upgrade."""
    raise RuntimeError("restore the copy made before the upgrade")
