"""Short answers that several conversations give."""

from __future__ import annotations

from dataclasses import replace

from bot.conversations.scene import Loaded
from bot.messages import LinkButton, Message, Notice, Section, Text, Tone, text
from bot.roles import Role
from bot.transition import Transition, Whisper


def notice(sentence: Text, tone: Tone = Tone.INFO) -> Message:
    """A message of one sentence."""
    return Message(summary=sentence, body=(Notice(sentence, tone),))


def whisper(sentence: Text, tone: Tone = Tone.INFO) -> Transition:
    """Say one sentence to the person alone and change nothing."""
    return Transition(reply=Whisper(notice(sentence, tone)))


def try_again() -> Message:
    """The database does not answer."""
    return notice(text("answer.try_again"), Tone.WARNING)


def too_many() -> Message:
    """They ask for more than one person may in a minute."""
    return notice(text("answer.too_many"), Tone.WARNING)


def refused(action: str, loaded: Loaded) -> Transition:
    """A friendly no, and an audit entry."""
    if loaded.owner is not None:
        sentence = text("answer.not_yours")
    else:
        sentence = text("answer.owners_only" if loaded.scene.role is Role.ADMIN else "answer.admins_only")
    return Transition(
        reply=Whisper(notice(sentence, Tone.WARNING)),
        audit=f"refused.{action}",
        subject=loaded.owner or "",
        outcome="refused",
    )


def not_recognised() -> Transition:
    """The platform has not told in time whether they are an admin. It goes on telling: the next time it is known."""
    return whisper(text("answer.not_recognised"), Tone.WARNING)


def secret_pasted(link: str = "") -> Transition:
    """Somebody wrote a token. Say so, and let it go no further: not into an answer, not into a row. `link` leads to
    their message, which only they can delete.
    """
    said = notice(text("secret.pasted"), Tone.ERROR)
    if link:
        how = Section(text("secret.delete"))
        said = replace(said, body=(*said.body, how), buttons=(LinkButton(text("button.my_message"), link),))
    return Transition(reply=Whisper(said), audit="secret.pasted")


def no_rollout() -> Transition:
    """There is nothing to act on yet."""
    return whisper(text("answer.no_rollout"), Tone.WARNING)


def outdated() -> Transition:
    """The button or form is an old one."""
    return whisper(text("answer.outdated"), Tone.WARNING)
