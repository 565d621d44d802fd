import pytest

from core.patterns import Matcher, read_pattern

LISTS = {"self": ["myself", "meself"]}


@pytest.mark.parametrize(
    ("pattern", "said", "found"),
    [
        ("kill @self", "i kill myself now", True),
        ("kill/end it", "end it", True),
        ("suicid*", "so suicidal", True),
        ("want [to] die", "want die", True),
        ("want [to] die", "want to die", True),
        ("want [to] die", "want you die", False),
        ("end <2> life", "end my own life", True),
        ("end <2> life", "end all of my own life", False),
        ("^ goodbye", "goodbye all", True),
        ("^ goodbye", "a goodbye", False),
        ("done $", "i am done", True),
        ("done $", "done here", False),
        ("a <9> <9> <9> <9> z", "z " + "a " * 60, False),
    ],
)
def test_a_pattern_is_found_where_its_words_stand(pattern: str, said: str, found: bool) -> None:
    matcher = Matcher({"group": [read_pattern(pattern, LISTS)]})
    assert bool(list(matcher.found(said.split()))) is found
