"""The login button that goes through the bot: it leads to the login page, notes the first time, and takes no other
address for its own.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.server import served
from adapters.teams.opening import LoginLinks
from bot.conversations.invitation import invitation_message
from bot.messages import LinkButton
from tests.builders import view
from tests.doubles import StoppedClock
from tests.storage.stored_things import NOW, invite, rollout

KEY, OLDER_KEY = "k" * 31 + "1", "k" * 31 + "2"
LINKS = LoginLinks("https://usher.example", (KEY, OLDER_KEY))


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
async def url(store, clock) -> AsyncIterator[str]:
    app = web.Application()
    LINKS.add_routes(app, store, clock)
    async with served(app, "127.0.0.1", 0) as address:
        yield address


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def path(invitation_id: str, links: LoginLinks = LINKS) -> str:
    return links.address(invitation_id).removeprefix("https://usher.example")


async def opened_at(store, invitation_id: str):
    async with store.transaction() as tx:
        return (await tx.invitations.view(invitation_id)).invitation.login_opened_at


async def test_it_leads_to_the_login_page_and_notes_the_first_time(store, url, http, clock):
    (ada,) = await invite(store, ["ada"])
    for later in (0, 1):
        clock.at = NOW + timedelta(hours=later)
        async with http.get(url + path(ada.id), allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, rollout().login_url)
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
    assert await opened_at(store, ada.id) == NOW


async def test_who_only_looks_has_not_opened_it(store, url, http):
    (ada,) = await invite(store, ["ada"])
    async with http.head(url + path(ada.id), allow_redirects=False) as response:
        assert response.status == 405
    assert await opened_at(store, ada.id) is None


async def test_an_address_that_the_bot_did_not_make_leads_nowhere(store, url, http):
    ada, ben = await invite(store, ["ada", "ben"])
    made = path(ada.id)
    proof = made.rpartition(".")[2]
    others = LoginLinks("https://usher.example", ("x" * 32,))
    forged = [
        f"/login/{ada.id}",
        f"/login/{ada.id}.",
        f"/login/{ben.id}.{proof}",
        f"/login/.{proof}",
        made[:-1],
        made + "A",
        path(ada.id, others),
        *(made[:at] + ("A" if made[at] != "A" else "B") + made[at + 1 :] for at in range(len("/login/"), len(made))),
    ]
    for each in forged:
        async with http.get(url + each, allow_redirects=False) as response:
            assert response.status == 404, each
            assert "Location" not in response.headers
    assert await opened_at(store, ada.id) is await opened_at(store, ben.id) is None


@given(st.text(max_size=200))
def test_no_words_are_a_proof(words: str) -> None:
    assert LINKS.invitation_of(words) is None


async def test_an_address_from_before_a_key_was_changed_still_leads_on(store, url, http):
    (ada,) = await invite(store, ["ada"])
    before = LoginLinks("https://usher.example", (OLDER_KEY,))
    async with http.get(url + path(ada.id, before), allow_redirects=False) as response:
        assert response.status == 302


async def test_an_invitation_that_is_gone_leads_nowhere(store, url, http):
    async with http.get(url + path("gone"), allow_redirects=False) as response:
        assert response.status == 404


def test_only_the_login_button_goes_through_the_bot() -> None:
    of = view()
    message = invitation_message(of)
    shown = LINKS.shown(message)
    links = {each.label.key: each.url for each in shown.buttons if isinstance(each, LinkButton)}
    assert links["button.sign_in"] == LINKS.address(of.invitation.id)
    others = [each for each in message.buttons if not isinstance(each, LinkButton)]
    assert [each for each in shown.buttons if not isinstance(each, LinkButton)] == others
    assert of.rollout.login_url in str(shown.body), "the message still says where it leads"
