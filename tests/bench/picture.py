"""Draws an answer as it looks on both platforms: `python -m tests.bench.picture PICTURE.png [TEXT]`.

The very messages that the adapters send become a page with two phones, and Chromium takes a picture of it.
"""

import argparse
import asyncio
import html
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from bots import discord_view, telegram_view
from tests.room import Room

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = "804,790"
"""Width and height of the page: two phones of common width, side by side."""

_TAGS = {"bold": "b", "italic": "i", "blockquote": "blockquote"}

_PAGE = """<!doctype html><meta charset="utf-8"><title>An answer on both platforms</title><style>
body{margin:0;display:flex;gap:24px;font:15px/1.36 Roboto,'Noto Sans',sans-serif}
.phone{box-sizing:border-box;width:390px;height:790px;padding:12px;overflow:hidden}
.text{white-space:pre-wrap} a{text-decoration:none} blockquote{margin:0} .row{display:flex}
.telegram{background:#cfdccb;color:#111} .telegram a{color:#2779b5}
.telegram .name{color:#3a86c8;font-weight:600}
.telegram .message{background:#fff;border-radius:14px;padding:9px 12px}
.telegram blockquote{padding:3px 9px;border-left:3px solid #3a86c8;background:#eaf3fa;border-radius:4px}
.telegram .row{gap:4px;margin-top:4px}
.telegram .row span{flex:1;background:#6f8f75;color:#fff;text-align:center;border-radius:8px;padding:9px 2px}
.discord{background:#313338;color:#dbdee1} .discord a{color:#00a8fc}
.discord .name{color:#f2f3f5;font-weight:600;margin-bottom:4px}
.discord .name span{background:#5865f2;font-size:10px;border-radius:3px;padding:1px 4px;margin-left:4px}
.discord .message{background:#2b2d31;border-left:4px solid;border-radius:4px;padding:12px}
.discord .title{color:#f2f3f5;font-weight:600;font-size:16px;margin-bottom:6px}
.discord .text,.discord .footer{color:#dbdee1} .discord .footer{font-size:12px;margin-top:8px}
.discord blockquote{padding-left:8px;border-left:3px solid #4e5058}
.discord .row{flex-wrap:wrap;gap:8px;margin-top:8px}
.discord .row span{background:#4e5058;color:#fff;border-radius:4px;padding:7px 14px}
</style>"""


async def page(text: str) -> str:
    """A page that shows the answer to `text` on both platforms."""
    room = Room()
    reply = await room.say(text)
    name = html.escape(room.edition.content.bot.name)
    return (
        _PAGE + _telegram(telegram_view.render(reply), name) + _discord(discord_view.render(reply)[0], name)
    )


def _telegram(payload: telegram_view.Payload, name: str) -> str:
    units = payload.text.encode("utf-16-le")
    closing: dict[int, str] = {}
    opening: dict[int, str] = {}
    # The longest first, so that what starts together nests.
    for entity in sorted(payload.entities, key=lambda one: -one["length"]):
        tag = _TAGS.get(entity["type"], "a")
        address = f' href="{html.escape(entity["url"])}"' if "url" in entity else ""
        start, end = entity["offset"], entity["offset"] + entity["length"]
        opening[start] = opening.get(start, "") + f"<{tag}{address}>"
        closing[end] = f"</{tag}>" + closing.get(end, "")
    cuts = sorted({0, *opening, *closing, len(units) // 2})
    text = ""
    for start, end in zip(cuts, [*cuts[1:], cuts[-1]], strict=True):
        text += closing.get(start, "") + opening.get(start, "")
        text += html.escape(units[2 * start : 2 * end].decode("utf-16-le"))
    # A quotation ends its line by itself.
    text = text.replace("</blockquote>\n", "</blockquote>")
    keyboard = payload.markup["inline_keyboard"] if payload.markup else []
    rows = _rows([[button["text"] for button in row] for row in keyboard])
    return (
        f'<div class="phone telegram"><div class="message"><div class="name">{name}</div>'
        f'<div class="text">{text}</div></div>{rows}</div>'
    )


def _discord(payload: discord_view.Payload, name: str) -> str:
    embed = payload["embeds"][0]
    text = html.escape(embed["description"], quote=False)
    text = re.sub(r"\[((?:\\.|[^\]\\])+)\]\((\S+?)\)", r'<a href="\2">\1</a>', text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"^&gt; (.*)\n?", r"<blockquote>\1</blockquote>", text, flags=re.MULTILINE)
    rows = _rows([[button["label"] for button in row["components"]] for row in payload["components"]])
    return (
        f'<div class="phone discord"><div class="name">{name}<span>APP</span></div>'
        f'<div class="message" style="color:#{embed["color"]:06x}">'
        f'<div class="title">{html.escape(embed["title"])}</div><div class="text">{_unescaped(text)}</div>'
        f'<div class="footer">{html.escape(embed["footer"]["text"])}</div></div>{rows}</div>'
    )


def _unescaped(text: str) -> str:
    return re.sub(r"\\([^\w\s])", r"\1", text)


def _rows(rows: list[list[str]]) -> str:
    lines = ("".join(f"<span>{html.escape(label)}</span>" for label in row) for row in rows)
    return "".join(f'<div class="row">{line}</div>' for line in lines)


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("text", nargs="?", default="/myth addictive")
    chosen = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        parser.error(f"needs one of {', '.join(BROWSERS)}; install Chromium")
    with TemporaryDirectory() as folder:
        source = Path(folder, "answer.html")
        source.write_text(asyncio.run(page(chosen.text)), "utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        options += [
            "--hide-scrollbars",
            "--force-device-scale-factor=1.5",
            f"--user-data-dir={folder}/profile",
        ]
        shot = [f"--screenshot={chosen.picture.absolute()}", f"--window-size={SIZE}", source.as_uri()]
        # The browser is the machine's own.
        subprocess.run([browser, *options, *shot], check=True, capture_output=True, timeout=60)  # noqa: S603


if __name__ == "__main__":
    main()
