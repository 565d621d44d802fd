"""Thumbs up and down: how many an entry got on a day, and nothing about who gave them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add one table."""
    op.create_table(
        "vote",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("entry_id", sa.String(32), primary_key=True),
        sa.Column("up", sa.Integer, nullable=False),
        sa.Column("down", sa.Integer, nullable=False),
    )
