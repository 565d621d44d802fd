"""No index on the age of rounds: nothing looks entries up by age alone, and every draw paid for it."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Drop the index."""
    op.drop_index("seen_by_age", "seen")
