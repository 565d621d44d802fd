"""What people say about answers, in the database: counts of thumbs, with nothing about who gave them."""

from datetime import date

from sqlalchemy import Column, Connection, Integer, String, Table, bindparam, func, select

from core.database import Database, metadata
from core.store import Tally

VOTE = Table(
    "vote",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("entry_id", String(32), primary_key=True),
    Column("up", Integer, nullable=False),
    Column("down", Integer, nullable=False),
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
