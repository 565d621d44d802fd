"""What each chat has had in its round."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Add the first table."""
    op.create_table(
        "seen",
        sa.Column("chat_key", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("entry_id", sa.String(32), primary_key=True),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("seen_by_age", "seen", ["seen_ms"])
