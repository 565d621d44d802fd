"""python-telegram-bot's requests over aiohttp, which costs a fifth of the CPU time of httpx."""

import json
import os
from ssl import SSLContext
from typing import Any
from urllib.request import getproxies

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
    TCPConnector,
)
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

# Telegram's waits come as timedelta; the library warns at each that does not.
os.environ.setdefault("PTB_TIMEDELTA", "true")

_HTTPX_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})


class NotSent(NetworkError):
    """No connection came about, so the platform surely did not see the request."""


def surely_unsent(error: TelegramError) -> bool:
    """Whether the request can't have arrived, on this transport or the stock one."""
    return isinstance(error, NotSent) or type(error.__cause__).__name__ in _HTTPX_NOT_SENT


class AiohttpRequest(BaseRequest):
    """One pool of connections; proxies are taken from the environment, as the stock transport does.

    Args:
        connections: how many there may be at once.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for each piece of an answer.
        write_timeout: further seconds that sending the request may take.
        trust: whom to trust over TLS; the system's authorities if None.
    """

    __slots__ = ("_connect", "_connections", "_read", "_session", "_trust", "_write")

    def __init__(
        self,
        *,
        connections: int = 64,
        connect_timeout: float = 5.0,
        read_timeout: float = 20.0,
        write_timeout: float = 20.0,
        trust: SSLContext | None = None,
    ) -> None:
        self._connections = connections
        self._connect, self._read, self._write = connect_timeout, read_timeout, write_timeout
        self._trust = trust
        self._session: ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """See `BaseRequest.read_timeout`."""
        return self._read

    async def initialize(self) -> None:
        """See `BaseRequest.initialize`."""
        if self._session is None or self._session.closed:
            self._session = ClientSession(
                connector=TCPConnector(limit=self._connections, ssl=self._trust or True),
                cookie_jar=DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
                # Looked at once: aiohttp would read the environment again for every request.
                trust_env=bool(getproxies()),
            )

    async def shutdown(self) -> None:
        """See `BaseRequest.shutdown`."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """See `BaseRequest.do_request`.

        Raises:
            NotSent: no connection came about.
            TimedOut: the answer did not come in time.
            NetworkError: the connection broke.
        """
        if self._session is None:
            raise RuntimeError("this request object is not initialized")
        timeout = self._timeout(read_timeout, write_timeout, connect_timeout, pool_timeout)
        try:
            async with self._session.request(method, url, timeout=timeout, **_body(request_data)) as response:
                return response.status, await response.read()
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise NotSent(type(error).__name__) from error
        except TimeoutError as error:
            raise TimedOut from error
        # Its words may hold the address, and so the token: only its kind is passed on.
        except (ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """See `BaseRequest.parse_json_payload`; does not log what it can't read."""
        try:
            parsed = json.loads(payload)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not ("result" in parsed or "description" in parsed):
            raise TelegramError("Invalid server response")
        return parsed

    def _timeout(self, read: object, write: object, connect: object, pool: object) -> ClientTimeout:
        """The timeouts given, which may be None for none; the object's own where none is given."""

        def seconds(given: object, default: float) -> float | None:
            return float(given) if isinstance(given, int | float) else None if given is None else default

        read_seconds, connect_seconds = seconds(read, self._read), seconds(connect, self._connect)
        return ClientTimeout(
            # aiohttp has no timeout for writing; the whole may take no longer than its parts.
            total=_sum(read_seconds, connect_seconds, seconds(write, self._write)),
            connect=_sum(connect_seconds, seconds(pool, self._connect)),
            sock_connect=connect_seconds,
            sock_read=read_seconds,
        )


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _body(data: RequestData | None) -> dict[str, Any]:
    """The parameters as JSON, or as a form where files go with them."""
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": json.dumps(data.parameters).encode(), "headers": {"Content-Type": "application/json"}}
    form = FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, file in (data.multipart_data or {}).items():
        filename, content, kind = file
        form.add_field(name, content, filename=filename, content_type=kind)
    return {"data": form}
