"""The aiohttp transport against a real server: TLS, reuse, proxies, uploads, timeouts, cancellation."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from telegram import Bot, InputFile
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bots.telegram_http import AiohttpRequest, NotSent, surely_unsent
from tests.wire import ME

CERTIFICATE = Path(__file__).parent / "localhost.pem"
TOKEN = "123456:" + "a" * 35


class Server:
    """Notes what came, over how many connections, and answers as told."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.hosts: list[str] = []
        self.peers: set[object] = set()
        self.answer: tuple[int, str] | None = None
        self.slow = self.broken = False
        self.gone = asyncio.Event()
        self.base = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.hosts.append(request.host)
        assert request.transport
        self.peers.add(request.transport.get_extra_info("peername"))
        if request.content_type == "multipart/form-data":
            form = await request.post()
            self.bodies.append({k: v if isinstance(v, str) else v.file.read() for k, v in form.items()})
        else:
            self.bodies.append(await request.read())
        if self.broken:
            request.transport.abort()
        if self.slow:
            try:
                await asyncio.sleep(30)
            finally:
                self.gone.set()
        method = request.path.rpartition("/")[2]
        if self.answer and method != "getMe":
            return web.Response(status=self.answer[0], text=self.answer[1])
        return web.json_response({"ok": True, "result": ME.to_dict() if method == "getMe" else True})


@pytest.fixture(params=["http", "https"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    server = Server()
    runner = web.ServerRunner(web.Server(server.handle, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    context = None
    if request.param == "https":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    server.base = f"{request.param}://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[Bot]:
    request = AiohttpRequest(trust=ssl.create_default_context(cafile=CERTIFICATE), read_timeout=5)
    bot = Bot(TOKEN, base_url=f"{server.base}/bot", request=request, get_updates_request=request)
    async with bot:
        yield bot


async def test_many_requests_share_few_connections(server: Server, bot: Bot) -> None:
    for _ in range(20):
        assert await bot.delete_webhook()
    assert len(server.peers) == 1
    await asyncio.gather(*(bot.delete_webhook() for _ in range(20)))
    assert len(server.peers) <= 20


async def test_parameters_go_as_json(server: Server, bot: Bot) -> None:
    await bot.do_api_request(
        "sendmessage", api_kwargs={"chat_id": 7, "text": "é💊", "entities": [{"offset": 0}]}
    )
    assert json.loads(server.bodies[-1]) == {"chat_id": 7, "text": "é💊", "entities": [{"offset": 0}]}


async def test_files_are_uploaded_whole(server: Server, bot: Bot) -> None:
    picture = bytes(range(256)) * 4000
    await bot.do_api_request(
        "sendphoto", api_kwargs={"chat_id": 7, "photo": InputFile(picture, attach=False)}
    )
    assert server.bodies[-1]["photo"] == picture
    assert server.bodies[-1]["chat_id"] == "7"


async def test_late_answer_is_a_timeout_that_may_have_arrived(server: Server, bot: Bot) -> None:
    server.slow = True
    with pytest.raises(TimedOut) as caught:
        await bot.delete_webhook(read_timeout=0.1)
    assert not surely_unsent(caught.value)


async def test_broken_connection_may_have_arrived_and_tells_no_address(server: Server, bot: Bot) -> None:
    server.broken = True
    with pytest.raises(NetworkError) as caught:
        await bot.delete_webhook()
    assert not surely_unsent(caught.value)
    assert TOKEN not in repr(caught.value)
    server.broken = False
    assert await bot.delete_webhook()


async def test_cancelled_request_lets_go_of_the_connection(server: Server, bot: Bot) -> None:
    server.slow = True
    task = asyncio.create_task(bot.delete_webhook())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.gone.wait(), 2)
    server.slow = False
    assert await bot.delete_webhook()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, '{"ok": false, "description": "Unauthorized"}', InvalidToken),
        (429, '{"ok": false, "description": "Wait", "parameters": {"retry_after": 3}}', RetryAfter),
        (502, "<html>", NetworkError),
        (200, '{"ok": true, "result":', TelegramError),
        (200, "[]", TelegramError),
    ],
)
async def test_errors_are_the_librarys_own(
    server: Server, bot: Bot, status: int, body: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = status, body
    with pytest.raises(error):
        await bot.delete_webhook()
    assert not [record for record in caplog.records if record.name.startswith("telegram")]


async def test_unknown_certificate_is_refused(server: Server) -> None:
    request = AiohttpRequest()
    async with request:
        if server.base.startswith("https"):
            with pytest.raises(NotSent):
                await request.do_request(f"{server.base}/getMe", "POST")
            assert not server.hosts
        else:
            assert (await request.do_request(f"{server.base}/getMe", "POST"))[0] == 200


async def test_nobody_listening_is_surely_unsent() -> None:
    async with AiohttpRequest(connect_timeout=1) as request:
        with pytest.raises(NotSent) as caught:
            await request.do_request("http://127.0.0.1:1/bot", "POST")
    assert surely_unsent(caught.value)


async def test_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    scheme, _, address = server.base.partition("://")
    async with tunnel(address) as (proxy, asked):
        monkeypatch.setenv(f"{scheme}_proxy", proxy if scheme == "https" else server.base)
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        # Nobody but the proxy finds it: the name is for the proxy to look up.
        host = "localhost:7" if scheme == "https" else "telegram.invalid"
        async with AiohttpRequest(trust=trust) as request:
            status, _ = await request.do_request(f"{scheme}://{host}/getMe", "POST")
    assert status == 200
    assert server.hosts == [host]
    assert asked == (["CONNECT localhost:7 HTTP/1.1"] if scheme == "https" else [])


@asynccontextmanager
async def tunnel(address: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that makes a tunnel to `address`, whatever is asked for; and what was."""
    asked: list[str] = []
    host, _, port = address.partition(":")

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode().splitlines()[0])
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer), return_exceptions=True)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", asked
    finally:
        listening.close()


async def test_request_before_its_start_is_a_mistake() -> None:
    with pytest.raises(RuntimeError):
        await AiohttpRequest().do_request("http://127.0.0.1:1/", "POST")
    await AiohttpRequest().shutdown()


def test_no_limit_means_none() -> None:
    request = AiohttpRequest(read_timeout=7)
    assert request.read_timeout == 7
    timeout = request._timeout(None, AiohttpRequest.DEFAULT_NONE, 2, 3)
    assert (timeout.total, timeout.connect, timeout.sock_read) == (None, 5, None)


logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
