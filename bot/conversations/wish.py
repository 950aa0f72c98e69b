"""“Don't remind me any more” and “I don't use SonarQube Cloud”: the invitee is left alone, and the admins are told.

The admins get one message for each wish, which grows; never one for each person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.conversations import answers
from bot.conversations.confirm import ConfirmLoaded, load_invitation
from bot.conversations.invitation import invitation_message
from bot.conversations.problem import admins_for
from bot.conversations.scene import Conversation, Scene
from bot.events import ButtonPressed, FormSubmitted
from bot.messages import Button, Message, Notice, Section, Style, Text, Token, Tone, text
from bot.model import Person, Rollout, RolloutState, Wish
from bot.ports import Transaction
from bot.transition import ExemptWishing, Replace, SendMessage, Transition, UpdateCopies, UpdateNotices

SHOWN = 10  # names
EXEMPT_REASON = "does not use SonarQube Cloud"

WishEvent = ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class WishLoaded(ConfirmLoaded):
    """The invitation, the admins who are told, and who had the same wish before; or, for an admin, the rollout."""

    rollout: Rollout | None = None
    admins_seen: tuple[str, ...] = ()
    many: int = 0
    people: tuple[Person, ...] = ()


async def _load(tx: Transaction, event: WishEvent, scene: Scene) -> WishLoaded:
    if event.token.action == "exempt":
        rollout = await tx.rollouts.rollout(event.token.subject)
        if rollout is None or rollout.company != scene.workspace.company:
            return WishLoaded(scene)
        many, people = await tx.invitations.wishing(rollout.id, Wish.NOT_MINE, SHOWN)
        return WishLoaded(scene, rollout=rollout, many=many, people=tuple(people))
    found = await load_invitation(tx, event, scene)
    if found.view is None or event.token.action not in (Wish.STOP, Wish.NOT_MINE):
        return WishLoaded(scene, found.owner, found.view)
    many, people = await tx.invitations.wishing(found.view.rollout.id, Wish(event.token.action), SHOWN)
    seen = await admins_for(tx, found.view, scene)
    return WishLoaded(scene, found.owner, found.view, found.view.rollout, seen, many, tuple(people))


def _step(loaded: WishLoaded, event: WishEvent, now: datetime) -> Transition:
    if event.token.action == "exempt":
        return _for_admins(loaded, event)
    view = loaded.view
    if view is None or event.token.action not in (Wish.STOP, Wish.NOT_MINE):
        return answers.outdated()
    wish = Wish(event.token.action)
    if not view.invitation.is_open or view.rollout.state is RolloutState.FINISHED or view.invitation.wish is wish:
        return Transition(reply=Replace(invitation_message(view)))
    changes = {
        "wish": wish,
        "wished_at": now,
        "due_at": None,
        "snoozed_until": None,
        "version": view.invitation.version + 1,
    }
    after = replace(view, invitation=view.invitation.model_copy(update=changes))
    message = wish_message(view.rollout, wish, loaded.many + 1, (view.person, *loaded.people))
    keys = {admin: wish_key(view.rollout.id, wish, admin) for admin in loaded.admins_seen}
    told = (SendMessage(key, admin, message, rollout_id=view.rollout.id) for admin, key in keys.items())
    return Transition(
        reply=Replace(invitation_message(after), answers.notice(text(f"wish.{wish}.done"), Tone.SUCCESS)),
        state=(after.invitation,),
        effects=(UpdateCopies(view.invitation.id), *told, UpdateNotices(tuple(keys.values()), message)),
        audit=f"wished.{wish}",
        subject=view.invitation.id,
    )


def _for_admins(loaded: WishLoaded, event: WishEvent) -> Transition:
    rollout = loaded.rollout
    if rollout is None:
        return answers.outdated()
    shown = wish_message(rollout, Wish.NOT_MINE, loaded.many, loaded.people)
    if not loaded.many:
        return Transition(reply=Replace(shown))
    if event.token.version != loaded.many:  # the admin has not read of all of them
        return Transition(reply=Replace(shown, answers.notice(text("wish.others"), Tone.WARNING)))
    done = text("wish.exempted", count=loaded.many)
    return Transition(
        reply=Replace(answers.notice(done, Tone.SUCCESS)),
        effects=(ExemptWishing(rollout.id, Wish.NOT_MINE, EXEMPT_REASON),),
        audit="exempted.wishing",
        subject=rollout.id,
        details=(("people", loaded.many),),
    )


def wish_key(rollout_id: str, wish: Wish, admin: str) -> str:
    """The key of the message about this wish to one admin, a person id; without one, what all of these begin with."""
    return f"{rollout_id}:wish:{wish}:to:{admin}"


def wish_message(rollout: Rollout, wish: Wish, many: int, people: tuple[Person, ...]) -> Message:
    """Who has this wish, as the admins see it."""
    if not many:
        return Message(text("wish.nobody"), None, (Notice(text("wish.nobody"), Tone.SUCCESS),))
    title = text(f"wish.{wish}.title", count=many)
    names = tuple(text("plain", words=each.known_as) for each in people[:SHOWN])
    more = (Section(text("case.more", count=many - SHOWN)),) if many > SHOWN else ()
    explained: Text = text(f"wish.{wish}.explain")
    buttons = (_exempt_button(rollout, many),) if wish is Wish.NOT_MINE else ()
    return Message(title, title, (Section(text("wish.names", names=names)), *more, Section(explained)), buttons)


def _exempt_button(rollout: Rollout, many: int) -> Button:
    sure = text("wish.exempt.sure", count=many)
    return Button(text("wish.exempt", count=many), Token("wish", "exempt", rollout.id, many), Style.PRIMARY, sure)


WISH = Conversation("wish", _load, _step)
