import logging
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bots.compose import Program, answer_all
from bots.settings import Settings
from tests.room import CONTENT, PERSON, FixedFacts

SHIPPED = (Path(__file__).parent.parent / "content.yaml").read_text(encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "content.yaml").write_text(SHIPPED, encoding="utf-8")
    return Settings(content_path=tmp_path / "content.yaml", database_url="sqlite://")


async def test_a_changed_good_file_is_picked_up_without_a_restart(settings: Settings) -> None:
    program = Program(settings)
    settings.content_path.write_text(
        SHIPPED.replace("name: KetaFacts", "name: New name", 1), encoding="utf-8"
    )
    program.refresh()
    assert program.app.edition.content.bot.name == "New name"
    await program.store.close()


async def test_a_replaced_file_of_the_same_size_and_time_is_picked_up(settings: Settings) -> None:
    program = Program(settings)
    path = settings.content_path
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    other = path.with_name("other.yaml")
    other.write_text(SHIPPED.replace("name: KetaFacts", "name: FactsKeta", 1), encoding="utf-8")
    os.utime(other, ns=times)
    other.replace(path)
    program.refresh()
    assert program.app.edition.content.bot.name == "FactsKeta"
    await program.store.close()


async def test_an_unchanged_file_is_left_alone(settings: Settings) -> None:
    program = Program(settings)
    edition = program.app.edition
    program.refresh()
    assert program.app.edition is edition
    await program.store.close()


@pytest.mark.parametrize("bad", ["", "bot: [", SHIPPED.replace("kind: myth", "kind: mith")])
async def test_a_bad_file_never_replaces_good_content(
    settings: Settings, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    program = Program(settings)
    settings.content_path.write_text(bad, encoding="utf-8")
    program.refresh()
    program.refresh()
    assert program.app.edition.content.bot.name == CONTENT.bot.name
    assert "content kept as it was: content.yaml:" in caplog.text
    first_faults = len(caplog.records)
    program.refresh()
    assert len(caplog.records) == first_faults
    settings.content_path.write_text(SHIPPED.replace("name: KetaFacts", "name: Mended", 1), encoding="utf-8")
    program.refresh()
    assert program.app.edition.content.bot.name == "Mended"
    await program.store.close()


async def test_a_file_that_vanishes_changes_nothing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    program = Program(settings)
    settings.content_path.unlink()
    program.refresh()
    assert "can't be read" in caplog.text
    assert program.app.edition.content.bot.name == CONTENT.bot.name
    await program.store.close()


async def test_private_chats_are_kept_under_a_scrambled_key(tmp_path: Path, settings: Settings) -> None:
    database = tmp_path / "bot.db"
    program = Program(
        Settings(
            content_path=settings.content_path,
            database_url=f"sqlite:///{database}",
            telegram_token="1:a",
        )
    )
    request = PERSON.__class__("telegram", "5550123456789", "5550123456789", text="/myth")
    await program.app.handle(request, FixedFacts())
    await program.store.close()
    assert b"5550123456789" not in b"".join(path.read_bytes() for path in tmp_path.glob("bot.db*"))


async def test_housekeeping_counts_what_it_forgot(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(settings)
    with caplog.at_level(logging.INFO):
        await program.housekeep()
        assert caplog.text == ""
        await program.app.handle(replace(PERSON, text="/myth"), FixedFacts())
        # A second ahead: within one millisecond, nothing would have been idle.
        monkeypatch.setattr("bots.compose.IDLE", timedelta(seconds=-1))
        await program.housekeep()
    assert "chats=1" in caplog.text
    await program.store.close()


async def test_questions_are_answered_each_on_its_own(settings: Settings) -> None:
    crisis = {"id": None, "choices": [], "guard": "crisis"}
    assert await answer_all(settings, ["I want to kill myself", "I want to kill myself"]) == [crisis, crisis]
