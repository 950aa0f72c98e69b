"""How a rollout goes, in charts: drawn by Teams itself, and by the bot for Slack."""

from __future__ import annotations

from adapters.playground.slack.world import Message
from adapters.playground.teams.cards import walk
from tests.e2e.chatting import Said
from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, invites, sets_up


async def test_the_status_has_charts(chat: Chat):
    """The office's bot is where Slack cannot fetch a picture, so the same is said in words there."""
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await confirms_everything(chat.invitee)
    await chat.admin.types("/sso status")
    await chat.admin.presses("Charts")
    shown = await chat.admin.reads("How far people got")
    assert "Over time" in shown.words
    if chat.name == "teams":
        assert {"Chart.HorizontalBar", "Chart.Line"} <= {str(each.get("type")) for each in cards(shown)}
    await chat.admin.presses("Status")
    await chat.admin.reads("1 of 2 done")


def cards(said: Said) -> list[dict[str, object]]:
    """The elements of a card."""
    assert not isinstance(said.native, Message)
    return list(walk(said.native.card))
