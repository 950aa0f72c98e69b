"""Charts as pictures, for the platform that draws none itself (Slack): GET /slack/charts/{drawing}.png.

The address is the chart: its figures and labels, with a proof that the bot made it. So a picture needs no place in
the database, shows for ever what it showed first, and nobody can have anything drawn that the bot did not say. It
holds counts, never a person's name; whoever has the address can see it, as Slack's servers do, which fetch it once.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from typing import Any, assert_never

import structlog
from aiohttp import web

from adapters.drawing import Bars, Drawing, Lines, draw
from adapters.signed import Signer
from bot.messages import BarChart, Chart, LineChart, Text
from bot.texts import Reader, say, spoken_to

PATH = "/slack/charts/{drawing}.png"
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Robots-Tag": "noindex"}
LONGEST = 3000  # characters of an address: docs.slack.dev/reference/block-kit/blocks/image-block, image_url
MOST_BYTES = 20_000  # of a drawing, unpacked: what the bot makes has a tenth
KEPT = 32  # pictures: Slack asks once, people's clients ask Slack

log = structlog.get_logger(__name__)


class Pictures:
    """Makes addresses of charts, and draws what they say. The first of `keys` signs, all of them are taken."""

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        self._public_url = public_url
        self._signer = Signer("chart", keys)
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._pen = asyncio.Lock()  # one drawing at a time, in a thread: that is enough, and keeps memory low

    def address(self, chart: Chart, reader: Reader) -> str | None:
        """Where the picture is, in the reader's language; None when it would be longer than Slack takes."""
        packed = zlib.compress(json.dumps(_as_data(chart, reader), separators=(",", ":")).encode(), 9)
        drawing = urlsafe_b64encode(packed).decode().rstrip("=")
        url = f"{self._public_url}{PATH.format(drawing=self._signer.signed(drawing))}"
        return url if len(url) <= LONGEST else None

    def add_routes(self, app: web.Application) -> None:
        """Serve the pictures."""

        async def show(request: web.Request) -> web.Response:
            picture = await self.picture(request.match_info["drawing"])
            if picture is None:
                return web.Response(status=404, text="There is no such picture.")
            return web.Response(body=picture, content_type="image/png", headers=HEADERS)

        app.router.add_get(PATH, show)

    async def picture(self, signed: str) -> bytes | None:
        """The PNG that an address shows; None for one that the bot did not make."""
        drawing = self._signer.opened(signed)
        if drawing is None:
            return None
        async with self._pen:
            if drawing not in self._drawn:
                self._drawn[drawing] = await asyncio.to_thread(draw, _from_data(drawing))
                log.info("picture.drawn", bytes=len(self._drawn[drawing]))
            self._drawn.move_to_end(drawing)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
            return self._drawn[drawing]


def _as_data(chart: Chart, reader: Reader) -> dict[str, Any]:
    """The chart as JSON, as short as can be: days are counted from the first one."""
    locale = spoken_to(chart.title, reader).locale

    def said(sentence: Text) -> str:
        return say(sentence, reader)

    match chart:
        case BarChart():
            return {"g": locale, "w": chart.whole, "b": [(said(what), number) for what, number in chart.bars]}
        case LineChart():
            first = chart.days[0]
            until = (said(chart.until[0]), (chart.until[1] - first).days) if chart.until else None
            lines = [(said(what), values) for what, values in chart.lines]
            days = [(day - first).days for day in chart.days]
            return {"g": locale, "f": first.toordinal(), "d": days, "l": lines, "u": until}
        case _:
            assert_never(chart)


def _from_data(drawing: str) -> Drawing:
    """The inverse, of what `_as_data` made: its proof is checked by now."""
    try:
        packed = urlsafe_b64decode(drawing + "=" * (-len(drawing) % 4))
        data = json.loads(zlib.decompressobj().decompress(packed, MOST_BYTES))
    except (NotBase64, zlib.error, ValueError) as error:  # another version of the bot made it otherwise
        raise web.HTTPNotFound from error
    if "b" in data:
        return Bars(tuple((str(what), int(number)) for what, number in data["b"]), int(data["w"]), str(data["g"]))
    first = int(data["f"])
    days = tuple(date.fromordinal(first + number) for number in data["d"])
    until = (str(data["u"][0]), date.fromordinal(first + data["u"][1])) if data["u"] else None
    return Lines(days, tuple((str(what), tuple(values)) for what, values in data["l"]), until, str(data["g"]))
