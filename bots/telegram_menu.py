"""The bot's menu and descriptions at Telegram, changed only where they differ."""

import asyncio
import logging
from collections.abc import Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)
from telegram.error import TelegramError

from core.commands import COMMANDS
from core.content import Content
from core.phrases import Phrases

log = logging.getLogger(__name__)

TRIES = (1.0, 5.0, 60.0)
"""Seconds to wait before each try; the menu can wait, the answers can't."""


def menus(phrases: Phrases) -> list[tuple[BotCommandScope, list[BotCommand]]]:
    """The commands that each kind of chat shows."""
    by_name = {command.name: command for command in COMMANDS if command.is_on("telegram")}
    every = [BotCommand(name, phrases.say(f"menu.{name}")) for name in by_name]
    private = [row for row in every if not by_name[row.command].shared]
    admins = [row for row in every if not by_name[row.command].alone]
    members = [row for row in admins if not by_name[row.command].admins]
    return [
        (BotCommandScopeAllPrivateChats(), private),
        (BotCommandScopeAllGroupChats(), members),
        (BotCommandScopeAllChatAdministrators(), admins),
    ]


async def keep_menu(bot: Bot, content: Content, phrases: Phrases) -> None:
    """Bring menu and descriptions up to date; what fails thrice waits for the next start."""
    for pause in TRIES:
        await asyncio.sleep(pause)
        try:
            changed = await _update(bot, content, phrases)
        except TelegramError as error:
            log.info("menu not updated error=%s", type(error).__name__)
        else:
            log.info("menu up to date changed=%d", changed)
            return


async def _update(bot: Bot, content: Content, phrases: Phrases) -> int:
    changed = 0
    for scope, commands in menus(phrases):
        if not _same(await bot.get_my_commands(scope), commands):
            await bot.set_my_commands(commands, scope)
            changed += 1
    if (await bot.get_my_description()).description != content.bot.about:
        await bot.set_my_description(content.bot.about)
        changed += 1
    short = phrases.say("menu.short", topic=content.bot.topic)
    if (await bot.get_my_short_description()).short_description != short:
        await bot.set_my_short_description(short)
        changed += 1
    return changed


def _same(there: Sequence[BotCommand], wanted: Sequence[BotCommand]) -> bool:
    pairs = [(row.command, row.description) for row in there]
    return pairs == [(row.command, row.description) for row in wanted]
