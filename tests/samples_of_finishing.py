"""What is shown at a rollout's end, for tests/samples.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from bot.conversations import CONVERSATIONS
from bot.conversations.confirm import ConfirmLoaded
from bot.conversations.erase import EraseLoaded
from bot.conversations.erase_person import PersonLoaded
from bot.conversations.export import OFFERED, ExportLoaded
from bot.conversations.finish import FinishLoaded
from bot.conversations.finish_removal import SHOWN_NAMES, RemovalLoaded
from bot.conversations.invitation import compose
from bot.finishing import FinishItem, FinishStep, StepState, steps_of
from bot.messages import Token
from bot.model import Delivery, DeliveryKind, DeliveryState, OldToken, Person, Rollout, RolloutState
from bot.ports import Footprint, RemovalCounts, RolloutCounts
from bot.transition import Replace, Transition
from tests.builders import GRACE, NOON, command, mention, press, scene, submit, view

Scenes = Iterator[tuple[str, Transition]]


class Company(Protocol):
    """As in tests/samples.py."""

    @property
    def rollout(self) -> Rollout: ...
    @property
    def admin(self) -> Person: ...
    @property
    def invitee(self) -> Person: ...
    @property
    def words(self) -> str: ...


def untouched(rollout: Rollout) -> dict[FinishStep, FinishItem]:
    """Every step, as it begins."""
    return {step: FinishItem.untouched(rollout.id, step) for step in steps_of(rollout)}


def _finish(of: Company) -> Scenes:
    here = scene(of.rollout)
    counts = RolloutCounts(invited=9000, done=8000, open=3, exempt=997)
    loaded = FinishLoaded(here, None, of.rollout, untouched(of.rollout), {of.admin.id: of.admin}, counts)

    def act(action: str, on: FinishLoaded = loaded, version: int = 0, **values: Any) -> Transition:
        token = Token("finish", action, of.rollout.id, version)
        return CONVERSATIONS["finish"].decide(on, submit(token, of.admin, **values), NOON)

    def now(loaded: FinishLoaded, after: Transition) -> FinishLoaded:
        saved = {row.step: row for row in after.state if isinstance(row, FinishItem)}
        rollout = next((row for row in after.state if isinstance(row, Rollout)), loaded.rollout)
        return replace(loaded, rollout=rollout, items={**loaded.items, **saved})

    ask = command("finish", actor=of.admin)
    yield "no rollout", CONVERSATIONS["finish"].decide(FinishLoaded(scene()), ask, NOON)
    yield "begin", CONVERSATIONS["finish"].decide(loaded, ask, NOON)
    yield "show", act("show")
    yield "outdated", CONVERSATIONS["finish"].decide(FinishLoaded(here), press(Token("finish", "show")), NOON)
    for step in loaded.items:
        yield f"open {step}", act(f"step.{step}")
        yield f"nothing filled in {step}", act(f"save.{step}", state="", due_on="soon", owner="U-nobody")
        yield f"skipped without a reason {step}", act(f"save.{step}", state="skipped")
        yield f"done without proof {step}", act(f"save.{step}", state="done")
        yield f"overtaken {step}", act(f"save.{step}", version=7)
    yield "a password", act("save.recovery", state="done", proof="hunter2 hunter3")
    yield "an unknown organization", act("save.organizations", state="done", proof=f"{of.words[:150]}: me")
    yield "a token", act("save.administer", state="open", proof="sqp_" + "a" * 40)
    yield "owned", act("save.administer", state="open")
    due = {"state": "open", "due_on": "2026-04-01", "proof": of.words[:900]}
    yield "due", act("save.administer", **due)
    skipped = act("save.recovery", state="skipped", reason=of.words[:900])
    yield "skipped", skipped
    kept = "\n".join(f"{key}: {of.words[:60]}" for key in of.rollout.organizations) or of.words[:100]
    organizations = act("save.organizations", state="done", proof=kept.replace("*bold*", "olivia"))
    yield "organizations", organizations
    loaded = now(now(loaded, skipped), organizations)
    yield "several states", act("show", loaded)
    version = of.rollout.version
    yield "end", act("end", loaded, version)
    yield "end without a reason", act("ended", loaded, version)
    yield "overtaken at the end", act("ended", loaded, version + 5, reason="late")
    yield "ended with a token", act("ended", loaded, version, reason="sqp_" + "a" * 40)
    ended = act("ended", loaded, version, reason=of.words[:900])
    yield "ended", ended
    finished = now(loaded, ended)
    yield "end of what has ended", act("end", finished, version + 1)
    settled = {
        step: item.model_copy(update={"state": StepState.DONE, "owner": of.admin.id, "changed_at": NOON})
        for step, item in loaded.items.items()
    }
    yield "end with nothing left", act("end", replace(loaded, items=settled, counts=RolloutCounts()), version)
    yield "everything done", act("show", replace(loaded, items=settled))
    newer = of.rollout.model_copy(update={"id": "newer"})
    yield "reopen while another runs", act("reopen", replace(finished, instead=newer), version + 1)
    alone = replace(finished, scene=scene())
    yield "reopen", act("reopen", alone, version + 1)
    yield "archive", act("archive", alone, version + 1)
    later = {step: item.model_copy(update={"due_on": date(2026, 5, 1)}) for step, item in loaded.items.items()}
    yield "with days", act("step.administer", replace(loaded, items=later))


def _old_token(of: Company) -> Scenes:
    # the question is asked where there is an old account and a token
    rollout = of.rollout.model_copy(update={"former_sign_in": tuple(of.rollout.former_sign_in) or ("gitlab",)})
    rollout = rollout.model_copy(update={"uses_tokens": True})

    def done(**changes: Any) -> Any:
        return view(rollout, of.invitee, rollout.needs, done_at=NOON, due_at=None, **changes)

    def act(action: str, on: Any) -> Transition:
        loaded = ConfirmLoaded(scene(rollout), GRACE.id, on)
        return CONVERSATIONS["old_token"].decide(loaded, submit(Token("old_token", action, "i"), of.invitee), NOON)

    yield "nothing", act("unused", None)
    yield "a stranger to it", act("perhaps", done())
    for answer in (OldToken.UNUSED, OldToken.IN_USE):
        yield answer, act(answer.value, done())
        yield f"{answer} again", act(answer.value, done(old_token=answer))
    farewell = Delivery(
        id="d",
        key="k",
        kind=DeliveryKind.FAREWELL,
        lane="slack:T1",
        person_id=GRACE.id,
        not_before=NOON,
        created_at=NOON,
    )
    asked = compose(farewell.model_copy(update={"kind": DeliveryKind.OLD_TOKEN}), done())
    assert asked is not None
    yield "asked", Transition(Replace(asked))
    for on in (done(old_token=OldToken.UNUSED), done(old_token=OldToken.IN_USE), done(is_keeper=True)):
        message = compose(farewell, on)
        assert message is not None
        yield "farewell", Transition(Replace(message))
    over = rollout.model_copy(update={"state": RolloutState.FINISHED})
    yield (
        "over",
        CONVERSATIONS["confirm"].decide(
            ConfirmLoaded(scene(over), GRACE.id, view(over, of.invitee)),
            press(Token("confirm", "access", "i"), of.invitee),
            NOON,
        ),
    )


def _removal(of: Company) -> Scenes:
    here = scene(of.rollout)
    admins = dict.fromkeys(of.rollout.organizations or ("",), "olivia")
    farewells = dict.fromkeys(DeliveryState, 3)
    counts = RemovalCounts(
        invited=9000, may_go=4000, to_tell=12, farewells=farewells, ci_unknown=80, to_ask=70, keepers=3
    )
    first = [view(of.rollout, of.invitee)] * SHOWN_NAMES
    loaded = RemovalLoaded(here, None, of.rollout, counts, first, admins)

    def act(action: str, on: RemovalLoaded = loaded, version: int = 0, **values: Any) -> Transition:
        token = Token("removal", action, of.rollout.id, version)
        return CONVERSATIONS["removal"].decide(on, submit(token, of.admin, **values), NOON)

    yield "show", act("show")
    for few in (0, 1, 2):
        counts = RemovalCounts(may_go=few, to_tell=few, to_ask=few)
        yield f"{few} people", act("show", replace(loaded, counts=counts, first=first[:few]))
        for action in ("tell", "ask"):
            yield f"{action} {few}", act(action, replace(loaded, counts=counts), few)
    unnamed = of.rollout.model_copy(update={"organizations": ()})
    yield "one without a name", act("show", replace(loaded, rollout=unnamed, admins={"": "olivia"}))
    yield "one without an admin", act("show", replace(loaded, rollout=unnamed, admins={}))
    named = of.rollout.model_copy(update={"organizations": ("web", "core")})
    yield "two without an admin", act("show", replace(loaded, rollout=named, admins={}))
    yield "some with an admin", act("show", replace(loaded, rollout=named, admins={"web": of.words[:200]}))
    yield "keep", act("keep")
    yield "keep nobody", act("kept")
    invited = replace(loaded, named=view(of.rollout, of.invitee))
    yield "kept", act("kept", invited, person=of.invitee.user_id, keep="yes")
    yield "not kept", act("kept", invited, person=of.invitee.user_id, keep="no")
    yield "outdated", act("nonsense")


def _export(of: Company) -> Scenes:
    reachable = ExportLoaded(scene(of.rollout, public_url="https://usher.example", secret="s" * 43), None, of.rollout)
    ask = command("export", actor=of.admin)
    yield "no rollout", CONVERSATIONS["export"].decide(ExportLoaded(scene()), ask, NOON)
    yield "no address", CONVERSATIONS["export"].decide(ExportLoaded(scene(), None, of.rollout), ask, NOON)
    yield "which", CONVERSATIONS["export"].decide(reachable, ask, NOON)
    for kind in OFFERED:
        pressed = press(Token("export", f"make.{kind}", of.rollout.id), of.admin)
        yield kind, CONVERSATIONS["export"].decide(reachable, pressed, NOON)


def _erase(of: Company) -> Scenes:
    over = of.rollout.model_copy(update={"state": RolloutState.FINISHED, "finished_at": NOON})
    loaded = EraseLoaded(scene(), None, over)
    ask = command("erase", actor=of.admin)

    def act(action: str, version: int = over.version, **values: Any) -> Transition:
        token = Token("erase", action, over.id, version)
        return CONVERSATIONS["erase"].decide(loaded, submit(token, of.admin, **values), NOON)

    yield "nothing", CONVERSATIONS["erase"].decide(EraseLoaded(scene()), ask, NOON)
    yield "running", CONVERSATIONS["erase"].decide(EraseLoaded(scene(of.rollout)), ask, NOON)
    yield "ask", CONVERSATIONS["erase"].decide(loaded, ask, NOON)
    yield "open", act("open")
    yield "show", act("show")
    yield "outdated", act("sure", version=0)
    yield "another key", act("sure", key="another")
    yield "sure", act("sure", key=over.enterprise_key)
    whom = mention(of.invitee)
    for number in (0, 1, 2):
        one = PersonLoaded(scene(), None, (of.invitee,), Footprint(number, number, number))
        yield (
            f"a person with {number}",
            CONVERSATIONS["erase"].decide(one, command("erase", whom, actor=of.admin), NOON),
        )
    nameless = of.invitee.model_copy(update={"email": ""})
    asked = command("erase", whom, actor=of.admin)
    for name, loaded_person, event in (
        ("a person without an address", PersonLoaded(scene(), None, (nameless,)), asked),
        ("nobody known", PersonLoaded(scene()), asked),
        ("nobody named", PersonLoaded(scene()), command("erase somebody", actor=of.admin)),
        ("an admin", PersonLoaded(scene(), None, (of.admin.model_copy(update={"is_appointed": True}),)), asked),
        ("a person, sure", one, press(Token("erase", "person", of.invitee.id), of.admin)),
        ("a person, gone", PersonLoaded(scene()), press(Token("erase", "person", of.invitee.id), of.admin)),
    ):
        yield name, CONVERSATIONS["erase"].decide(loaded_person, event, NOON)


MAKERS: Mapping[str, Any] = {
    "erase": _erase,
    "finish": _finish,
    "old_token": _old_token,
    "removal": _removal,
    "export": _export,
}
