"""What many stories begin with: a rollout that is set up, and people who are invited."""

from __future__ import annotations

import json
import re

from tests.e2e.chatting import Said, Somebody, Values
from tests.e2e.office import Chat

STEPS: tuple[tuple[str, ...], ...] = (
    ("name", "enterprise_key", "region"),
    ("login_url",),
    ("provisioning", "groups_exist", "domain_verified"),
    ("former_sign_in", "organizations", "uses_tokens"),
    ("first_after_days", "every_days", "at_most", "weekdays", "hour_from", "hour_to", "deadline"),
)
LOGIN_URL = "https://sonarcloud.io/login/sso?enterprise_key=acme"
ACME: Values = {
    "name": "Acme",
    "enterprise_key": "acme",
    "groups_exist": ["yes"],
    "former_sign_in": ["github"],
    "organizations": "acme-web\nacme-core",
    "uses_tokens": "yes",
}
ALL_CHECKS = ("I can see my organizations", "My tasks work as before", "I generated my token")


async def fills_in(admin: Somebody, answers: Values, *, until_step: int = 6) -> None:
    """Answer step after step of the open setup dialog, until this one is shown."""
    form = await admin.opens("Set up")
    for step in range(int(form.title.removeprefix("Set up (")[0]), until_step):
        await admin.submits({name: answers[name] for name in STEPS[step - 1] if name in answers})
        await admin.opens(f"Set up ({step + 1} of 6)")


async def sets_up(admin: Somebody, **changes: str | list[str]) -> None:
    """A rollout for Acme, or what is wanted to be different."""
    await admin.types("/sso setup")
    await fills_in(admin, {**ACME, **changes})
    await admin.submits()
    await admin.reads("The rollout of")


async def lists(admin: Somebody, *people: Somebody) -> Said:
    """Ask to invite these people; returns the list of who would be written to."""
    await admin.types("/sso invite " + " ".join(each.email for each in people))
    return await admin.reads("Invitation to")


async def invites(admin: Somebody, *people: Somebody) -> None:
    """Invite these people and see them get their messages."""
    before = {each: len(each.invitations) for each in people}
    asked = await lists(admin, *people)
    await admin.presses(send_label(asked), on=asked)
    for each in people:
        await each.until(lambda each=each: len(each.invitations) > before[each])


def send_label(asked: Said) -> str:
    """The button that sends the invitations."""
    return next(label for label in asked.buttons if label.startswith("Send to"))


async def invited(chat: Chat, **changes: str | list[str]) -> Said:
    """A rollout with one invitee; returns their message."""
    await sets_up(chat.admin, **changes)
    await invites(chat.admin, chat.invitee)
    await chat.office.settles()
    return chat.invitee.invitations[-1]


async def confirms_everything(invitee: Somebody) -> None:
    """Press every check's button."""
    for label in ALL_CHECKS:
        await invitee.presses(label)
        await invitee.until(lambda label=label: label not in invitee.messages[-1].buttons)
    await invitee.until(lambda: invitee.sees("All done, thank you!"))


def link_in(chat: Chat, said: Said) -> str:
    """The link to a file that a message offers."""
    shown = getattr(said.native, "blocks", None) or said.native.card
    (path,) = set(re.findall(r"http://127\.0\.0\.1(/files/[\w-]+)", json.dumps(shown)))
    return chat.office.url + str(path)
