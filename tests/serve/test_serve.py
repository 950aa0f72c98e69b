"""`usher serve` from its start to its stop."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import aiohttp

from adapters.bench.kills.colleagues import OnSlack, OnTeams
from adapters.bench.kills.ledger import Ledger
from adapters.playground.demo import Playground
from adapters.playground.slack.faults import accepted_late, rate_limited
from bot.model import DeliveryState
from tests.serve.usher import Serving, environment, serving


async def get(usher: Serving, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(usher.url + path) as response:
        return response.status, await response.text()


async def ready(playground: Playground, usher: Serving) -> None:
    """Returns once both platforms have started; from then on they know where the bot is."""
    await playground.slack.until(lambda: playground.slack.calls("auth.test"), within=10)
    deadline = monotonic() + 10
    while (await get(usher, "/readyz"))[0] != 200:
        assert monotonic() < deadline
    playground.point_at(usher.url)


async def set_up(playground: Playground, admin: OnSlack) -> None:
    await admin.says("setup")
    await playground.slack.until(admin.has_form)
    while admin.has_form():
        await admin.sends_form()


async def invite(playground: Playground, admin: OnSlack, group: str) -> None:
    await admin.says(f"invite {group}")
    await playground.slack.until(lambda: admin.may_press("Send to "))
    await admin.agrees()


async def test_it_is_alive_at_once_and_ready_when_its_platforms_are(playground: Playground, tmp_path: Path) -> None:
    playground.slack.faults.next("auth.test", accepted_late(2.0))
    settings = playground.settings(f"sqlite:///{tmp_path / 'usher.db'}")
    async with serving(environment(settings), tmp_path) as usher:
        assert (await get(usher, "/healthz"))[0] == 200
        status, body = await get(usher, "/readyz")
        assert (status, '"platforms": "starting"' in body) == (503, True)

        await ready(playground, usher)

        assert await get(usher, "/readyz") == (200, '{"ready": true, "waiting": {}}')
        status, metrics = await get(usher, "/metrics")
        assert status == 200
        assert "# TYPE usher_" in metrics
        assert await usher.stopped() == 0


async def test_on_sigterm_it_finishes_what_it_is_sending_and_the_next_start_goes_on(
    playground: Playground, tmp_path: Path
) -> None:
    database_url = f"sqlite:///{tmp_path / 'usher.db'}"
    env = environment(playground.settings(database_url))
    slack, ledger = playground.slack, Ledger(database_url)
    admin = OnSlack(slack.person("olivia"))
    people = [slack.person(user.id) for user in slack.add_people(30, into_group="everybody")]

    def arrived() -> int:
        return sum(len(each.direct_messages) for each in people)

    async with serving(env, tmp_path) as usher:
        await ready(playground, usher)
        await set_up(playground, admin)
        slack.faults.sometimes("chat.postMessage", accepted_late(1.0), 0.5)
        await invite(playground, admin, "@everybody")
        await slack.until(arrived)

        assert await usher.stopped() == 0

    states = await ledger.states()
    assert not states[DeliveryState.SENDING]
    assert not states[DeliveryState.UNKNOWN]
    assert states[DeliveryState.READY]
    before = arrived()

    slack.faults.clear()
    async with serving(env, tmp_path) as usher:
        await ready(playground, usher)
        await slack.until(lambda: arrived() == len(people), within=15)
        assert await usher.stopped() == 0
    assert before < len(people)
    assert all(len(each.direct_messages) == 1 for each in people)
    await ledger.close()


async def test_a_lane_that_waits_for_its_rate_limit_does_not_hold_up_the_stop(
    playground: Playground, tmp_path: Path
) -> None:
    database_url = f"sqlite:///{tmp_path / 'usher.db'}"
    slack = playground.slack
    admin = OnSlack(slack.person("olivia"))
    slack.add_people(30, into_group="everybody")
    async with serving(environment(playground.settings(database_url)), tmp_path) as usher:
        await ready(playground, usher)
        await set_up(playground, admin)
        await admin.says("invite @everybody")
        await slack.until(lambda: admin.may_press("Send to "))
        already = len(slack.calls("chat.postMessage"))
        slack.faults.sometimes("chat.postMessage", rate_limited(60), 1.0)
        await admin.agrees()
        await slack.until(lambda: len(slack.calls("chat.postMessage")) > already)

        begun = monotonic()
        assert await usher.stopped() == 0
        assert monotonic() - begun < 5


async def test_with_an_app_token_everything_goes_through_socket_mode(playground: Playground, tmp_path: Path) -> None:
    slack = playground.slack
    settings = playground.settings(f"sqlite:///{tmp_path / 'usher.db'}")
    env = environment(
        settings,
        USHER_SLACK_APP_TOKEN=slack.credentials.app_token,
        USHER_SLACK_SIGNING_SECRET="",
        USHER_PUBLIC_URL="",
    )
    only_slack = dict.fromkeys(("USHER_TEAMS_APP_ID", "USHER_TEAMS_APP_PASSWORD", "USHER_TEAMS_TENANT_ID"), "")
    olivia, alice = OnSlack(slack.person("olivia")), OnSlack(slack.person("alice"))
    async with serving({**env, **only_slack}, tmp_path) as usher:
        await slack.until(lambda: slack.socket_mode.connected, within=10)

        await set_up(playground, olivia)
        await invite(playground, olivia, "@engineering")
        await slack.until(lambda: alice.may_press("I can see my organizations"))
        await alice.presses("I can see my organizations")

        await slack.until(lambda: not alice.may_press("I can see my organizations"))
        assert slack.bot.bot_url == ""
        assert await usher.stopped() == 0


async def test_teams_works_without_slack(playground: Playground, tmp_path: Path) -> None:
    settings = playground.settings(f"sqlite:///{tmp_path / 'usher.db'}")
    env = environment(settings, USHER_SLACK_BOT_TOKEN="", USHER_SLACK_SIGNING_SECRET="")
    adele = OnTeams(playground.teams.person("adele"))
    async with serving(env, tmp_path) as usher:
        playground.point_at(usher.url)
        await playground.teams.announce_installations()

        await adele.says("setup")
        await playground.teams.until(adele.has_form)

        assert await usher.stopped() == 0
