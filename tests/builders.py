"""The people, the rollout and the events of the tests: sensible defaults, and whatever a test wants to be different."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.charts import as_text
from bot.commands import as_target
from bot.conversations.scene import Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, MessageRef, Target, TargetKind
from bot.messages import AnyButton, BarChart, Button, Form, LineChart, Message, Notice, Section, Text, Token
from bot.model import (
    Check,
    CheckKind,
    FormerSignIn,
    Invitation,
    Person,
    Platform,
    Region,
    ReminderPolicy,
    Rollout,
    Workspace,
)
from bot.ports import InvitationView
from bot.roles import Role
from bot.texts import Reader, say
from bot.transition import CloseForm, Replace, Reply, ShowForm, ShowHome, Whisper

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)
NO_DEADLINE_POLICY = ReminderPolicy()
_ids = count(1)


def event_id() -> str:
    """As unique as a platform's."""
    return f"slack:T1:event-{next(_ids)}"


def workspace(key: str = "slack:T1", **changes: Any) -> Workspace:
    platform, external_id = key.split(":")
    given = {"id": key, "platform": Platform(platform), "external_id": external_id, "installed_at": NOON}
    return Workspace(**given | changes)


def person(who: str, workspace_id: str = "slack:T1", /, **changes: Any) -> Person:
    given = {
        "id": Person.key(workspace_id, f"U-{who}"),
        "workspace_id": workspace_id,
        "user_id": f"U-{who}",
        "name": who.title(),
        "email": f"{who}@acme.example",
        "seen_at": NOON,
    }
    return Person(**given | changes)


ADA = person("ada", is_workspace_admin=True)
GRACE = person("grace")
LINUS = person("linus")


def rollout(**changes: Any) -> Rollout:
    given: dict[str, Any] = {
        "id": "rollout-1",
        "company": "default",
        "name": "Acme",
        "enterprise_key": "acme",
        "region": Region.EU,
        "login_url": "https://sonarcloud.io/login/sso?enterprise_key=acme",
        "former_sign_in": (FormerSignIn.GITHUB,),
        "uses_tokens": True,
        "policy": NO_DEADLINE_POLICY,
        "created_by": ADA.id,
        "created_at": NOON - DAY,
        "version": 1,
    }
    return Rollout(**given | changes)


def view(
    of: Rollout | None = None,
    invitee: Person = GRACE,
    confirmed: tuple[CheckKind, ...] = (),
    **changes: Any,
) -> InvitationView:
    """Grace's invitation."""
    of = of or rollout()
    given: dict[str, Any] = {
        "id": "invitation-1",
        "rollout_id": of.id,
        "person_id": invitee.id,
        "identity": invitee.identity,
        "wave_id": "wave-1",
        "needs": of.needs,
        "invited_at": NOON - DAY,
        "due_at": NOON + DAY,
    }
    invitation = Invitation(**given | changes)
    checks = tuple(
        Check(invitation_id=invitation.id, kind=kind, confirmed_at=NOON, confirmed_by=invitee.id)
        for kind in confirmed
    )
    return InvitationView(invitation, invitee, of, checks)


def scene(of: Rollout | None = None, role: Role = Role.OWNER, **changes: Any) -> Scene:
    given: dict[str, Any] = {"workspace": workspace(), "role": role, "rollout": of}
    return Scene(**given | changes)


def mention(of: Person) -> Target:
    """As in `/sso status @grace`."""
    return Target(TargetKind.PERSON, of.user_id, f"@{of.name}")


def command(words: str, *targets: Target, actor: Person = ADA, **changes: Any) -> CommandIssued:
    """`/sso words targets…`"""
    named = tuple(as_target(word) for word in words.split())
    given: dict[str, Any] = {
        "id": event_id(),
        "workspace_id": actor.workspace_id,
        "actor": actor,
        "words": (*named, *targets),
    }
    return CommandIssued(**given | changes)


def press(token: Token, actor: Person = ADA, values: Mapping[str, Any] | None = None) -> ButtonPressed:
    return ButtonPressed(
        id=event_id(),
        workspace_id=actor.workspace_id,
        actor=actor,
        token=token,
        message=MessageRef("D1", "100.1"),
        values=values or {},
    )


def submit(token: Token, actor: Person = ADA, **values: Any) -> FormSubmitted:
    return FormSubmitted(id=event_id(), workspace_id=actor.workspace_id, actor=actor, token=token, values=values)


def message_of(reply: Reply | None) -> Message:
    """The message that a reply shows."""
    assert isinstance(reply, Whisper | Replace | CloseForm | ShowHome), reply
    assert reply.message is not None
    return reply.message


def form_of(reply: Reply | None) -> Form:
    """The form that a reply shows."""
    assert isinstance(reply, ShowForm), reply
    return reply.form


def keys(shown: Message | Form | Text) -> list[str]:
    """The catalogue keys of all that is said, in order."""
    return [sentence.key for sentence in sentences(shown)]


def sentences(shown: Any) -> list[Text]:
    """Every Text in a message or a form, the ones inside others too."""
    found: list[Text] = []
    if isinstance(shown, Text):
        found.append(shown)
        children: Any = shown.params.values()
    elif isinstance(shown, tuple | list):
        children = shown
    elif isinstance(shown, dict):
        children = shown.values()
    elif hasattr(shown, "__dataclass_fields__"):
        children = [getattr(shown, name) for name in shown.__dataclass_fields__]
    else:
        return []
    for child in children:
        found += sentences(child)
    if isinstance(shown, BarChart | LineChart):
        found += sentences(as_text(shown))
    return found


def words(shown: Message | Form | Text) -> str:
    """All that is said, in English and without markup."""
    return "\n".join(say(sentence, Reader()) for sentence in sentences(shown))


def body_keys(shown: Message | Form) -> list[str]:
    """The keys of the paragraphs and notices alone."""
    return [part.text.key for part in shown.body if isinstance(part, Section | Notice)]


def button(shown: Message | Form, action: str) -> Button:
    """The button that does `action`."""
    return next(each for each in buttons(shown) if each.token.action == action)


def buttons(shown: Message | Form) -> list[Button]:
    every: tuple[AnyButton, ...] = shown.buttons
    return [each for each in every if isinstance(each, Button)]


def actions(shown: Message | Form) -> list[str]:
    """What the buttons do."""
    return [each.token.action for each in buttons(shown)]
