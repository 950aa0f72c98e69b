"""A rollout from setup to its reports, while calls fail: what the bot itself logs holds nobody's address, name or words,
and no secret. It is looked at before `adapters.logs.Redact`, which is the last line of defence, gets to see it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, FormData

from adapters.playground.slack import faults
from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, link_in, sets_up

WORDS = "Zanzibar 4711 is on the screen"
TOKEN = "squ_" + "1b" * 20
SECRETS = (TOKEN, "xoxb-playground", "playground-signing-secret", "a playground keeps no secrets at all")


class Raw:
    """Everything that is logged, as it is when it is logged."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.formatted = io.StringIO()

    def keep(self, _logger: Any, _method: str, event: Any) -> Any:
        """A structlog processor."""
        self.events.append(repr(event))
        raise structlog.DropEvent

    @property
    def text(self) -> str:
        return "\n".join((*self.events, self.formatted.getvalue()))


@pytest.fixture
def raw() -> Iterator[Raw]:
    """structlog's events, with the text of exceptions; and the standard library's records from warnings on."""
    kept = Raw()
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.processors.format_exc_info, kept.keep],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(kept.formatted)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)
    structlog.configure(**before)


def calls_fail(chat: Chat) -> None:
    """Some of the messages meet trouble, of the kind after which they go again by themselves."""
    if chat.name == "slack":
        for fault in (faults.answers(503), faults.rate_limited(1), faults.not_json()):
            chat.office.slack.faults.sometimes("chat.postMessage", fault, 0.07)
        return
    chat.office.teams.faults.answer("create_conversation", 503, times=2)
    chat.office.teams.faults.answer("send", 429, times=2)


async def test_what_a_whole_run_logs_is_about_nobody(chat: Chat, raw: Raw):
    await sets_up(chat.admin)
    await chat.admin.types("/sso invite csv")
    link = link_in(chat, await chat.admin.reads("Hand in a file"))
    form = FormData()
    lines = f"{chat.invitee.email}\n{chat.colleague.email}\nstranger@acme.example\n{WORDS}\n"
    form.add_field("list", lines, filename="people.csv", content_type="text/csv")
    async with ClientSession() as http, http.post(link, data=form) as answer:
        assert answer.status == 200
    asked = await chat.admin.reads("Invitation to")
    calls_fail(chat)
    await chat.admin.presses("Send to 2 people", on=asked)
    for somebody in (chat.invitee, chat.colleague):
        await chat.office.settles()
        for _ in range(6):  # what failed goes again
            await chat.office.waits(minutes=5)
        await somebody.until(lambda somebody=somebody: somebody.invitations)

    await chat.invitee.types(f"my token is {TOKEN}")
    await chat.invitee.presses("I have a problem")
    await chat.invitee.until(lambda: chat.invitee.form)
    await chat.invitee.submits({"problem": "other"})
    await chat.invitee.until(lambda: chat.invitee.form and "description" in chat.invitee.form.values)
    await chat.invitee.submits({"description": WORDS})
    await chat.office.settles()
    await confirms_everything(chat.invitee)
    await chat.admin.types(f"/sso exempt {chat.colleague.email} {WORDS}")
    await chat.admin.until(lambda: chat.admin.news)
    await chat.office.waits(days=1)
    for command in (f"/sso status {chat.invitee.email}", f"/sso remind {WORDS}", f"/sso {WORDS}", "/sso digest"):
        await chat.admin.types(command)
        await chat.admin.until(lambda: chat.admin.news)
    await chat.office.settles()

    private = [*SECRETS, WORDS, "Zanzibar", link.rpartition("/")[2], "stranger@acme.example"]
    for somebody in (chat.admin, chat.invitee, chat.colleague):
        private += [somebody.email, somebody.name]
    assert "delivery.settled" in raw.text
    assert "list.handed_in" in raw.text
    assert [each for each in private if each in raw.text] == []
