"""A group that changes its key keeps its round."""

from datetime import UTC, datetime

from core.sqlstore import SqlStore
from core.store import Drawn

AT = datetime(2026, 11, 22, tzinfo=UTC)


async def test_round_goes_with_the_chat_and_joins_what_is_there() -> None:
    store = SqlStore("sqlite://")
    for chat, entry in (("old", "a"), ("old", "b"), ("new", "b"), ("new", "c")):
        await store.draw(chat, "myth", lambda _seen, entry=entry: Drawn(entry), AT)  # type: ignore[misc]
    await store.move("old", "new")
    assert (await store.forget("old")).seen == 0
    assert (await store.forget("new")).seen == 3
    await store.close()
