"""What a chat has set or was told once: its key and a word."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add one table."""
    op.create_table(
        "mark",
        sa.Column("chat_key", sa.String(128), primary_key=True),
        sa.Column("name", sa.String(16), primary_key=True),
    )
