"""What "I have a problem" opens: the usual ones with what to do about each; what is left goes to the admins.

The usual problems are those that SonarQube Cloud's troubleshooting page and its users report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers
from bot.conversations.confirm import ConfirmLoaded, load_invitation
from bot.conversations.invitation import invitation_message
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
    Message,
    Notice,
    Quote,
    Section,
    Style,
    Text,
    TextField,
    Token,
    Tone,
    text,
)
from bot.model import Case, CaseState, FormerSignIn, Provisioning, Rollout, derived_id
from bot.ports import InvitationView, Transaction
from bot.roles import Admins
from bot.secrets import holds_secret, redact
from bot.transition import Effect, Replace, SendMessage, ShowForm, Transition

PROBLEMS = (
    "no_organization",
    "unknown_key",
    "email_code",
    "tile",
    "forbidden",
    "old_account",
    "missing_permissions",
    "token_fails",
    "ide",
    "other",
)
MAX_DESCRIPTION = 2000


@dataclass(frozen=True)
class ProblemLoaded(ConfirmLoaded):
    """The invitation, and the admins whom a problem is passed to."""

    admins_seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseLoaded(ConfirmLoaded):
    """The case that an admin answers."""

    case: Case | None = None


async def _load(tx: Transaction, event: ButtonPressed | FormSubmitted, scene: Scene) -> ProblemLoaded:
    found = await load_invitation(tx, event, scene)
    if found.view is None:
        return ProblemLoaded(scene)
    seen = await tx.people.admins_seen(scene.workspace.company, scene.admins)
    # Owners of the Slack workspace may run a rollout, but did not ask to hear of it.
    named = [admin.id for admin in seen if Admins(frozenset(scene.admins)).include(admin)]
    wave = await tx.rollouts.wave(found.view.invitation.wave_id)
    invited_by = [wave.created_by] if wave else []
    ids = dict.fromkeys([found.view.rollout.created_by, *invited_by, *named])
    return ProblemLoaded(scene, found.owner, found.view, tuple(ids))


def _step(loaded: ProblemLoaded, event: ButtonPressed | FormSubmitted, now: datetime) -> Transition:
    view = loaded.view
    if view is None:
        return answers.outdated()
    match event.token.action:
        case "open":
            return Transition(reply=ShowForm(_which_form(view)))
        case "chosen":
            return _chosen(view, event)
        case "helped":
            message = invitation_message(view)
            return Transition(
                reply=Replace(message, answers.notice(text("problem.glad"), Tone.SUCCESS)),
                audit="problem.helped",
                subject=view.invitation.id,
            )
        case _:
            return _describe(loaded, view, event, now)


def _which_form(view: InvitationView, errors: dict[str, Text] | None = None) -> Form:
    choices = tuple(Choice(name, text(f"problem.{name}")) for name in PROBLEMS)
    return Form(
        _token(view, "chosen"),
        text("problem.title"),
        text("button.next"),
        fields=(ChoiceField("problem", text("problem.which"), choices),),
        errors=errors,
        cancel=Token("confirm", "show", view.invitation.id, view.invitation.version),
    )


def _chosen(view: InvitationView, event: ButtonPressed | FormSubmitted) -> Transition:
    problem = one(event.values, "problem")
    if problem not in PROBLEMS:
        return Transition(reply=ShowForm(_which_form(view, {"problem": text("setup.error.required")})))
    return Transition(reply=ShowForm(_help_form(view, problem)))


def _help_form(view: InvitationView, problem: str, errors: dict[str, Text] | None = None) -> Form:
    """What to do about it, and the way to the admins."""
    helped = Button(text("problem.helped"), _token(view, "helped"))
    return Form(
        _token(view, f"describe.{problem}"),
        text("problem.title"),
        text("problem.ask_admins"),
        body=(Section(text(f"problem.{problem}.heading")), *self_help(problem, view.rollout)),
        fields=(
            TextField(
                "description",
                text("problem.description"),
                hint=text("problem.description.hint"),
                multiline=True,
                max_length=MAX_DESCRIPTION,
            ),
        ),
        buttons=() if problem == "other" else (helped,),
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
    problem = event.token.action.removeprefix("describe.")
    written = one(event.values, "description")[:MAX_DESCRIPTION]
    description = redact(written)
    if problem not in PROBLEMS or not description:
        shown = problem if problem in PROBLEMS else "other"
        return Transition(reply=ShowForm(_help_form(view, shown, {"description": text("problem.error.describe")})))
    case = Case(
        id=derived_id(event.id, "case"),
        rollout_id=view.rollout.id,
        invitation_id=view.invitation.id,
        person_id=view.person.id,
        problem=problem,
        description=description,
        opened_at=now,
        version=1,
    )
    effects = tuple(_to_admin(case, view, admin) for admin in loaded.admins_seen)
    if holds_secret(written):
        toast = answers.notice(text("secret.left_out"), Tone.WARNING)
    else:
        toast = answers.notice(text("problem.passed_on"), Tone.SUCCESS)
    return Transition(
        reply=Replace(invitation_message(view), toast),
        state=(case,),
        effects=effects,
        audit=f"problem.{problem}",
        subject=case.id,
    )


def _to_admin(case: Case, view: InvitationView, admin: str) -> Effect:
    return SendMessage(f"{case.id}:to:{admin}", admin, _open_message(case, view), rollout_id=case.rollout_id)


def _token(view: InvitationView, action: str) -> Token:
    return Token("problem", action, view.invitation.id, view.invitation.version)


async def _load_case(tx: Transaction, event: ButtonPressed | FormSubmitted, scene: Scene) -> CaseLoaded:
    case = await tx.rollouts.case(event.token.subject)
    if case is None:
        return CaseLoaded(scene)
    view = await tx.invitations.view(case.invitation_id)
    if view is None or view.rollout.company != scene.workspace.company:
        return CaseLoaded(scene)
    return CaseLoaded(scene, None, view, case)


def _step_case(loaded: CaseLoaded, event: ButtonPressed | FormSubmitted, now: datetime) -> Transition:
    case, view = loaded.case, loaded.view
    if case is None or view is None:
        return answers.outdated()
    if case.state is CaseState.ANSWERED:
        return Transition(reply=Replace(_answered_message(case, view)))
    if event.token.action == "show":
        return Transition(reply=Replace(_open_message(case, view)))
    answer = redact(one(event.values, "answer")[:MAX_DESCRIPTION])
    if event.token.action == "answer" or not answer:
        errors = None if event.token.action == "answer" else {"answer": text("setup.error.required")}
        return Transition(reply=ShowForm(_answer_form(case, errors)))
    answered = case.model_copy(
        update={
            "state": CaseState.ANSWERED,
            "answer": answer,
            "answered_by": event.actor.id,
            "answered_at": now,
            "version": case.version + 1,
        }
    )
    return Transition(
        reply=Replace(_answered_message(answered, view), answers.notice(text("case.sent"), Tone.SUCCESS)),
        state=(answered,),
        effects=(_to_invitee(answered, view),),
        audit="case.answered",
        subject=case.id,
    )


def _answer_form(case: Case, errors: dict[str, Text] | None) -> Form:
    return Form(
        Token("case", "send", case.id, case.version),
        text("case.form"),
        text("case.send"),
        body=(Section(text("case.kind", problem=text(f"problem.{case.problem}"))), Quote(case.description)),
        fields=(TextField("answer", text("case.your_answer"), multiline=True, max_length=MAX_DESCRIPTION),),
        errors=errors,
        cancel=Token("case", "show", case.id, case.version),
    )


def _open_message(case: Case, view: InvitationView) -> Message:
    name = view.person.name or view.person.email or view.person.user_id
    title = text("case.title", name=name)
    return Message(
        title,
        title,
        (Section(text("case.kind", problem=text(f"problem.{case.problem}"))), Quote(case.description)),
        (Button(text("case.answer"), Token("case", "answer", case.id, case.version), Style.PRIMARY),),
    )


def _answered_message(case: Case, view: InvitationView) -> Message:
    name = view.person.name or view.person.user_id
    title = text("case.title", name=name)
    body = (Quote(case.description), Notice(text("case.answered"), Tone.SUCCESS), Quote(case.answer))
    return Message(title, title, body)


def _to_invitee(case: Case, view: InvitationView) -> SendMessage:
    title = text("case.reply.title")
    body = (
        Section(text("case.reply.asked")),
        Quote(case.description),
        Section(text("case.reply.answer")),
        Quote(case.answer),
    )
    again = Button(text("button.problem"), Token("problem", "open", view.invitation.id, view.invitation.version))
    message = Message(title, title, body, (again,))
    return SendMessage(f"{case.id}:answer", case.person_id, message, rollout_id=case.rollout_id)


PROBLEM = Conversation("problem", _load, _step)
CASE = Conversation("case", _load_case, _step_case)
