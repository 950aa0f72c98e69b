"""Companies in one installation: nothing of a rollout's end reaches across, whatever button somebody has got hold of."""

from __future__ import annotations

import pytest

from bot.engine import Engine
from bot.finishing import FinishStep, Handout
from bot.messages import Token
from bot.model import Invitation, Rollout, RolloutState, derived_id
from bot.roles import Admins
from bot.transition import Replace, ShowForm, Whisper
from storage.database import Database
from tests.builders import ADA, GRACE, NOON, command, keys, message_of, person, rollout, submit, words, workspace
from tests.doubles import StoppedClock
from tests.rows import installed, invited_people, stored

EVE = person("eve", "slack:T9", is_workspace_admin=True)
FINISHED = rollout(state=RolloutState.FINISHED, finished_at=NOON)
STEPS = tuple(("finish", f"{action}.{step}") for action in ("step", "save") for step in FinishStep)
ELSEWHERE = (
    ("finish", "show"),
    ("finish", "end"),
    ("finish", "ended"),
    ("finish", "reopen"),
    ("finish", "archive"),
    ("removal", "show"),
    ("removal", "kept"),
    ("removal", "tell"),
    ("export", "make.people"),
    ("export", "make.audit"),
    ("export", "make.report"),
    ("erase", "open"),
    ("erase", "sure"),
    *STEPS,
)


@pytest.fixture
async def engine(store: Database) -> Engine:
    await installed(store, workspace("slack:T9", company="another"), people=(EVE,))
    return Engine(store, StoppedClock(), Admins.of(""), public_url="https://usher.example")


@pytest.mark.parametrize("of", [rollout(), FINISHED], ids=lambda of: of.state.value)
async def test_no_button_of_another_company_does_or_shows_anything(store: Database, engine: Engine, of: Rollout):
    await invited_people(store, GRACE, of=of)
    before = await stored(store, Rollout), await stored(store, Invitation)
    for conversation, action in ELSEWHERE:
        for version in (0, 1):
            token = Token(conversation, action, of.id, version)
            values = {"person": GRACE.user_id, "key": of.enterprise_key, "reason": "r", "state": "done"}
            reply = await engine(submit(token, EVE, **values))
            assert isinstance(reply, Whisper), (conversation, action)
            assert keys(message_of(reply)) == ["answer.outdated"] * 2
    assert (await stored(store, Rollout), await stored(store, Invitation)) == before


@pytest.mark.parametrize("name", ["finish", "export", "erase"])
async def test_commands_are_about_ones_own_company_alone(store: Database, engine: Engine, name: str):
    await invited_people(store, GRACE, of=FINISHED)
    assert "Acme" not in words(message_of(await engine(command(name, actor=EVE))))
    own = await engine(command(name, actor=ADA))
    assert own is not None
    assert keys(message_of(own)) != ["answer.no_rollout"] * 2


async def test_nobody_but_an_admin_gets_a_file_or_ends_a_rollout(store: Database, engine: Engine):
    await invited_people(store, GRACE, of=FINISHED)
    for conversation, action in ELSEWHERE:
        reply = await engine(submit(Token(conversation, action, FINISHED.id, 1), GRACE))
        assert keys(message_of(reply)) == ["answer.admins_only"] * 2
    assert (await stored(store, Rollout))[0] == FINISHED


async def test_each_link_has_a_secret_of_its_own(store: Database, engine: Engine):
    await invited_people(store, GRACE, of=FINISHED)
    links = set()
    for _ in range(3):
        reply = await engine(submit(Token("export", "make.people", FINISHED.id), ADA))
        links.add(message_of(reply).buttons[0].url)  # type: ignore[union-attr]
    assert len(links) == 3
    async with store.transaction() as tx:
        for link in links:
            handout = await tx.finishing.handout(Handout.key(link.rsplit("/", 1)[1]))
            assert handout is not None
            assert handout.person_id == ADA.id


async def test_only_the_invitee_answers_the_question_about_ci(store: Database, engine: Engine):
    await invited_people(store, GRACE)
    token = Token("old_token", "unused", derived_id(rollout().id, GRACE.identity))
    assert "answer.not_yours" in keys(message_of(await engine(submit(token, ADA))))
    assert isinstance(await engine(submit(token, GRACE)), Replace)
    assert not isinstance(await engine(submit(token, EVE)), Replace | ShowForm)
