"""An OpenTelemetry collector on loopback: takes traces by OTLP over HTTP and keeps them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from adapters.server import served


class Receiver:
    """What arrived."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Span] = []
        self.resource: dict[str, str] = {}
        self.bodies = b""

    async def until(self, name: str, within: float = 20.0) -> Span:
        """The first span of that name, when it comes."""
        async with asyncio.timeout(within):
            while not (found := [span for span in self.spans if span.name == name]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found[0]

    def below(self, parent: Span) -> list[Span]:
        """Every span under this one, however deep."""
        children = [span for span in self.spans if span.parent_span_id == parent.span_id]
        return children + [deeper for child in children for deeper in self.below(child)]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        self.bodies += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource |= {each.key: each.value.string_value for each in resource.resource.attributes}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


def attributes(span: Span) -> dict[str, str]:
    """A span's attributes, as text."""
    return {
        each.key: each.value.string_value or str(getattr(each.value, each.value.WhichOneof("value")))
        for each in span.attributes
    }


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver._take)
    async with served(app, "127.0.0.1", 0) as receiver.url:
        yield receiver
