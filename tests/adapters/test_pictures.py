"""Charts as pictures: the address is the chart, and only the bot can make one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import date, timedelta
from pathlib import Path
from zlib import compress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.testing.compare import compare_images

from adapters.pictures import KEPT, LONGEST, Pictures, _from_data
from adapters.signed import Signer
from bot.messages import BarChart, Chart, LineChart, text
from bot.texts import Reader
from tests.charts import FUNNEL, OVER_TIME

GOLDEN = Path(__file__).parent / "golden"
KEY, OLD_KEY = "n" * 32, "o" * 32
FIRST_DAY = LineChart(
    text("report.over_time"),
    (date(2026, 3, 2), date(2026, 3, 3)),
    ((text("status.invited"), (0, 1)), (text("status.done"), (0, 0))),
)

GROUPS = BarChart(
    text("chart.by_group"),
    (
        (text("plain", words="@engineering"), 87),
        (text("plain", words="@" + "a-group-with-a-very-long-name" * 3), 40),
        (text("plain", words="Sales $x$ & Marketing <b>"), 0),
    ),
    100,
)


def shown(chart: Chart, locale: str = "en", *keys: str) -> str:
    """What the address holds behind /slack/charts/."""
    url = Pictures("https://usher.example", keys or (KEY,)).address(chart, Reader(locale))
    assert url is not None
    return url.removeprefix("https://usher.example/slack/charts/").removesuffix(".png")


@pytest.fixture
async def client():
    app = web.Application()
    Pictures("https://usher.example", (KEY, OLD_KEY)).add_routes(app)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "chart", "locale"),
    [
        ("funnel", FUNNEL, "en"),
        ("over-time", OVER_TIME, "en"),
        ("over-time-late", LineChart(OVER_TIME.title, OVER_TIME.days, OVER_TIME.lines, (text("chart.deadline"), date(2026, 3, 20))), "en"),
        ("first-day", FIRST_DAY, "en"),
        ("not-translated", FIRST_DAY, "de-AT"),
        ("groups", GROUPS, "en"),
        ("nobody", BarChart(text("report.funnel"), ((text("status.invited"), 0),), 0), "en"),
    ],
)  # fmt: skip
async def test_the_pictures_are_those_that_were_looked_at(name: str, chart: Chart, locale: str, tmp_path: Path):
    """After a change that is meant: look at what is in the temporary directory, and keep it."""
    drawn = tmp_path / f"{name}.png"
    drawn.write_bytes(await Pictures("https://usher.example", (KEY,)).picture(shown(chart, locale)) or b"")
    # By a few grey levels, so that another version of the font renderer does not matter.
    assert compare_images(str(GOLDEN / f"{name}.png"), str(drawn), tol=4) is None


async def test_a_picture_is_a_file_that_may_be_kept(client):
    answer = await client.get(f"/slack/charts/{shown(FUNNEL)}.png")
    assert (answer.status, answer.content_type) == (200, "image/png")
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await answer.read())[:8] == b"\x89PNG\r\n\x1a\n"


async def test_an_older_key_s_pictures_are_still_there(client):
    assert (await client.get(f"/slack/charts/{shown(FUNNEL, 'en', OLD_KEY)}.png")).status == 200
    assert (await client.get(f"/slack/charts/{shown(FUNNEL, 'en', 'x' * 32)}.png")).status == 404


async def test_nobody_else_has_anything_drawn(client):
    drawing, proof = shown(FUNNEL).rsplit(".", 1)
    others = shown(OVER_TIME).rsplit(".", 1)[0]
    for forged in (drawing, f"{others}.{proof}", f"{drawing}.", f".{proof}", f"{drawing[:-1]}.{proof}", "x", "ä.ö"):
        assert (await client.get(f"/slack/charts/{forged}.png")).status == 404, forged


@pytest.mark.parametrize("packed", [b"", b"no zip", compress(b"no JSON"), compress(b"1" * 100_000)])
async def test_what_an_other_version_signed_is_no_picture_and_no_error(client, packed: bytes):
    drawing = urlsafe_b64encode(packed).decode().rstrip("=")
    assert (await client.get(f"/slack/charts/{Signer('chart', [KEY]).signed(drawing)}.png")).status == 404


async def test_of_many_pictures_the_last_are_kept():
    pictures = Pictures("https://usher.example", (KEY,))
    drawings = [shown(BarChart(text("t"), ((text("a"), number),), 100)) for number in range(KEPT + 3)]
    for drawing in drawings:
        await pictures.picture(drawing)
    assert list(pictures._drawn) == [each.rsplit(".", 1)[0] for each in drawings[3:]]
    assert await pictures.picture(drawings[0]) == await pictures.picture(drawings[0])


def test_a_chart_that_is_too_long_for_an_address_has_none():
    many = BarChart(text("t"), tuple((text("{n}", n=(number + 7) ** 5), number) for number in range(1000)), 1000)
    assert Pictures("https://usher.example", (KEY,)).address(many, Reader()) is None


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(0, 100_000), min_size=61, max_size=61),
    step=st.integers(1, 40),
    locale=st.sampled_from(["en", "de", "ja-JP", "x", ""]),
)
def test_the_longest_chart_of_a_rollout_fits_and_is_the_one_that_was_meant(values, step, locale):
    days = tuple(date(2026, 1, 1) + timedelta(days=step * number) for number in range(61))
    lines = ((text("status.invited"), tuple(values)), (text("status.done"), tuple(values[::-1])))
    drawing = shown(LineChart(text("report.over_time"), days, lines, (text("chart.deadline"), days[30])), locale)
    assert len(drawing) < LONGEST - 500
    meant = _from_data(drawing.rsplit(".", 1)[0])
    assert meant.days == days
    assert [each for _, each in meant.lines] == [each for _, each in lines]
    assert meant.until[1] == days[30]
