"""The commands Discord offers, typed or in a message's menu, made from core's table, and if they changed."""

from collections.abc import Sequence
from typing import Any

from bots.discord_read import PRIVATE
from core.commands import COMMANDS, Command
from core.phrases import Phrases

SERVERS, PEOPLE = 0, 1
"""Who may install the bot (Discord docs, Application Integration Types)."""

IN_SERVERS, IN_BOT_DM, IN_OTHER_CHATS = 0, 1, 2
"""Where commands are offered (Discord docs, Interaction Context Types)."""

MANAGE_SERVER = str(1 << 5)
"""The right that shows a command; whoever uses it is looked at again (Discord docs, Permissions)."""

_CHAT_INPUT, _ON_MESSAGE = 1, 3
_STRING, _BOOLEAN = 3, 5

Payload = dict[str, Any]


def slash_commands(phrases: Phrases) -> list[Payload]:
    """Every command, as Discord's bulk overwrite takes it."""
    offered = [command for command in COMMANDS if command.is_on("discord")]
    menus = [_on_message(command, phrases) for command in offered if command.on_message]
    return [_command(command, phrases) for command in offered] + menus


def same_commands(wanted: Sequence[Payload], registered: Sequence[Payload]) -> bool:
    """Whether Discord already offers just these; it adds fields and leaves out defaults."""
    return {_essence(command) for command in wanted} == {_essence(command) for command in registered}


def _command(command: Command, phrases: Phrases) -> Payload:
    options = [_part(name, values, phrases) for name, values in command.parts.items()]
    shown = phrases.say(f"takes.{command.takes}")
    if shown and not options:
        required = not shown.startswith("[")
        options.append({**_part(command.takes, (), phrases), "required": required})
    options.append({"type": _BOOLEAN, "name": PRIVATE, "description": phrases.say("slash.private")})
    return {
        "type": _CHAT_INPUT,
        "name": command.name,
        "description": phrases.say(f"menu.{command.name}"),
        "options": options,
        **_places(command),
    }


def _part(name: str, values: Sequence[str], phrases: Phrases) -> Payload:
    """An option that is typed: one of a few values, or with suggestions."""
    choices = [{"name": phrases.say(f"choice.{value.replace(' ', '_')}"), "value": value} for value in values]
    option = {"type": _STRING, "name": name, "description": phrases.say(f"slash.{name}"), "required": False}
    return {**option, "choices": choices} if choices else {**option, "autocomplete": True}


def _on_message(command: Command, phrases: Phrases) -> Payload:
    """The command in the menu of a message: it has a name only (Discord docs, Message Commands)."""
    return {"type": _ON_MESSAGE, "name": phrases.say(f"menu.{command.name}.message"), **_places(command)}


def _places(command: Command) -> Payload:
    return {
        "integration_types": [SERVERS] if command.member else [SERVERS, PEOPLE],
        "contexts": [IN_SERVERS, IN_BOT_DM] if command.member else [IN_SERVERS, IN_BOT_DM, IN_OTHER_CHATS],
        "default_member_permissions": MANAGE_SERVER if command.member else None,
    }


def _essence(command: Payload) -> tuple[object, ...]:
    options = tuple(
        (
            *(o["type"], o["name"], o["description"], bool(o.get("required")), bool(o.get("autocomplete"))),
            tuple((choice["name"], choice["value"]) for choice in o.get("choices") or ()),
        )
        for o in command.get("options") or []
    )
    kinds, places = command.get("integration_types") or (), command.get("contexts") or ()
    needs = command.get("default_member_permissions")
    kind, name, description = (
        command.get("type", _CHAT_INPUT),
        command["name"],
        command.get("description") or "",
    )
    return (kind, name, description, options, tuple(sorted(kinds)), tuple(sorted(places)), needs)
