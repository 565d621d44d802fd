"""Every sentence the bot says that is not content, by key, from phrases.yaml."""

from pathlib import Path

import yaml

PHRASES = Path(__file__).with_suffix(".yaml")


class Phrases:
    """Sentences by key; braces in them are filled at the time of saying."""

    def __init__(self, sentences: dict[str, str]) -> None:
        self._sentences = sentences

    def say(self, key: str, **fields: object) -> str:
        """The sentence `key` with its braces filled from `fields`."""
        return self._sentences[key].format(**fields)

    def keys(self) -> frozenset[str]:
        """Every key there is."""
        return frozenset(self._sentences)


def load_phrases(path: Path = PHRASES) -> Phrases:
    """The shipped sentences."""
    with path.open(encoding="utf-8") as file:
        written = yaml.load(file, yaml.CBaseLoader)  # noqa: S506 - builds only strings, lists and dicts
    return Phrases({key: text.strip() for key, text in written.items()})
