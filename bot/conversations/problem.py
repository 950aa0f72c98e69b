"""What "I have a problem" opens: the usual ones with what to do about each; what is left goes to the admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers
from bot.conversations.case_messages import SHOWN, admin_key, group_message
from bot.conversations.confirm import ConfirmLoaded, load_invitation
from bot.conversations.invitation import invitation_message
from bot.conversations.problem_tree import KINDS, NEIGHBOURS, PROBLEMS, is_one_problem
from bot.conversations.scene import Conversation, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, FormSubmitted
from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    Element,
    Form,
    Link,
    Section,
    Text,
    TextField,
    Token,
    Tone,
    text,
)
from bot.model import Case, CaseState, FormerSignIn, Provisioning, Rollout, derived_id
from bot.ports import CaseGroup, InvitationView, Transaction
from bot.roles import Admins
from bot.secrets import holds_secret, redact
from bot.transition import Effect, Replace, SendMessage, ShowForm, Transition, UpdateNotices

MAX_DESCRIPTION = 2000
MOST_OPEN = 5  # of one person and of a kind that may be different problems; what is more is added to the last


@dataclass(frozen=True)
class ProblemLoaded(ConfirmLoaded):
    """The invitation, the admins whom a problem is passed to, who else has the same problem, and what this person has
    said of it that nobody has answered yet.
    """

    admins_seen: tuple[str, ...] = ()
    group: CaseGroup | None = None
    own: Case | None = None


async def _load(tx: Transaction, event: ButtonPressed | FormSubmitted, scene: Scene) -> ProblemLoaded:
    found = await load_invitation(tx, event, scene)
    if found.view is None:
        return ProblemLoaded(scene)
    group, waiting = await _reported(tx, found.view, _described(event))
    return ProblemLoaded(scene, found.owner, found.view, await admins_for(tx, found.view, scene), group, waiting)


async def _reported(tx: Transaction, view: InvitationView, kind: str) -> tuple[CaseGroup | None, Case | None]:
    """The group that a report of this kind would join, and this person's open case to which it would be added."""
    if not is_one_problem(kind):
        newest = await tx.cases.newest_of_many(view.invitation.id, kind, MOST_OPEN)
        return await tx.cases.group(newest.group_id, SHOWN) if newest else None, newest
    group = await tx.cases.open_group(view.rollout.id, kind, SHOWN)
    own = await tx.cases.own(group.id, view.person.id) if group else None
    return group, own if own is not None and own.state is CaseState.OPEN else None


async def admins_for(tx: Transaction, view: InvitationView, scene: Scene) -> tuple[str, ...]:
    """Whom a problem with this invitation is passed to: person ids."""
    seen = await tx.people.admins_seen(scene.workspace.company, scene.admins)
    # Owners of the Slack workspace may run a rollout, but did not ask to hear of it.
    named = [admin.id for admin in seen if Admins(frozenset(scene.admins)).include(admin)]
    wave = await tx.rollouts.wave(view.invitation.wave_id)
    invited_by = [wave.created_by] if wave else []
    return tuple(dict.fromkeys([view.rollout.created_by, *invited_by, *named]))


def _step(loaded: ProblemLoaded, event: ButtonPressed | FormSubmitted, now: datetime) -> Transition:
    view = loaded.view
    if view is None:
        return answers.outdated()
    match event.token.action:
        case "open":
            return Transition(reply=ShowForm(which_form(view)))
        case "chosen":
            return _chosen(view, one(event.values, "problem"))
        case action if action.startswith("rather."):
            return _chosen(view, action.removeprefix("rather."))
        case "helped":
            message = invitation_message(view)
            return Transition(
                reply=Replace(message, answers.notice(text("problem.glad"), Tone.SUCCESS)),
                audit="problem.helped",
                subject=view.invitation.id,
            )
        case _:
            return _describe(loaded, view, event, now)


def which_form(view: InvitationView, errors: dict[str, Text] | None = None) -> Form:
    """The list of the usual problems."""
    choices = tuple(Choice(name, text(f"problem.{name}")) for name in PROBLEMS)
    return Form(
        _token(view, "chosen"),
        text("problem.title"),
        text("problem.next"),
        fields=(ChoiceField("problem", text("problem.which"), choices),),
        errors=errors,
        cancel=Token("confirm", "show", view.invitation.id, view.invitation.version),
    )


def _chosen(view: InvitationView, problem: str) -> Transition:
    if problem not in KINDS:
        return Transition(reply=ShowForm(which_form(view, {"problem": text("problem.error.which")})))
    return Transition(reply=ShowForm(_help_form(view, problem)))


