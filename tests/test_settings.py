from pathlib import Path

import pytest

from bots.settings import KEYS, Settings, read_settings
from core.errors import SettingsError

TELEGRAM = "123456789:" + "A" * 35
DISCORD = "M" * 24 + ".abcdef." + "x" * 27


def from_file(tmp_path: Path, text: str | bytes, environment: dict[str, str] | None = None) -> Settings:
    """The settings that a .env file with this text gives."""
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_settings(environment or {}, dotenv)


def complaint(environment: dict[str, str], tmp_path: Path) -> str:
    """What is said about an environment that can't be used."""
    with pytest.raises(SettingsError) as caught:
        read_settings(environment, tmp_path / "none")
    return str(caught.value)


def test_without_environment_and_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path / "none")
    assert settings.telegram_token == ""
    assert settings.discord_token == ""
    assert settings.telegram_api_url == "https://api.telegram.org"
    assert settings.content_path == Path("content.yaml")
    assert settings.database_url == "sqlite:///ketafacts.db"
    assert settings.log_level == "INFO"


def test_every_setting_is_read_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "TELEGRAM_TOKEN": TELEGRAM,
        "DISCORD_TOKEN": DISCORD,
        "TELEGRAM_API_URL": "http://127.0.0.1:8081/",
        "TELEGRAM_TRANSPORT": "HTTPX",
        "CONTENT_PATH": "/srv/tea.yaml",
        "DATABASE_URL": "postgresql://db/tea",
        "LOG_LEVEL": "debug",
    }
    assert set(environment) == set(KEYS)
    assert read_settings(environment, tmp_path / "none") == Settings(
        telegram_token=TELEGRAM,
        discord_token=DISCORD,
        telegram_api_url="http://127.0.0.1:8081",
        telegram_transport="httpx",
        content_path=Path("/srv/tea.yaml"),
        database_url="postgresql://db/tea",
        log_level="DEBUG",
    )


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = from_file(tmp_path, "LOG_LEVEL=ERROR\nCONTENT_PATH=file.yaml\n", {"LOG_LEVEL": "WARNING"})
    assert settings.log_level == "WARNING"
    assert settings.content_path == Path("file.yaml")


def test_unknown_names_in_the_environment_are_none_of_ours(tmp_path: Path) -> None:
    assert read_settings({"HOME": "/root", "LOG": "x"}, tmp_path / "none") == Settings()


def test_empty_values_leave_the_default(tmp_path: Path) -> None:
    assert from_file(tmp_path, "TELEGRAM_TOKEN=\nLOG_LEVEL=''\nCONTENT_PATH=  \n") == Settings()
    assert read_settings({"DATABASE_URL": " "}, tmp_path / "none") == Settings()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("CONTENT_PATH=tea.yaml", "tea.yaml"),
        ("CONTENT_PATH=tea.yaml\r\n", "tea.yaml"),
        ("  CONTENT_PATH = tea.yaml  ", "tea.yaml"),
        ("export CONTENT_PATH=tea.yaml", "tea.yaml"),
        ('CONTENT_PATH="my tea.yaml"', "my tea.yaml"),
        ("CONTENT_PATH='my tea.yaml'", "my tea.yaml"),
        ('CONTENT_PATH="', '"'),
        ('CONTENT_PATH="it\'s.yaml"', "it's.yaml"),
        ("CONTENT_PATH=tea.yaml # the good one", "tea.yaml"),
        ('CONTENT_PATH="tea # 1.yaml" # the good one', "tea # 1.yaml"),
        ("CONTENT_PATH=tea#1.yaml", "tea#1.yaml"),
        ("CONTENT_PATH=  # none yet", "content.yaml"),
        ("CONTENT_PATH=a=b.yaml", "a=b.yaml"),
        ("# CONTENT_PATH=old.yaml\n\n   # more\nCONTENT_PATH=tea.yaml", "tea.yaml"),
        ("CONTENT_PATH=old.yaml\nCONTENT_PATH=tea.yaml", "tea.yaml"),
        ("CONTENT_PATH=thé.yaml", "thé.yaml"),
        ("\ufeffCONTENT_PATH=tea.yaml", "tea.yaml"),
        ("", "content.yaml"),
        ("CONTENT_PATH=a\\1b.yaml", "a\\1b.yaml"),
    ],
)
def test_a_line_of_the_file_is_read(tmp_path: Path, text: str, path: str) -> None:
    assert from_file(tmp_path, text).content_path == Path(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# mine\nTELEGRAM_TOKN=x", ":2: TELEGRAM_TOKN is no setting; known: TELEGRAM_TOKEN, DISCORD_TOKEN,"),
        ("log_level=INFO", ":1: log_level is no setting; known: "),
        ("\n\nhello", ":3: write it as KEY=value"),
        ("TELEGRAM_TOKEN: abc", ":1: write it as KEY=value"),
        ("=abc", ":1: write it as KEY=value"),
        ("1KEY=abc", ":1: write it as KEY=value"),
        ("CONTENT_PATH=#tea", ":1: write it as KEY=value"),
        (b"CONTENT_PATH=th\xe9", " can't be read; save it as UTF-8 text"),
        ("LOG_LEVEL=INFO".encode("utf-16"), " can't be read; save it as UTF-8 text"),
    ],
)
def test_a_bad_line_of_the_file_gives_one_clear_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_file(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / '.env'}{message}")
    assert "\n" not in str(caught.value)


