from tests.year import Year, by_chat, distinct, judge, live, repeats, trouble


async def test_a_year_of_trouble_misses_none_doubles_none_and_keeps_to_the_hour() -> None:
    year = Year(trouble=trouble(3, chats=12))
    await live(year)
    sheet = judge(year.trouble, by_chat(distinct(year)))
    assert (sheet.missed, sheet.double, sheet.wrong) == (0, 0, 0)
    assert sheet.right > 3000
    assert sheet.late > 50
    # Three sends in flight at every kill, and the ones that the platform took and denied.
    assert repeats(year) <= 3 * year.killed + year.unknown