def _help_form(view: InvitationView, problem: str, errors: dict[str, Text] | None = None, typed: str = "") -> Form:
    """The question whether it is this, what to do about it, what it may rather be, and the way to the admins."""
    question = (Section(text(f"problem.{problem}.question")),) if NEIGHBOURS[problem] else ()
    rather = (Button(text(f"problem.{near}.rather"), _token(view, f"rather.{near}")) for near in NEIGHBOURS[problem])
    helped = Button(text("problem.helped"), _token(view, "helped"))
    return Form(
        _token(view, f"describe.{problem}"),
        text("problem.title"),
        text("problem.ask_admins"),
        body=(Section(text(f"problem.{problem}.heading")), *question, *self_help(problem, view.rollout)),
        fields=(
            TextField(
                "description",
                text("problem.description"),
                typed,
                hint=text("problem.description.hint"),
                multiline=True,
                max_length=MAX_DESCRIPTION,
            ),
        ),
        buttons=() if problem == "other" else (helped, *rather),
        errors=errors,
        cancel=Token("confirm", "show", view.invitation.id, view.invitation.version),
    )


def self_help(problem: str, rollout: Rollout) -> tuple[Element, ...]:
    """What an invitee can do about a usual problem, in this rollout."""
    tokens = Link(f"https://{rollout.region.host}/account/security")
    sentence = text(f"problem.{problem}.help", key=rollout.enterprise_key, url=Link(rollout.login_url), tokens=tokens)
    more: tuple[Element, ...] = ()
    if problem == "no_organization":
        scim = rollout.provisioning is Provisioning.SCIM
        more = (Section(text("problem.no_organization.scim" if scim else "problem.no_organization.jit")),)
    if problem == "forbidden" and FormerSignIn.GITHUB in rollout.former_sign_in:
        more = (Section(text("problem.forbidden.github")),)
    return (Section(sentence), *more)


def _describe(
    loaded: ProblemLoaded, view: InvitationView, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    problem = _described(event)
    written = one(event.values, "description")[:MAX_DESCRIPTION]
    description = redact(written)
    if problem not in KINDS or not description:
        shown = problem if problem in KINDS else "other"
        return Transition(reply=ShowForm(_help_form(view, shown, {"description": text("problem.error.describe")})))
    if holds_secret(written):
        toast = answers.notice(text("secret.left_out"), Tone.WARNING)
    else:
        toast = answers.notice(text("problem.passed_on"), Tone.SUCCESS)
    case = _with_more(loaded.own, description) if loaded.own else _new_case(loaded, view, event, description, now)
    if case == loaded.own:  # said before
        return Transition(reply=Replace(invitation_message(view), toast))
    if len(case.description) > MAX_DESCRIPTION:
        too_long = {"description": text("problem.enough")}
        return Transition(reply=ShowForm(_help_form(view, problem, too_long, description)))
    return Transition(
        reply=Replace(invitation_message(view), toast),
        state=(case,),
        effects=_to_admins(loaded, case, view),
        audit=f"problem.{problem}",
        subject=case.id,
    )


def _with_more(case: Case, description: str) -> Case:
    """Whoever says more of the same problem still waits for one answer. It may become too long to be stored."""
    if description in case.description:
        return case
    return case.model_copy(update={"description": f"{case.description}\n{description}", "version": case.version + 1})


def _new_case(
    loaded: ProblemLoaded,
    view: InvitationView,
    event: ButtonPressed | FormSubmitted,
    description: str,
    now: datetime,
) -> Case:
    case_id = derived_id(event.id, "case")
    return Case(
        id=case_id,
        group_id=loaded.group.id if loaded.group else case_id,
        rollout_id=view.rollout.id,
        invitation_id=view.invitation.id,
        person_id=view.person.id,
        problem=_described(event),
        description=description,
        opened_at=now,
        version=1,
    )


def _to_admins(loaded: ProblemLoaded, case: Case, view: InvitationView) -> tuple[Effect, ...]:
    """A message for each admin about a new problem; the same message says so when more people have it."""
    if loaded.group is None:
        message = group_message(CaseGroup.of_one(case, view.person))
        return tuple(
            SendMessage(admin_key(case.group_id, admin), admin, message, rollout_id=case.rollout_id)
            for admin in loaded.admins_seen
        )
    keys = tuple(admin_key(case.group_id, admin) for admin in loaded.admins_seen)
    group = loaded.group.with_more_in(case) if loaded.own else loaded.group.with_one_more(case, view.person)
    return (UpdateNotices(keys, group_message(group)),)


def _described(event: ButtonPressed | FormSubmitted) -> str:
    return event.token.action.removeprefix("describe.")


def _token(view: InvitationView, action: str) -> Token:
    return Token("problem", action, view.invitation.id, view.invitation.version)


PROBLEM = Conversation("problem", _load, _step)
