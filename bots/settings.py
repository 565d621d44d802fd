"""The environment and .env as frozen Settings, or one clear line on what is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import SettingsError

KEYS = {
    "TELEGRAM_TOKEN": "the bot's token from @BotFather",
    "DISCORD_TOKEN": "the bot's token from the Discord developer portal",
    "TELEGRAM_API_URL": "another Bot API server, without /bot",
    "TELEGRAM_TRANSPORT": "aiohttp, or httpx for the library's own",
    "CONTENT_PATH": "the content file",
    "DATABASE_URL": "where rounds are kept",
    "LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR",
}
"""Every setting there is, with what it is for."""

_LINE = re.compile(
    r"""(?:export\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
        (?P<value>"[^"]*"|'[^']*'|[^\s\#].*?|)(?:\s+\#.*)?""",
    re.VERBOSE,
)
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_QUOTED = re.compile(r"^(['\"])(.*)\1$")


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Tokens and passwords never show in a log: they are left out of repr."""

    telegram_token: str = field(default="", repr=False)
    discord_token: str = field(default="", repr=False)
    telegram_api_url: str = "https://api.telegram.org"
    telegram_transport: str = "aiohttp"
    content_path: Path = Path("content.yaml")
    database_url: str = field(default="sqlite:///ketafacts.db", repr=False)
    log_level: str = "INFO"


def read_settings(environment: Mapping[str, str], dotenv: Path = Path(".env")) -> Settings:
    """Settings from the environment, which wins, and the file `dotenv`, if there is one.

    Raises:
        SettingsError: an unknown key in the file, or a malformed value.
    """
    values = {**_read_dotenv(dotenv), **{key: environment[key] for key in KEYS if key in environment}}
    values = {key: value.strip() for key, value in values.items() if value.strip()}
    _check(values)
    default = Settings()
    return Settings(
        telegram_token=values.get("TELEGRAM_TOKEN", default.telegram_token),
        discord_token=values.get("DISCORD_TOKEN", default.discord_token),
        telegram_api_url=values.get("TELEGRAM_API_URL", default.telegram_api_url).rstrip("/"),
        telegram_transport=values.get("TELEGRAM_TRANSPORT", default.telegram_transport).lower(),
        content_path=_path(values.get("CONTENT_PATH", str(default.content_path))),
        database_url=values.get("DATABASE_URL", default.database_url),
        log_level=values.get("LOG_LEVEL", default.log_level).upper(),
    )


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} can't be read; save it as UTF-8 text") from error
    except OSError as error:
        message = f"{path} can't be read ({error.strerror}); make it a readable file or remove it"
        raise SettingsError(message) from error
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if not match:
            raise SettingsError(f"{path}:{number}: write it as KEY=value")
        if match["key"] not in KEYS:
            raise SettingsError(f"{path}:{number}: {match['key']} is no setting; known: {', '.join(KEYS)}")
        values[match["key"]] = _QUOTED.sub(r"\2", match["value"].strip())
    return values


def _check(values: Mapping[str, str]) -> None:
    token = values.get("TELEGRAM_TOKEN")
    if token and not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]{20,}", token):
        raise SettingsError("TELEGRAM_TOKEN is malformed; copy it from @BotFather, like 123456:ABC-DEF...")
    token = values.get("DISCORD_TOKEN")
    if token and not re.fullmatch(r"[A-Za-z0-9_.-]{20,}", token):
        raise SettingsError("DISCORD_TOKEN is malformed; copy it from the developer portal, under Bot")
    url = values.get("TELEGRAM_API_URL")
    if url and not _is_address(url):
        raise SettingsError("TELEGRAM_API_URL is malformed; write it like http://127.0.0.1:8081")
    if url and re.search(r"/bot([0-9]+:[^/]*)?/*$", url):
        raise SettingsError("TELEGRAM_API_URL ends in /bot; leave that out")
    transport = values.get("TELEGRAM_TRANSPORT")
    if transport and transport.lower() not in ("aiohttp", "httpx"):
        raise SettingsError(f"TELEGRAM_TRANSPORT is {transport!r}; use aiohttp or httpx")
    level = values.get("LOG_LEVEL")
    if level and level.upper() not in _LEVELS:
        raise SettingsError(f"LOG_LEVEL is {level!r}; use DEBUG, INFO, WARNING or ERROR")
    database = values.get("DATABASE_URL")
    if database and "://" not in database:
        examples = "sqlite:///ketafacts.db or postgresql://user:password@host/name"
        raise SettingsError(f"DATABASE_URL is malformed; write it like {examples}")
    if database and re.fullmatch(r"sqlite(\+\w+)?:///?(:memory:)?(\?.*)?", database):
        message = "names no file, so all would be forgotten at the end; write it like sqlite:///ketafacts.db"
        raise SettingsError(f"DATABASE_URL {message}")


def _is_address(url: str) -> bool:
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        return False
    return bool(re.fullmatch(r"https?://\S+", url) and host and port != 0)


def _path(written: str) -> Path:
    try:
        return Path(written).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"CONTENT_PATH is {written!r}; there is no such home folder") from error
