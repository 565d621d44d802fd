"""What people say about answers, in the database, with nothing about who says it: thumbs and questions."""

from datetime import date

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from core.database import Database
from core.migration import metadata
from core.store import Question, Tally

VOTE = Table(
    "vote",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("entry_id", String(32), primary_key=True),
    Column("up", Integer, nullable=False),
    Column("down", Integer, nullable=False),
)

QUESTION = Table(
    "question",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("day", String(10), nullable=False),
    Column("text", String(500), nullable=False),
    Index("question_by_day", "day", "text", unique=True),
)

_TALLIES = (
    select(VOTE.c.entry_id, func.sum(VOTE.c.up), func.sum(VOTE.c.down))
    .where(VOTE.c.day >= bindparam("since"))
    .group_by(VOTE.c.entry_id)
    .order_by(func.sum(VOTE.c.down).desc(), func.sum(VOTE.c.up).desc(), VOTE.c.entry_id)
)


class FeedbackTables(Database):
    """The part of the store that `Feedback` asks for."""

    async def count_votes(self, day: date, tally: Tally) -> None:
        """See `Feedback.count_votes`."""
        row = {"day": day.isoformat(), "entry_id": tally.entry_id, "up": tally.up, "down": tally.down}
        counted = self.upsert(VOTE, add=("up", "down"))
        await self.run(lambda connection: connection.execute(counted, row))

    async def votes(self, since: date) -> list[Tally]:
        """See `Feedback.votes`."""

        def work(connection: Connection) -> list[Tally]:
            rows = connection.execute(_TALLIES, {"since": since.isoformat()})
            return [Tally(entry_id, int(up), int(down)) for entry_id, up, down in rows]

        return await self.run(work)

    async def keep_question(self, text: str, day: date, most: int) -> bool:
        """See `Feedback.keep_question`."""

        def work(connection: Connection) -> bool:
            row = {"day": day.isoformat(), "text": text}
            same = select(QUESTION.c.id).where(QUESTION.c.day == row["day"], QUESTION.c.text == text)
            if connection.scalar(same) is not None:
                return True
            if (connection.scalar(select(func.count()).select_from(QUESTION)) or 0) >= most:
                return False
            connection.execute(insert(QUESTION), row)
            return True

        return await self.run(work)

    async def questions(self) -> list[Question]:
        """See `Feedback.questions`."""

        def work(connection: Connection) -> list[Question]:
            rows = connection.execute(select(QUESTION).order_by(QUESTION.c.id))
            return [Question(row.id, date.fromisoformat(row.day), row.text) for row in rows]

        return await self.run(work)

    async def clear_questions(self, through: int) -> int:
        """See `Feedback.clear_questions`."""
        old = delete(QUESTION).where(QUESTION.c.id <= through)
        gone = await self.run(lambda connection: connection.execute(old).rowcount)
        await self.scrub()
        return gone
