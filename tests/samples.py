"""Everything that the conversations show, made by their own steps: for a small company and for one whose words are long.

Whoever adds a conversation, or a sentence to one, adds a line here; test_texts.py notices when one is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import cycle
from typing import Any

from bot.approvals import Approval, ApprovalKind, ApprovalState, Needed
from bot.conversations import CONVERSATIONS, answers
from bot.conversations.admins import AdminsLoaded
from bot.conversations.approval import ApprovalLoaded, ask_for, decided, question_message
from bot.conversations.case import CaseLoaded, SolvedLoaded
from bot.conversations.case_messages import reply_message
from bot.conversations.confirm import ConfirmLoaded
from bot.conversations.digest import DigestLoaded
from bot.conversations.digest_messages import SHOWN as SILENT_SHOWN
from bot.conversations.digest_messages import Lately, escalation_digest, manager_digest, report_digest
from bot.conversations.help import HomeLoaded
from bot.conversations.invitation import compose, final_notice
from bot.conversations.invite_messages import NAMES_A_PAGE, SHOWN_NAMES
from bot.conversations.invite_wave import InviteLoaded
from bot.conversations.language import LanguageLoaded
from bot.conversations.manage import RemindLoaded
from bot.conversations.missing import PAGE
from bot.conversations.problem import ProblemLoaded
from bot.conversations.problem_tree import KINDS
from bot.conversations.problems import ProblemsLoaded
from bot.conversations.ready import ReadyLoaded
from bot.conversations.rollouts import SHOWN as MOST_ROLLOUTS
from bot.conversations.rollouts import SHOWN_FINISHED, RolloutsLoaded
from bot.conversations.scene import Loaded
from bot.conversations.setup import SetupLoaded
from bot.conversations.status import StatusLoaded
from bot.conversations.status_charts import Shown
from bot.conversations.wave import WaveLoaded
from bot.conversations.wave_messages import progress_message
from bot.conversations.wish import SHOWN, WishLoaded
from bot.digests import Digest
from bot.events import HomeOpened, MessageReceived, PeopleFound, Problem, Target, TargetKind
from bot.messages import Form, Link, Message, Token, Tone, text
from bot.model import (
    Case,
    CaseState,
    CheckKind,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dialog,
    FormerSignIn,
    Interval,
    Listed,
    Person,
    Provisioning,
    Region,
    ReminderPolicy,
    Rollout,
    RolloutState,
    Wave,
    WaveStage,
    Wish,
)
from bot.planned_waves import ASK, held_message, starts_at
from bot.ports import (
    CaseCounts,
    CaseGroup,
    InvitationView,
    LeftOut,
    ListSummary,
    Missing,
    OverTime,
    Reason,
    RolloutCounts,
    Standing,
    WaveCounts,
    WaveResults,
)
from bot.readiness import Readiness, ReadyPoint
from bot.roles import Role
from bot.transition import CloseForm, Replace, SendMessage, ShowForm, ShowHome, Transition, Whisper
from tests import samples_of_finishing
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    command,
    mention,
    person,
    press,
    rollout,
    scene,
    submit,
    view,
)

# What people may write, and every platform has to show as it is.
NASTY = (
    "*bold* _it_ ~no~ `code` <https://evil.example|link> [click](https://evil.example) <!channel> @all & {count} \"'"
)
LONG = (NASTY + " äöü 漢字 🙂 ") * 30


@dataclass(frozen=True)
class Company:
    """One that the samples are made for."""

    name: str
    rollout: Rollout
    admin: Person
    invitee: Person
    words: str  # whatever somebody writes


SMALL = Company("small", rollout(former_sign_in=(), uses_tokens=False), ADA, GRACE, "x")
LARGE = Company(
    "large",
    rollout(
        name=LONG[:100],
        enterprise_key="k" * 255,
        login_url="https://sonarqube.us/" + "p" * 1900,
        region=Region.US,
        provisioning=Provisioning.SCIM,
        former_sign_in=tuple(FormerSignIn),
        organizations=tuple("o" * 200 + str(number) for number in range(50)),
        policy=ReminderPolicy(deadline=(NOON + 30 * DAY).date(), final_notice=True),
    ),
    person("ada", name=LONG[:300], is_workspace_admin=True),
    person("grace", name=LONG[:300]),
    LONG[:2000],
)
COMPANIES = (SMALL, LARGE)


@dataclass(frozen=True)
class Sample:
    """Something that is shown, and how it came to be."""

    name: str
    conversation: str
    shown: Message | Form


@cache
def samples() -> tuple[Sample, ...]:
    """All of them."""
    return tuple(
        Sample(f"{company.name} {conversation} {name} {number}", conversation, shown)
        for company in COMPANIES
        for conversation, make in MAKERS.items()
        for name, transition in make(company)
        for number, shown in enumerate(shown_by(transition))
    )


def shown_by(transition: Transition) -> Iterator[Message | Form]:
    """The messages and forms of a transition: its reply, its toast, and the direct messages that it queues."""
    match transition.reply:
        case ShowForm(form=form):
            yield form
        case Replace(message=message, toast=toast):
            yield from (each for each in (message, toast) if each is not None)
        case Whisper(message=message) | ShowHome(message=message) | CloseForm(message=Message() as message):
            yield message
        case _:
            pass
    yield from (effect.message for effect in transition.effects if isinstance(effect, SendMessage))


Scenes = Iterator[tuple[str, Transition]]


def _decide(conversation: str, loaded: Loaded, event: Any) -> Transition:
    return CONVERSATIONS[conversation].decide(loaded, event, NOON)


def _view(of: Company, *confirmed: CheckKind, **changes: Any) -> InvitationView:
    return view(of.rollout, of.invitee, confirmed, **changes)


def _finished(of: Company) -> InvitationView:
    return _view(of, *of.rollout.needs, done_at=NOON, due_at=None)


def _setup(of: Company) -> Scenes:
    dialog: Dialog | None = None
    before: Rollout | None = None

    def step(event: Any) -> Transition:
        nonlocal dialog
        after = _decide("setup", SetupLoaded(scene(before), dialog=dialog), event)
        dialog = next((row for row in after.state if isinstance(row, Dialog)), dialog)
        return after

    def token(action: str = "next", version: int | None = None) -> Token:
        assert dialog is not None
        return Token("setup", action, dialog.id, dialog.version if version is None else version)

    yield "begin", step(command("setup", actor=of.admin))
    yield "nothing filled in", step(submit(token(), of.admin))
    taken = submit(token(), of.admin, **_enterprise(of))
    yield "taken", _decide("setup", SetupLoaded(scene(), dialog=dialog, others=(of.rollout,)), taken)
    yield "enterprise", step(submit(token(), of.admin, **_enterprise(of)))
    for url in (
        "http://sonarcloud.io",
        "https://",
        "https://evil.example",
        "https://sonarcloud.io/?enterprise_key=other",
    ):
        yield f"login {url}", step(submit(token(), of.admin, login_url=url))
    other = "https://sonarcloud.io" if of.rollout.region is Region.US else "https://sonarqube.us"
    yield "login of the other region", step(submit(token(), of.admin, login_url=other))
    yield "stale", step(press(token("back", 0), of.admin))
    yield "login", step(submit(token(), of.admin, login_url=of.rollout.login_url))
    yield "groups", step(submit(token(), of.admin, provisioning="jit"))
    yield "provisioning", step(submit(token(), of.admin, provisioning="scim", domain_verified="no"))
    yield "organization", step(submit(token(), of.admin, organizations=of.words + " not/a/key"))
    platforms = tuple(kind.value for kind in of.rollout.former_sign_in)
    organizations = "\n".join(of.rollout.organizations)
    yield "people", step(submit(token(), of.admin, former_sign_in=platforms, organizations=organizations))
    yield "numbers", step(submit(token(), of.admin, deadline="yesterday"))
    yield "country", step(submit(token(), of.admin, **_policy(holiday_country="xx")))
    yield "hours", step(submit(token(), of.admin, **_policy(hour_from="9", hour_to="9")))
    yield "reminders", step(submit(token(), of.admin, **_policy(hour_from="9", hour_to="17")))
    yield "send to me", step(press(token("send_to_me"), of.admin))
    yield "preview", step(press(token("preview"), of.admin))
    before = rollout(id="another")
    yield "overtaken", _decide("setup", SetupLoaded(scene(before), dialog=dialog), submit(token(), of.admin))
    before = None
    yield "save", step(submit(token(), of.admin))
    yield "outdated", step(submit(token(), of.admin))
    before = of.rollout
    yield "change", step(command("setup", actor=of.admin))
    assert dialog is not None
    dialog = dialog.model_copy(update={"step": "preview"})
    before = _changed_meanwhile(of)
    yield "changed meanwhile", step(submit(token(), of.admin))
    yield "again", step(press(token("again"), of.admin))
    before = None
    yield "begin by the button", step(press(Token("setup", "begin"), of.admin))
    yield "another", step(press(Token("setup", "another"), of.admin))


def _changed_meanwhile(of: Company) -> Rollout:
    """Everything is different from what it was."""
    fields = {
        "name": of.words[:100],
        "enterprise_key": "other",
        "region": Region.US if of.rollout.region is Region.EU else Region.EU,
        "login_url": "https://sonarcloud.io/" + "q" * 1900,
        "provisioning": Provisioning.SCIM if of.rollout.provisioning is Provisioning.JIT else Provisioning.JIT,
        "groups_exist": True,
        "domain_verified": True,
        "former_sign_in": () if of.rollout.former_sign_in else tuple(FormerSignIn),
        "organizations": tuple("p" * 200 + str(number) for number in range(50)),
        "uses_tokens": not of.rollout.uses_tokens,
        "policy": ReminderPolicy(
            first_after_days=60,
            every_days=60,
            interval=Interval.GROWING,
            at_most=0,
            weekdays=tuple(range(7)),
            hour_from=0,
            hour_to=24,
            skip_holidays=not of.rollout.policy.skip_holidays,
            holiday_country="DE",
            deadline=(NOON + 99 * DAY).date(),
            final_notice=not of.rollout.policy.final_notice,
        ),
        "version": of.rollout.version + 1,
    }
    return of.rollout.model_copy(update=fields)


def _enterprise(of: Company) -> dict[str, str]:
    return {"name": of.rollout.name, "enterprise_key": of.rollout.enterprise_key, "region": of.rollout.region.value}


def _policy(**changes: str) -> dict[str, Any]:
    given: dict[str, Any] = {"first_after_days": "2", "every_days": "3", "at_most": "4", "weekdays": ("0", "1")}
    return given | changes


def _ready(of: Company) -> Scenes:
    yield "no rollout", _decide("ready", ReadyLoaded(scene()), command("ready"))
    unsure = of.rollout.model_copy(update={"provisioning": Provisioning.JIT, "groups_exist": False})
    loaded = ReadyLoaded(scene(unsure), readiness=Readiness.unknown(of.rollout.id))
    yield "nothing there", _decide("ready", loaded, command("ready"))
    for action in ("open", "show"):
        yield action, _decide("ready", loaded, press(Token("ready", action, of.rollout.id), of.admin))
    yes = {point.value: "yes" for point in ReadyPoint}
    token = Token("ready", "save", of.rollout.id)
    saved = _decide("ready", loaded, submit(token, of.admin, **yes))
    yield "saved", saved
    sure = of.rollout.model_copy(update={"groups_exist": True, "domain_verified": True})
    (readiness,) = saved.state
    assert isinstance(readiness, Readiness)
    everything = ReadyLoaded(scene(sure), readiness=readiness)
    yield "everything there", _decide("ready", everything, command("ready"))
    yield "overtaken", _decide("ready", everything, submit(token, of.admin, **yes))
    yield "of another rollout", _decide("ready", everything, press(Token("ready", "show", "another"), of.admin))


def _invite(of: Company) -> Scenes:
    here = scene(of.rollout)
    yield "no rollout", _decide("invite", InviteLoaded(scene()), command("invite"))
    yield "usage", _decide("invite", InviteLoaded(here), command("invite"))
    yield "here, in a chat of two", _decide("invite", InviteLoaded(here), command("invite team"))
    reachable = InviteLoaded(scene(of.rollout, public_url="https://usher.example", secret="s" * 43))
    yield "a file", _decide("invite", reachable, command("invite csv"))
    yield "a file, without an address", _decide("invite", InviteLoaded(here), command("invite csv"))
    yield "unknown word", _decide("invite", InviteLoaded(here), command(f"invite {of.words.split()[0]}"))
    paused = scene(of.rollout.model_copy(update={"state": RolloutState.PAUSED}))
    yield "paused", _decide("invite", InviteLoaded(paused), command("invite a@b.example"))
    looking = _decide("invite", InviteLoaded(here), command("invite a@b.example"))
    yield "looking", looking
    (dialog,) = looking.state
    assert isinstance(dialog, Dialog)

    def found(people: dict[str, int], first: tuple[str, ...], left_out: tuple[LeftOut, ...]) -> Transition:
        event = PeopleFound(id="found", workspace_id="slack:T1", actor=of.admin, dialog_id=dialog.id, list_id="list")
        loaded = InviteLoaded(here, dialog=dialog, summary=ListSummary(people, first, left_out))
        return _decide("invite", loaded, event)

    yield "nobody", found({}, (), ())
    yield "one", found({"slack:T1": 1}, (of.invitee.name,), ())
    names = tuple(of.words[:100] for _ in range(SHOWN_NAMES))
    labels = tuple(f"{of.words[:80]}{number}" for number in range(SHOWN_NAMES))
    listed = found({"slack:T1": 1500}, names, tuple(LeftOut(problem, 9, labels) for problem in Problem))
    yield "crowd", listed
    waiting = listed.state[0]
    assert isinstance(waiting, Dialog)
    lines = tuple(
        Listed(list_id="list", position=at, label=of.words[:100], problem=problem, listed_at=NOON)
        for at, problem in zip(range(NAMES_A_PAGE), cycle(("", *Problem)), strict=False)
    )
    for action in (
        "names.0",
        "names.37",
        "names.38",
        "names.39",
        "names.40",
        "cancel",
        "send",
        "later",
        "show",
        "ready",
        "left_out",
        "all",
    ):
        token = Token("invite", action, dialog.id, waiting.version)
        summary = ListSummary({"slack:T1": 1500}, names) if action == "show" else ListSummary()
        loaded = InviteLoaded(here, dialog=waiting, summary=summary, lines=lines)
        yield action, _decide("invite", loaded, press(token, of.admin))
    reachable = replace(reachable, dialog=waiting, lines=lines)
    token = Token("invite", "left_out", dialog.id, waiting.version)
    yield "left out, as a file", _decide("invite", reachable, press(token, of.admin))
    loaded = InviteLoaded(here, dialog=waiting, lines=lines)
    plan = Token("invite", "plan", dialog.id, waiting.version)
    for name, days, hold in (
        ("planned", 6, "10"),
        ("planned without waiting for anything", 6, "never"),
        ("planned to be asked first", 6, "ask"),
        ("planned for yesterday", -1, "never"),
        ("planned for a Saturday", 4, "never"),
        ("planned for after the deadline", 34, "never"),
        ("planned for next year", 365, "never"),
    ):
        day = (NOON + days * DAY).date().isoformat()
        yield name, _decide("invite", loaded, submit(plan, of.admin, when="day", day=day, hour="9", hold=hold))
    parts = ListSummary({"slack:T1": 200}, names), ListSummary({"slack:T1": 1300}, names)
    in_parts = replace(loaded, parts=parts)
    yield "the first of them now", _decide("invite", in_parts, submit(plan, of.admin, size="200", when="now"))
    yield "a size that is none", _decide("invite", loaded, submit(plan, of.admin, size="0", hold="ask"))
    ready = Token("invite", "readied.0", dialog.id, waiting.version)
    yield "ready at last", _decide("invite", loaded, submit(ready, of.admin, tested="yes", recovery="not_yet"))
    overtaken = Token("invite", "readied.7", dialog.id, waiting.version)
    yield "ready, but overtaken", _decide("invite", loaded, submit(overtaken, of.admin, tested="yes"))
    yield (
        "planned for no day",
        _decide("invite", loaded, submit(plan, of.admin, when="day", day="", hour="9", hold="never")),
    )


A_WEEK = OverTime({NOON.date() - DAY * 7: 300}, {NOON.date() - DAY * 5: 40, NOON.date() - DAY: 21})


def _digest(of: Company) -> Scenes:
    yield "no rollout", _decide("digest", DigestLoaded(scene()), command("digest"))
    here = scene(of.rollout)
    alone = _decide("digest", DigestLoaded(here), command("digest", actor=of.admin))
    yield "asked", alone
    channel = Target(TargetKind.CHANNEL, "C1", of.words[:80])
    asked = _decide("digest", DigestLoaded(here), command("digest", actor=of.admin, here=channel))
    yield "asked in a channel", asked
    (dialog,) = asked.state
    assert isinstance(dialog, Dialog)
    save = Token("digest", "save", dialog.id, dialog.version)
    loaded = DigestLoaded(here, dialog=dialog, named=of.invitee)
    for name, values in (
        ("nothing that can be", {"every": "hourly", "where": "there", "after": "0", "to": ""}),
        ("daily in a channel", {"every": "daily", "where": "here", "after": "3", "to": "U-grace"}),
        ("weekly in a channel", {"every": "weekly", "where": "here", "after": "", "to": ""}),
        ("weekly to me", {"every": "weekly", "where": "me", "after": "1", "to": ""}),
        ("to managers", {"every": "never", "where": "me", "after": "2", "to": "", "managers": ("yes",)}),
        ("never", {"every": "never", "where": "me", "after": "", "to": ""}),
    ):
        yield name, _decide("digest", loaded, submit(save, of.admin, **values))
    as_told = {"version": 3, "after": 4, "person_id": GRACE.id, "to_managers": True}
    told = Digest.escalation(of.rollout.id).model_copy(update=as_told)
    overtaken = replace(loaded, digests={told.id: told}, told=GRACE)
    yield "overtaken", _decide("digest", overtaken, submit(save, of.admin, every="daily", where="me"))
    for reason in (Reason.NOT_IN_CHANNEL, Reason.NOT_FOUND):
        sentence = text("digest.refused", place=of.words[:80], reason=text(f"reason.{reason}"))
        yield f"refused, {reason}", Transition(Whisper(answers.notice(sentence, Tone.WARNING)))
    counts = RolloutCounts(invited=120, done=80, open=38, open_cases=3, stopped=2, failed=4)
    status = press(Token("digest", "status", of.rollout.id), of.admin)
    yield "status", _decide("digest", replace(loaded, counts=counts), status)
    before = {"done": 71, "open": 47, "cases": 5, "failed": 4}
    for name, day in (("no deadline", None), ("deadline", date(2026, 3, 4)), ("deadline over", date(2026, 3, 1))):
        dated = of.rollout.model_copy(update={"policy": of.rollout.policy.model_copy(update={"deadline": day})})
        message = report_digest(dated, counts, before, Lately(21, of.admin.time_zone, NOON, A_WEEK))
        yield f"report, {name}", Transition(Whisper(message))
    yield (
        "first report",
        Transition(Whisper(report_digest(of.rollout, RolloutCounts(invited=1), {}, Lately(0, "UTC", NOON)))),
    )
    one = _view(of, reminders=3)
    yield "one who does not answer", Transition(Whisper(escalation_digest(of.rollout, (one,), 1, 1)))
    many = tuple(one for _ in range(SILENT_SHOWN))
    yield "many who do not answer", Transition(Whisper(escalation_digest(of.rollout, many, 321, 7)))
    yield "a manager's", Transition(Whisper(manager_digest(of.rollout, many[:2], 2)))


def _wave(of: Company) -> Scenes:
    wave = Wave(id="w", rollout_id="rollout-1", workspace_id="slack:T1", created_by=ADA.id, created_at=NOON, size=20)
    half = {DeliveryState.SENT: 7, DeliveryState.READY: 6, DeliveryState.DEAD: 5, DeliveryState.UNKNOWN: 2}
    counts = WaveCounts(half, {Reason.BLOCKED: 4, Reason.POLICY: 1, Reason.TIMED_OUT: 2}, 5)
    done = WaveCounts({DeliveryState.SENT: 13, DeliveryState.DEAD: 7}, dict.fromkeys(Reason, 1), 7)
    paused = of.rollout.model_copy(update={"state": RolloutState.PAUSED})
    stopped = wave.model_copy(update={"stage": WaveStage.CANCELLED, "withdrawn": 6})
    gone = WaveCounts({DeliveryState.SENT: 14})
    yield "running", Transition(Replace(progress_message(wave, of.rollout, counts, NOON)))
    yield "paused", Transition(Replace(progress_message(wave, paused, counts)))
    yield "cancelling", Transition(Replace(progress_message(stopped, of.rollout, counts)))
    yield "cancelled", Transition(Replace(progress_message(stopped, of.rollout, gone)))
    yield "finished", Transition(Replace(progress_message(wave, of.rollout, done)))
    planned = wave.model_copy(update={"stage": WaveStage.STORING, "starts_at": starts_at(date(2026, 3, 9), 9)})
    held = planned.model_copy(update={"stage": WaveStage.HELD, "hold_above": 10})
    yield "planned", Transition(Replace(progress_message(planned, of.rollout, WaveCounts())))
    yield "held", Transition(Replace(progress_message(held, of.rollout, WaveCounts())))
    results = WaveResults(120, 60, 5.2, 40, dict(zip(KINDS, range(40, 0, -1), strict=False)))
    for name, above, before in (
        ("held", 10, results),
        ("asked", ASK, replace(results, median_hours=100.0)),
        ("asked without a pilot", ASK, WaveResults()),
    ):
        told = held_message(held.model_copy(update={"hold_above": above}), before)
        yield f"{name} by a message", Transition(effects=(SendMessage(key="held", to=of.admin.id, message=told),))
    for action in ("start", "cancel", "pause"):
        loaded = WaveLoaded(scene(of.rollout), wave=held)
        yield f"held, {action}", _decide("wave", loaded, press(Token("wave", action, "w"), of.admin))
    for action in ("pause", "resume", "cancel", "again", "start", "status", "else"):
        loaded = WaveLoaded(scene(of.rollout), wave=wave, counts=counts)
        yield action, _decide("wave", loaded, press(Token("wave", action, "w"), of.admin))
    yield "gone", _decide("wave", WaveLoaded(scene(of.rollout)), press(Token("wave", "pause", "w"), of.admin))


def _confirm(of: Company) -> Scenes:
    def act(invitation: InvitationView | None, action: str, **values: str) -> Transition:
        event = submit(Token("confirm", action, "invitation-1"), of.invitee, **values)
        return _decide("confirm", ConfirmLoaded(scene(of.rollout), GRACE.id, invitation), event)

    yield "open", act(_view(of, snoozed_until=NOON + DAY), "show")
    yield "done", act(_finished(of), "show")
    yield "exempt", act(_view(of, exempt_at=NOON), "show")
    yield "outdated", act(None, "access")
    for action in ("access", "tasks", "token", "no_token", "later", "opened"):
        yield action, act(_view(of), action)
    yield "snoozed", act(_view(of), "snooze", delay="1_day")
    yield "wants no more", act(_view(of, wish=Wish.STOP, wished_at=NOON), "show")
    yield "yesterday", act(_view(of), "snooze", day="2026-03-01")
    yield "too late", act(_view(of), "snooze", day="2027-03-01")
    for kind, number in ((DeliveryKind.INVITATION, 0), (DeliveryKind.REMINDER, 1), (DeliveryKind.REMINDER, 4)):
        sending = Delivery(
            id="d",
            key="k",
            kind=kind,
            lane="slack:T1",
            person_id=GRACE.id,
            number=number,
            not_before=NOON,
            created_at=NOON,
        )
        message = compose(sending, _view(of))
        assert message is not None
        yield f"{kind} {number}", Transition(Replace(message))
    soon = of.rollout.model_copy(update={"policy": ReminderPolicy(deadline=(NOON + DAY).date(), final_notice=True)})
    yield "final notice", Transition(Replace(final_notice(view(soon, of.invitee), (NOON + DAY).date())))


def _problem(of: Company) -> Scenes:
    loaded = ProblemLoaded(scene(of.rollout), GRACE.id, _view(of), (of.admin.id,))

    def act(action: str, **values: str) -> Transition:
        return _decide("problem", loaded, submit(Token("problem", action, "invitation-1"), of.invitee, **values))

    yield "open", act("open")
    yield "none chosen", act("chosen")
    for problem in KINDS:
        yield problem, act("chosen", problem=problem)
        yield f"rather {problem}", act(f"rather.{problem}")
    jit = of.rollout.model_copy(update={"provisioning": Provisioning.JIT})
    with_jit = ProblemLoaded(scene(jit), GRACE.id, view(jit, of.invitee))
    no_organization = submit(Token("problem", "chosen", "invitation-1"), of.invitee, problem="no_organization")
    yield "no_organization with JIT", _decide("problem", with_jit, no_organization)
    yield "helped", act("helped")
    yield "not described", act("describe.other")
    yield "described", act("describe.other", description=of.words)
    yield "a token", act("describe.other", description="sqp_" + "a" * 40)
    said = _reported(
        of, shown=((_reported(of).shown[0][0].model_copy(update={"description": "x" * 1990}), of.invitee),)
    )
    more = submit(Token("problem", "describe.other", "invitation-1"), of.invitee, description="It is still grey.")
    yield "too long with what was said", _decide("problem", replace(loaded, group=said, own=said.shown[0][0]), more)


def _reported(of: Company, **changes: Any) -> CaseGroup:
    case = Case(
        id="case-1",
        group_id="case-1",
        rollout_id="rollout-1",
        invitation_id="invitation-1",
        person_id=GRACE.id,
        problem="forbidden",
        description=of.words,
        opened_at=NOON,
        version=1,
    )
    return replace(CaseGroup.of_one(case, of.invitee), **changes)


def _case(of: Company) -> Scenes:
    alone = _reported(of)
    crowd = _reported(of, open=1500, shown=alone.shown * 3)

    def act(action: str, about: CaseGroup | None = alone, **values: str) -> Transition:
        count = about.open if about else 1
        loaded = CaseLoaded(scene(of.rollout), group=about, admins_told=(of.admin.id,))
        return _decide("case", loaded, submit(Token("case", action, "case-1", count), of.admin, **values))

    for group in (alone, crowd):
        yield "show", act("show", group)
        yield "answer", act("answer", group)
        yield "empty", act("send", group)
        yield "send", act("send", group, answer=of.words)
        yield "told", Transition(Replace(reply_message(group, of.words)))
        yield "answered", act("show", replace(group, open=0, answered=3, solved=2, answer=of.words))
    for kind in KINDS:
        yield kind, act("show", _reported(of, problem=kind))
    late = submit(Token("case", "send", "case-1", 7), of.admin, answer=of.words)
    yield "others too", _decide("case", CaseLoaded(scene(of.rollout), group=crowd), late)
    yield "outdated", act("show", None)


def _solved(of: Company) -> Scenes:
    group = _reported(of, open=0, answered=1, answer=of.words)
    case = group.shown[0][0].model_copy(update={"state": CaseState.ANSWERED, "answer": of.words})
    loaded = SolvedLoaded(scene(of.rollout), GRACE.id, _view(of), case, group, (of.admin.id,))
    for action in ("again", "yes"):
        yield action, _decide("solved", loaded, press(Token("solved", action, "case-1"), of.invitee))
    yield "outdated", _decide("solved", SolvedLoaded(scene()), press(Token("solved", "yes", "x"), of.invitee))


def _problems(of: Company) -> Scenes:
    yield "erased", Transition(Replace(answers.notice(text("case.erased"))))
    here = scene(of.rollout)
    group = _reported(of)
    yield "none", _decide("problems", ProblemsLoaded(here), command("problems"))
    yield "list", _decide("problems", ProblemsLoaded(here, groups=(group,) * 6), command("problems"))
    page = press(Token("problems", "show", of.rollout.id, 2), of.admin)
    yield "page", _decide("problems", ProblemsLoaded(here, groups=(group,) * 6), page)
    one = press(Token("problems", "one", group.id, 1), of.admin)
    yield "one", _decide("problems", ProblemsLoaded(here, group=group), one)
    yield "gone", _decide("problems", ProblemsLoaded(here), one)


def _rollouts(of: Company) -> Scenes:
    many = tuple(
        of.rollout.model_copy(update={"id": f"r{number}", "state": state})
        for number, state in zip(
            range(MOST_ROLLOUTS + 2), cycle((RolloutState.ACTIVE, RolloutState.PAUSED)), strict=False
        )
    )
    over = tuple(of.rollout.model_copy(update={"id": f"f{number}"}) for number in range(SHOWN_FINISHED))
    counts = {each.id: RolloutCounts(invited=10_000, done=9_999) for each in many}
    loaded = RolloutsLoaded(scene(of.rollout), None, many, over, counts, "r0")
    one = RolloutsLoaded(scene(of.rollout, Role.ADMIN), None, many[:1], (), {}, "r0")
    yield "none", _decide("rollouts", RolloutsLoaded(scene()), command("rollouts"))
    yield "one", _decide("rollouts", one, command("rollouts"))
    yield "many", _decide("rollouts", loaded, command("rollouts"))
    yield "chosen", _decide("rollouts", loaded, press(Token("rollouts", "choose", "r1"), of.admin))
    yield "one that is gone", _decide("rollouts", loaded, press(Token("rollouts", "choose", "gone"), of.admin))


def _status(of: Company) -> Scenes:
    here = scene(of.rollout)
    paused = of.rollout.model_copy(update={"state": RolloutState.PAUSED})
    policy = of.rollout.policy.model_copy(update={"deadline": date(2026, 4, 30)})
    late = of.rollout.model_copy(update={"policy": policy})
    everything = RolloutCounts(
        opened=8_000,
        unreachable=12,
        invited=10_000,
        reached=9_000,
        confirmed=dict.fromkeys(CheckKind, 5_000),
        done=4_000,
        exempt=10,
        open=5_990,
        stopped=3,
        planned=tuple(
            Wave(
                id=f"w{number}",
                rollout_id="rollout-1",
                workspace_id="slack:T1",
                created_by=ADA.id,
                created_at=NOON,
                size=number * 1000 + 1,
                label=of.words[:100] * (number % 2),
                stage=WaveStage.STORING if number else WaveStage.HELD,
                starts_at=starts_at(date(2026, 3, 9), 9),
            )
            for number in range(7)
        ),
        several_waves=True,
        several_groups=True,
        open_cases=7,
        problems={kind: CaseCounts(7, 8, 9) for kind in KINDS},
        reminders=12_345,
        deliveries=dict.fromkeys(DeliveryState, 100),
        reasons={reason.value: 3 for reason in Reason},
        failed=200,
    )
    yield "usage", _decide("status", StatusLoaded(here), command("status of everything"))
    for state in RolloutState:
        resting = of.rollout.model_copy(update={"state": state})
        yield f"nobody, {state}", _decide("status", StatusLoaded(scene(resting)), command("status"))
    first = RolloutCounts(planned=everything.planned[1:2])
    yield "nobody yet, one wave is planned", _decide("status", StatusLoaded(here, counts=first), command("status"))
    yield "everything", _decide("status", StatusLoaded(scene(paused), counts=everything), command("status"))
    refresh = press(Token("status", "show", of.rollout.id), of.admin)
    yield "refreshed", _decide("status", StatusLoaded(here, counts=everything), refresh)
    again = press(Token("status", "send_again", of.rollout.id), of.admin)
    yield "again", _decide("status", StatusLoaded(here, counts=everything), again)
    yield (
        "nobody missing",
        _decide("status", StatusLoaded(here), press(Token("status", "missing", of.rollout.id), of.admin)),
    )
    standings = tuple(
        Standing(NOON + number * DAY, 9_000, 8_999, 100 * number, 50 * number, 1, 77, of.words[:100] * (number % 2))
        for number in range(9)
    )
    charts = press(Token("status", "charts", of.rollout.id), of.admin)
    today = NOON.date()
    a_day = OverTime({today - DAY * back: 100 for back in (0, 3, 400)}, {today - DAY * 2: 30})
    for name, over_time in (("over time", a_day), ("the first day", OverTime({today: 1})), ("no day", OverTime())):
        loaded = StatusLoaded(scene(late), counts=everything, shown=Shown(over_time, standings, standings[:2]))
        yield f"charts, {name}", _decide("status", loaded, charts)
    yield "charts of nobody", _decide("status", StatusLoaded(here, counts=first), charts)
    for page in (0, 3):
        by_group = press(Token("status", "groups", of.rollout.id, page), of.admin)
        groups = (*standings[: 8 - page], replace(standings[8], label=""))
        yield f"by group, page {page}", _decide("status", StatusLoaded(here, groups=groups), by_group)
    for page in (0, 3):
        by_wave = press(Token("status", "waves", of.rollout.id, page), of.admin)
        yield f"by wave, page {page}", _decide("status", StatusLoaded(here, waves=standings[: 9 - page]), by_wave)
    missing = (
        *(_view(of, wish=wish) for wish in (Wish.STOP, Wish.NOT_MINE)),
        *(_view(of, unreachable=reason.value) for reason in Reason),
        *(_view(of, reminders=3),) * PAGE,
    )
    for page in (missing, missing[::-1]):
        many = press(Token("status", "missing", of.rollout.id, 2), of.admin)
        yield "missing", _decide("status", StatusLoaded(here, missing=page), many)
    for which in (None, *Missing):
        action = "missing" if which is None else f"missing.{which}"
        nobody = press(Token("status", action, of.rollout.id), of.admin)
        yield f"missing, {which or 'everybody'}", _decide("status", StatusLoaded(here), nobody)
    several = press(Token("status", "missing.token", of.rollout.id, 1), of.admin)
    yield "missing, filtered", _decide("status", StatusLoaded(here, missing=missing), several)
    yield "filter", _decide("status", StatusLoaded(here), press(Token("status", "filter", of.rollout.id), of.admin))
    filled = submit(Token("status", "filtered", of.rollout.id), of.admin, which="unreachable")
    yield "filtered", _decide("status", StatusLoaded(here, missing=missing[:3]), filled)
    asked = command("status", mention(GRACE))
    for invitation in (
        _view(of, reached_at=NOON, exempt_at=NOON, exempt_reason=of.words[:500], unreachable=Reason.BLOCKED.value),
        _view(of, wish=Wish.STOP),
        _view(of, wish=Wish.NOT_MINE),
        _view(of, reminders=4, escalated_at=NOON),
        _finished(of),
    ):
        yield "person", _decide("status", StatusLoaded(here, person=invitation, asked_for="@grace"), asked)
    yield "not invited", _decide("status", StatusLoaded(here, asked_for=of.words[:50]), asked)


def _wish(of: Company) -> Scenes:
    here = scene(of.rollout)
    admins = {"rollout": of.rollout, "admins_seen": (of.admin.id,)}
    many = (GRACE,) * SHOWN
    for wish in (Wish.STOP, Wish.NOT_MINE):
        event = press(Token("wish", wish.value, "invitation-1"), of.invitee)
        for name, people, invitation in (
            ("first", (), _view(of)),
            ("one of many", many, _view(of)),
            ("again", (), _view(of, wish=wish)),
        ):
            loaded = WishLoaded(here, GRACE.id, invitation, many=len(people) * 100, people=people, **admins)
            yield f"{wish}, {name}", _decide("wish", loaded, event)
    yield "gone", _decide("wish", WishLoaded(here, GRACE.id), press(Token("wish", "stop", "gone"), of.invitee))
    for action, version, people in (
        ("exempt", 1, many), ("exempt", 1000, many), ("exempt", 1, ()),
    ):  # fmt: skip
        loaded = WishLoaded(here, many=len(people) * 100, people=people, **admins)
        token = Token("wish", action, of.rollout.id, version)
        yield f"{action}, {version}, {len(people)}", _decide("wish", loaded, press(token, of.admin))
    yield (
        "of a rollout that is gone",
        _decide("wish", WishLoaded(here), press(Token("wish", "exempt", "gone"), of.admin)),
    )


def _remind(of: Company) -> Scenes:
    here = scene(of.rollout)
    counts = RolloutCounts(invited=10_000, open=9_000)
    over = of.rollout.model_copy(update={"policy": ReminderPolicy(deadline=(NOON - 2 * DAY).date())})
    yield "usage", _decide("remind", RemindLoaded(here), command("remind all"))
    yield "deadline", _decide("remind", RemindLoaded(scene(over)), command("remind"))
    yield "nobody", _decide("remind", RemindLoaded(here, counts=RolloutCounts()), command("remind"))
    yield "sure", _decide("remind", RemindLoaded(here, counts=counts), command("remind"))
    ask = press(Token("remind", "ask", of.rollout.id, of.rollout.version), of.admin)
    yield "asked in the status", _decide("remind", RemindLoaded(here, counts=counts), ask)
    stopped = RolloutCounts(invited=10_000, open=9_000, stopped=1_000)
    yield "some want none", _decide("remind", RemindLoaded(here, counts=stopped), command("remind"))
    snoozed = RolloutCounts(invited=10_000, open=9_000, snoozed=8_000)
    yield "some are snoozed", _decide("remind", RemindLoaded(here, counts=snoozed), command("remind"))
    asleep = RolloutCounts(invited=10_000, open=1, snoozed=1)
    yield "all are snoozed", _decide("remind", RemindLoaded(here, counts=asleep), command("remind"))
    send = press(Token("remind", "send", of.rollout.id, of.rollout.version), of.admin)
    yield "all", _decide("remind", RemindLoaded(here, counts=counts), send)
    named = ((mention(of.invitee), _view(of)), *((mention(LINUS), None),) * 20)
    yield "named", _decide("remind", RemindLoaded(here, named=named), command("remind", mention(GRACE)))
    yield "none", _decide("remind", RemindLoaded(here, named=named[1:]), command("remind", mention(LINUS)))


def _admins(of: Company) -> Scenes:
    here = scene(of.rollout, admins=(of.invitee.email,))
    appointed = person("bea", is_appointed=True)
    listed = (of.admin, of.invitee, appointed)
    target = mention(of.invitee)
    for name, words, named, admins in (
        ("list", (), None, listed),
        ("many", (), None, listed * 11),
        ("added", ("add", target), of.invitee, listed),
        ("added, not met yet", ("add", mention(LINUS)), None, listed),
        ("added again", ("add", target), appointed, listed),
        ("a guest", ("add", target), person("gus", is_guest=True), listed),
        ("removed", ("remove", target), appointed, listed),
        ("removed, not one", ("remove", target), of.invitee, listed),
        ("unknown address", ("add", Target(TargetKind.EMAIL, "x@else.example", of.words[:50])), None, listed),
        ("usage", ("promote", target), of.invitee, listed),
    ):
        yield name, _decide("admins", AdminsLoaded(here, None, named, admins), command("admins", *words))


def _approval(of: Company) -> Scenes:
    here = scene(of.rollout)
    asked = press(Token("invite", "send", "dialog-1", 2), of.admin)
    wanted = [
        (
            ApprovalKind.LOGIN_URL,
            text("approval.login_url", enterprise=of.rollout.name, url=Link(of.rollout.login_url)),
        ),
        *((ApprovalKind.ADMINS, text(f"approval.admin.{what}", name=of.words[:60])) for what in ("add", "remove")),
        *(
            (ApprovalKind.SEND, text(f"approval.{what}", count=1200, enterprise=of.rollout.name))
            for what in ("invite", "remind", "farewell", "old_token")
        ),
    ]
    for kind, what in wanted:
        needed = Needed(kind, what, 1200)
        others = (of.invitee, person("bea", name=of.words[:60]))
        question = ask_for(needed, asked, others, NOON, company="default")
        yield f"asked, {kind}", question
        (approval,) = question.state
        assert isinstance(approval, Approval)
        yield f"question, {kind}", Transition(Whisper(question_message(approval, of.admin)))
        for state in (ApprovalState.APPROVED, ApprovalState.OVERTAKEN):
            yield f"{state}, {kind}", decided(approval, of.admin, of.invitee, state)
        refuse, approve = (Token("approval", each, approval.id, 1) for each in ("refuse", "approve"))
        loaded = ApprovalLoaded(here, approval=approval, asker=of.admin)
        yield f"refused, {kind}", _decide("approval", loaded, press(refuse, of.invitee))
        yield f"by oneself, {kind}", _decide("approval", loaded, press(approve, of.admin))
        by_admin = replace(loaded, scene=scene(of.rollout, Role.ADMIN))
        if approval.for_owners:
            yield f"for owners, {kind}", _decide("approval", by_admin, press(approve, of.invitee))
        yield f"waiting, {kind}", ask_for(needed, asked, others, NOON, company="default", before=approval)
        yield f"nobody, {kind}", ask_for(needed, asked, (), NOON, company="default")
    yield (
        "gone",
        _decide("approval", ApprovalLoaded(here), press(Token("approval", "approve", "gone", 1), of.invitee)),
    )


def _language(of: Company) -> Scenes:
    here, mine = scene(of.rollout), _view(of)
    yield "asked for", _decide("language", LanguageLoaded(here), command("language", actor=of.invitee))
    speaking = of.invitee.model_copy(update={"language": "de"})
    ask, choose = (Token("language", action, mine.invitation.id) for action in ("ask", "choose"))
    yield "on the invitation", _decide("language", LanguageLoaded(here, view=mine), press(ask, speaking))
    for chosen in ("chat", "de", "xx"):
        submitted = submit(choose, of.invitee, language=chosen)
        yield f"{chosen} chosen", _decide("language", LanguageLoaded(here, view=mine), submitted)
    alone = submit(Token("language", "choose"), of.invitee, language="en")
    yield "chosen by command", _decide("language", LanguageLoaded(here), alone)


def _pause(of: Company) -> Scenes:
    paused = of.rollout.model_copy(update={"state": RolloutState.PAUSED})
    for state in (of.rollout, paused):
        for word in ("pause", "resume"):
            yield f"{word} when {state.state}", _decide("pause", Loaded(scene(state)), command(word))


def _exempt(of: Company) -> Scenes:
    def exempt(invitation: InvitationView | None, words: str) -> Transition:
        loaded = RemindLoaded(scene(of.rollout), named=((mention(of.invitee), invitation),))
        return _decide("exempt", loaded, command(f"exempt {words}", mention(of.invitee)))

    yield "usage", exempt(_view(of), "")
    yield "not invited", exempt(None, "leaves")
    yield "not open", exempt(_finished(of), "leaves")
    yield "done", exempt(_view(of), "leaves")


def _help(of: Company) -> Scenes:
    for role in (Role.OWNER, Role.ADMIN, Role.VIEWER, Role.MEMBER):
        for current in (of.rollout, None):
            yield f"{role}", _decide("help", Loaded(scene(current, role)), command("help"))
    yield "misspelt", _decide("help", Loaded(scene(of.rollout)), command("statsu"))
    yield "unknown", _decide("help", Loaded(scene(of.rollout)), command(of.words.replace(" ", "_")))
    refused = Loaded(scene(of.rollout), owner=GRACE.id)
    yield "not yours", answers.refused("access", refused)
    yield "admins only", answers.refused("setup", Loaded(scene(of.rollout)))
    yield "owners only", answers.refused("setup", Loaded(scene(of.rollout, Role.ADMIN)))
    yield "not recognised", answers.not_recognised()
    yield "try again", Transition(Whisper(answers.try_again()))
    yield "too many", Transition(Whisper(answers.too_many()))


def _home(of: Company) -> Scenes:
    opened = HomeOpened(id="home", workspace_id="slack:T1", actor=of.invitee)
    counts = RolloutCounts(invited=2, open=2)
    yield "admin", _decide("home", HomeLoaded(scene(of.rollout), counts=counts), opened)
    yield "invited admin", _decide("home", HomeLoaded(scene(of.rollout), view=_view(of), counts=counts), opened)
    yield "invitee", _decide("home", HomeLoaded(scene(of.rollout, Role.MEMBER), view=_view(of)), opened)
    yield "anybody", _decide("home", HomeLoaded(scene(of.rollout, Role.MEMBER)), opened)
    for written in ("stauts", "sqp_" + "a" * 40, of.words):
        event = MessageReceived(
            id="written", workspace_id="slack:T1", actor=of.invitee, text=written, link="https://acme.slack.com/p1"
        )
        yield written[:20], _decide("home", HomeLoaded(scene(of.rollout)), event)


MAKERS = {
    "setup": _setup,
    "ready": _ready,
    "invite": _invite,
    "rollouts": _rollouts,
    "digest": _digest,
    "wave": _wave,
    "confirm": _confirm,
    "problem": _problem,
    "wish": _wish,
    "case": _case,
    "solved": _solved,
    "problems": _problems,
    "status": _status,
    "remind": _remind,
    "admins": _admins,
    "approval": _approval,
    "language": _language,
    "pause": _pause,
    "exempt": _exempt,
    "help": _help,
    "home": _home,
    **samples_of_finishing.MAKERS,
}
