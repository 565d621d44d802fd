"""Questions that people sent to the editors: the words and the day, and nothing about who asked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add one table."""
    op.create_table(
        "question",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
    )
    op.create_index("question_by_day", "question", ["day", "text"], unique=True)
