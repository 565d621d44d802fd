"""What a library logs can't tell a token or a message; what we log can."""

import logging

import pytest
from aiohttp import ClientConnectorError, ClientSession

from bots.logs import Discreet

TOKEN = "123456:" + "a" * 35


def line(name: str, message: str, *values: object, error: Exception | None = None) -> str:
    trace = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, "x.py", 1, message, values, trace)
    return Discreet([TOKEN, ""]).format(record)


def test_own_lines_stay_whole_but_for_tokens() -> None:
    assert line("bots.telegram", "sent=%d", 5).endswith("ERROR bots.telegram sent=5")
    assert TOKEN not in line("core.app", "address %s", f"http://t/bot{TOKEN}/getMe")


def test_librarys_values_are_left_out() -> None:
    shown = line("telegram.Bot", 'Can not load invalid JSON data: "%s"', "what somebody wrote")
    assert shown.endswith('telegram.Bot Can not load invalid JSON data: "%s"')


def test_librarys_errors_show_their_kind_alone() -> None:
    shown = line("asyncio", "Task exception was never retrieved\nfuture: secret", error=ValueError("secret"))
    assert shown.endswith("asyncio Task exception was never retrieved error=ValueError")


async def test_librarys_errors_name_the_host_that_was_not_reached() -> None:
    async with ClientSession() as session:
        with pytest.raises(ClientConnectorError) as caught:
            await session.get("http://ada:secret@127.0.0.1:1/secret")
    shown = line("discord.client", "Attempting a reconnect in %.2fs", 1.0, error=caught.value)
    assert shown.endswith("Attempting a reconnect in %.2fs error=ClientConnectorError host=127.0.0.1")


def test_line_without_words_is_no_fault() -> None:
    assert line("httpx", "").endswith("httpx ")
