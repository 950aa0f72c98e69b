"""In which language somebody is written to."""

from __future__ import annotations

from bot.conversations.language import LANGUAGE, LanguageLoaded
from bot.engine import Engine
from bot.messages import Token
from bot.model import Invitation, Person
from bot.ports import Store
from bot.roles import Admins
from bot.transition import CloseForm, Replace, ShowForm, Speak
from tests.builders import GRACE, LINUS, NOON, command, form_of, press, rollout, scene, submit, view
from tests.doubles import StoppedClock
from tests.rows import installed, invited_people, stored


def test_the_language_that_holds_is_chosen_in_the_form() -> None:
    for language, shown in (("", "chat"), ("de", "de")):
        actor = GRACE.model_copy(update={"language": language})
        form = form_of(LANGUAGE.decide(LanguageLoaded(scene()), command("language", actor=actor), NOON).reply)
        assert form.fields[0].value == (shown,)
        assert [each.value for each in form.fields[0].choices] == ["chat", "de", "en"]


def test_on_the_invitation_it_is_shown_again() -> None:
    mine = view()
    chosen = submit(Token("language", "choose", mine.invitation.id), GRACE, language="de")
    after = LANGUAGE.decide(LanguageLoaded(scene(rollout()), view=mine), chosen, NOON)
    assert isinstance(after.reply, Replace)
    assert after.effects == (Speak(GRACE.id, "de"),)


async def test_the_invitation_is_shown_to_the_invitee_and_to_nobody_else(store: Store) -> None:
    await invited_people(store, GRACE)
    await installed(store, people=(LINUS,))
    engine = Engine(store, StoppedClock(), Admins.of(""))
    (invitation,) = await stored(store, Invitation)
    for who, shown in ((GRACE, Replace), (LINUS, CloseForm)):
        chosen = submit(Token("language", "choose", invitation.id), who, language="de")
        assert isinstance(await engine(chosen), shown)


def test_back_to_the_chat_s_language() -> None:
    after = LANGUAGE.decide(
        LanguageLoaded(scene()), submit(Token("language", "choose"), GRACE, language="chat"), NOON
    )
    assert isinstance(after.reply, CloseForm)
    assert after.effects == (Speak(GRACE.id, ""),)


async def test_every_reply_says_in_which_language_to_say_it(store: Store) -> None:
    """The platform does not know what somebody has chosen here, so the reply tells."""
    await installed(store)
    engine = Engine(store, StoppedClock(), Admins.of(""))
    before = await engine(command("language", actor=GRACE))
    assert isinstance(before, ShowForm)
    assert before.language == ""
    chosen = await engine(submit(Token("language", "choose"), GRACE, language="de"))
    assert chosen is not None
    assert chosen.language == "de"
    after = await engine(press(Token("language", "ask"), GRACE))
    assert after is not None
    assert after.language == "de"
    (grace,) = [each for each in await stored(store, Person) if each.id == GRACE.id]
    assert grace.language == "de"