def test_a_bad_line_is_told_without_its_secret(tmp_path: Path) -> None:
    for line in (f"TOKEN={TELEGRAM}", f"TELEGRAM_TOKEN {TELEGRAM}"):
        with pytest.raises(SettingsError) as caught:
            from_file(tmp_path, line)
        assert "AAA" not in str(caught.value)


def test_a_folder_called_dotenv_gives_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"can't be read \(.+\); make it a readable file or remove it$"):
        read_settings({}, tmp_path)


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert from_file(tmp_path, "CONTENT_PATH=~/tea.yaml").content_path == tmp_path / "tea.yaml"


@pytest.mark.parametrize("url", ["https://tea.example:8081/bots/", "http://[::1]:8081", "http://tea/bot/api"])
def test_addresses_of_servers_are_taken(tmp_path: Path, url: str) -> None:
    settings = read_settings({"TELEGRAM_API_URL": url}, tmp_path / "none")
    assert settings.telegram_api_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "TELEGRAM_TOKEN",
            "abc",
            "TELEGRAM_TOKEN is malformed; copy it from @BotFather, like 123456:ABC-DEF...",
        ),
        (
            "TELEGRAM_TOKEN",
            "bot" + TELEGRAM,
            "TELEGRAM_TOKEN is malformed; copy it from @BotFather, like 123456:ABC-DEF...",
        ),
        (
            "TELEGRAM_TOKEN",
            "123456789:" + "А" * 35,  # Cyrillic
            "TELEGRAM_TOKEN is malformed; copy it from @BotFather, like 123456:ABC-DEF...",
        ),
        (
            "TELEGRAM_TOKEN",
            "١٢٣٤:" + "A" * 35,
            "TELEGRAM_TOKEN is malformed; copy it from @BotFather, like 123456:ABC-DEF...",
        ),
        (
            "DISCORD_TOKEN",
            "Bot abc",
            "DISCORD_TOKEN is malformed; copy it from the developer portal, under Bot",
        ),
        (
            "DISCORD_TOKEN",
            "é" * 30,
            "DISCORD_TOKEN is malformed; copy it from the developer portal, under Bot",
        ),
        (
            "TELEGRAM_API_URL",
            "127.0.0.1:8081",
            "TELEGRAM_API_URL is malformed; write it like http://127.0.0.1:8081",
        ),
        (
            "TELEGRAM_API_URL",
            "http://a b",
            "TELEGRAM_API_URL is malformed; write it like http://127.0.0.1:8081",
        ),
        ("TELEGRAM_API_URL", "http://localhost/bot", "TELEGRAM_API_URL ends in /bot; leave that out"),
        ("TELEGRAM_API_URL", "http://localhost/bot/", "TELEGRAM_API_URL ends in /bot; leave that out"),
        (
            "TELEGRAM_API_URL",
            f"http://localhost/bot{TELEGRAM}/",
            "TELEGRAM_API_URL ends in /bot; leave that out",
        ),
        (
            "CONTENT_PATH",
            "~nobody-here/tea",
            "CONTENT_PATH is '~nobody-here/tea'; there is no such home folder",
        ),
        ("LOG_LEVEL", "NOTSET", "LOG_LEVEL is 'NOTSET'; use DEBUG, INFO, WARNING or ERROR"),
        ("LOG_LEVEL", "chatty", "LOG_LEVEL is 'chatty'; use DEBUG, INFO, WARNING or ERROR"),
        ("LOG_LEVEL", "a\nb", "LOG_LEVEL is 'a\\nb'; use DEBUG, INFO, WARNING or ERROR"),
        (
            "DATABASE_URL",
            "tea.db",
            "DATABASE_URL is malformed; write it like sqlite:///ketafacts.db"
            " or postgresql://user:password@host/name",
        ),
        (
            "DATABASE_URL",
            "sqlite://",
            "DATABASE_URL names no file, so all would be forgotten at the end;"
            " write it like sqlite:///ketafacts.db",
        ),
        (
            "DATABASE_URL",
            "sqlite:///",
            "DATABASE_URL names no file, so all would be forgotten at the end;"
            " write it like sqlite:///ketafacts.db",
        ),
        (
            "DATABASE_URL",
            "sqlite:///:memory:",
            "DATABASE_URL names no file, so all would be forgotten at the end;"
            " write it like sqlite:///ketafacts.db",
        ),
    ],
)
def test_a_malformed_value_gives_one_clear_line(tmp_path: Path, key: str, value: str, message: str) -> None:
    assert complaint({key: value}, tmp_path) == message


@pytest.mark.parametrize(
    "url", ["http://tea:0", "http://tea:99999", "http://tea:port", "http://:8081", "http://[::1", "ftp://tea"]
)
def test_an_address_that_leads_nowhere_is_malformed(tmp_path: Path, url: str) -> None:
    assert complaint({"TELEGRAM_API_URL": url}, tmp_path).startswith("TELEGRAM_API_URL is malformed;")


def test_tokens_and_passwords_never_show_in_repr() -> None:
    settings = Settings(TELEGRAM, DISCORD, database_url="postgresql://tea:hunter2@db/tea")
    assert repr(settings) == (
        "Settings(telegram_api_url='https://api.telegram.org', telegram_transport='aiohttp',"
        f" content_path={Path('content.yaml')!r}, log_level='INFO')"
    )
    assert "hunter2" not in str(settings)


def test_unknown_transport_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="use aiohttp or httpx"):
        read_settings({"TELEGRAM_TRANSPORT": "carrier pigeon"}, tmp_path / "none")
