"""Daily posts: what chats want, what was posted on each day, and when each entry was last posted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add three tables and one for notes about the database itself."""
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("chat_key", sa.String(64), nullable=False),
        sa.Column("thread", sa.String(64)),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("minute", sa.SmallInteger, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("days", sa.SmallInteger, nullable=False),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("set_by", sa.String(64), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("paused_until", sa.String(10)),
        sa.Column("done_day", sa.String(10), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("next_due_ms", sa.BigInteger),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("subscription_by_chat", "subscription", ["platform", "chat_key"], unique=True)
    op.create_index("subscription_by_due", "subscription", ["platform", "next_due_ms", "id"])
    op.create_table(
        "post",
        sa.Column("subscription_id", sa.Integer, primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("slot", sa.SmallInteger, primary_key=True),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("message_key", sa.String(64)),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("unsure", sa.Boolean, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("post_by_day", "post", ["day"])
    op.create_table(
        "posted",
        sa.Column("subscription_id", sa.Integer, primary_key=True),
        sa.Column("entry_id", sa.String(32), primary_key=True),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("posted_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "note",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.String(128), nullable=False),
    )
