"""The README's picture shows what the adapters send."""

import html

from tests.bench import picture
from tests.room import CONTENT, Room


async def test_the_page_shows_the_answer_and_its_buttons_on_both_platforms() -> None:
    entry = next(entry for entry in CONTENT.entries if entry.id == "m-very-addictive")
    reply = await Room().say("/myth addictive")
    shown = html.unescape(await picture.page("/myth addictive"))
    labels = [button.label for row in reply.buttons for button in row]
    links = [f">{link.label}</a>" for link in reply.links]
    for text in (entry.claim, entry.answer, entry.body, entry.must_not_miss, *labels, *links):
        assert shown.count(text) == 2, text
