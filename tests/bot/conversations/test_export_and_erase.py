"""Files for admins, and erasing a rollout's people: what is offered, to whom, and what is asked first."""

from __future__ import annotations

from typing import Any

import pytest

from bot.conversations.erase import ERASE, EraseLoaded
from bot.conversations.export import EXPORT, ExportLoaded
from bot.finishing import LINK_LIVES, FileKind, Handout
from bot.messages import LinkButton, Token
from bot.model import Rollout, RolloutState
from bot.transition import ShowForm, Transition, Whisper
from tests.builders import ADA, NOON, body_keys, buttons, command, keys, message_of, press, rollout, scene, submit

HERE = {"public_url": "https://usher.example", "secret": "a" * 43}
OVER = rollout(state=RolloutState.FINISHED, finished_at=NOON)


def export(event: Any, of: Rollout | None = OVER, **changes: Any) -> Transition:
    return EXPORT.decide(ExportLoaded(scene(None, **(HERE | changes)), None, of), event, NOON)


def test_a_link_is_for_whoever_asked_and_only_its_digest_is_stored() -> None:
    after = export(press(Token("export", "make.people", OVER.id)))
    assert isinstance(after.reply, Whisper), "nobody else sees it, and it is stored in no message"
    (link,) = after.reply.message.buttons
    assert isinstance(link, LinkButton)
    assert link.url == "https://usher.example/files/" + "a" * 43
    (handout,) = after.state
    assert isinstance(handout, Handout)
    assert (handout.person_id, handout.expires_at) == (ADA.id, NOON + LINK_LIVES)
    assert "a" * 43 not in handout.model_dump_json()
    assert after.audit == "file.offered.people"
    assert after.effects == ()


def test_the_removal_list_is_offered_where_there_are_old_accounts() -> None:
    for former, offered in (((), False), (OVER.former_sign_in, True)):
        shown = message_of(export(command("export"), rollout(former_sign_in=former)).reply)
        assert ("make.removal" in {each.token.action for each in buttons(shown)}) is offered


def test_without_a_public_address_there_are_no_links() -> None:
    after = export(command("export"), public_url="")
    assert keys(message_of(after.reply)) == ["export.no_address"] * 2
    assert export(press(Token("export", "make.people", OVER.id)), public_url="").state == ()


@pytest.mark.parametrize("action", ["make.secrets", "make", "make.", "show"])
def test_there_are_no_other_files(action: str) -> None:
    assert export(press(Token("export", action, OVER.id))).state == ()
    assert "" not in set(FileKind)


def erase(event: Any, of: Rollout | None = OVER, running: Rollout | None = None) -> Transition:
    return ERASE.decide(EraseLoaded(scene(running), None, of), event, NOON)


def test_erasing_asks_for_the_enterprise_key() -> None:
    asked = message_of(erase(command("erase")).reply)
    assert body_keys(asked) == ["erase.what", "erase.stays"]
    assert isinstance(erase(press(Token("erase", "open", OVER.id, 1))).reply, ShowForm)
    for wrong in ("", "another"):
        after = erase(submit(Token("erase", "sure", OVER.id, 1), key=wrong))
        assert after.state == ()
        assert "erase.error" in keys(after.reply.form)  # type: ignore[union-attr]
    (erased,) = erase(submit(Token("erase", "sure", OVER.id, 1), key=OVER.enterprise_key)).state
    assert isinstance(erased, Rollout)
    assert (erased.erased_at, erased.version) == (NOON, 2)


def test_a_running_rollout_is_not_erased() -> None:
    running = rollout()
    assert keys(message_of(erase(command("erase"), None, running).reply)) == ["erase.running"] * 2
    assert keys(message_of(erase(command("erase"), None).reply)) == ["erase.nothing"] * 2
    key = running.enterprise_key
    assert erase(submit(Token("erase", "sure", running.id, 1), key=key), running).state == ()


def test_an_old_question_erases_nothing() -> None:
    key = OVER.enterprise_key
    assert erase(submit(Token("erase", "sure", OVER.id, 0), key=key)).state == ()
    twice = OVER.model_copy(update={"erased_at": NOON})
    assert erase(submit(Token("erase", "sure", OVER.id, 1), key=key), twice).state == ()
