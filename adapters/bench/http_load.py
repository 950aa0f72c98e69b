"""A cheap HTTP client: many requests over a few connections that stay open. A load generator that cost as much as the
server would measure itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from yarl import URL

CONNECTIONS = 32
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)


class Refused(Exception):
    """An answer that is not 200, or not an answer."""


def post(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A whole POST request."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str) -> bytes:
    """A whole GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


@dataclass
class Connection:
    """One connection, for one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def exchange(self, request: bytes) -> bytes:
        """The answer's body. Raises Refused unless the status is 200 or 201."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        if head[9:12] not in (b"200", b"201"):
            raise Refused(f"{head[9:12]!r} {body[:200]!r}")
        return body


@asynccontextmanager
async def connected(url: str, connections: int = CONNECTIONS) -> AsyncIterator[list[Connection]]:
    """So many open connections to a server."""
    there = URL(url)
    opened = [Connection(*await asyncio.open_connection(there.host, there.port)) for _ in range(connections)]
    try:
        yield opened
    finally:
        for each in opened:
            each.writer.close()


async def as_fast_as_possible(url: str, requests: Sequence[bytes]) -> float:
    """Requests a second, each connection sending its next one as soon as it has its answer."""
    left = iter(requests)

    async def through(connection: Connection) -> None:
        for request in left:
            await connection.exchange(request)

    async with connected(url) as opened:
        begun = perf_counter()
        await asyncio.gather(*(through(each) for each in opened))
        return len(requests) / (perf_counter() - begun)


async def at_a_rate(url: str, requests: Sequence[bytes], per_second: float) -> list[float]:
    """How many seconds each answer took, counted from when its request was due: waiting for a connection counts."""
    took: list[float] = []
    async with connected(url) as opened:
        begun = perf_counter()

        async def through(connection: Connection, number: int) -> None:
            for turn in range(number, len(requests), len(opened)):
                due = begun + turn / per_second
                await asyncio.sleep(max(0.0, due - perf_counter()))
                await connection.exchange(requests[turn])
                took.append(perf_counter() - due)

        await asyncio.gather(*(through(each, number) for number, each in enumerate(opened)))
    return took
