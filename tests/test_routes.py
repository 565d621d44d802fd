"""No command and no button is left out when the drivers go through them."""

from dataclasses import replace

import pytest

from core.chat import Surface
from core.commands import COMMANDS
from tests.bench.routes import WAYS, WORDS, Way, typed, untold
from tests.room import GROUP, PERSON, Room, actions

MENU = replace(GROUP, platform="discord", surface=Surface.MENU, can_whisper=True, may_share=True)


def test_every_command_is_typed_bare_and_with_what_it_takes() -> None:
    for command in COMMANDS:
        assert f"/{command.name}" in typed()
        assert f"/{command.name} {WORDS[command.takes]}".strip() in typed()


def test_there_is_a_way_to_every_button() -> None:
    assert untold() == set()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("alone", [True, False])
async def test_each_way_leads_to_its_button(room: Room, way: Way, alone: bool) -> None:
    room.facts.admin = True
    there = PERSON if alone else GROUP
    if way.unasked:
        await room.say("/listen on", there)
        there = replace(there, addressed=alone)
    if way.menu:
        there = replace(MENU, replied_text=way.text)
    reply = await room.say("/check" if way.menu else way.text, there)
    for step in way.steps:
        offered = [action for action in actions(reply) if action.partition(":")[0] == step]
        if (way.alone and not alone) or (way.unasked and alone):
            assert not offered
            return
        assert offered, (step, actions(reply))
        quoted = next((block.text for block in reply.blocks if block.style == "quote"), None)
        reply = await room.press(offered[0], replace(there, surface=Surface.BUTTON, quoted=quoted))
    assert reply.title
