"""The steps of `/sso finish`: the form of each, and how what was filled in is read and checked.

A recovery password is neither asked for nor taken: what can be recorded of that step are e-mail addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.commands import EMAIL
from bot.conversations.setup_steps import one
from bot.events import FormValues
from bot.finishing import FinishItem, FinishStep, StepState, organizations_of, uses_bitbucket, without_an_admin
from bot.messages import (
    Choice,
    ChoiceField,
    DateField,
    Element,
    Field,
    Form,
    Link,
    Notice,
    PersonField,
    Section,
    Text,
    TextField,
    Token,
    Tone,
    text,
)
from bot.model import Rollout
from bot.secrets import holds_secret, redact

MAX_WORDS = 1000
_DOCS = "https://docs.sonarsource.com/sonarqube-cloud"
_ADMINISTERING = f"{_DOCS}/administering-sonarcloud"
_SSO = f"{_ADMINISTERING}/enterprise-security/sso-and-provisioning"
# SonarQube Cloud's page on each step.
PAGES = {
    FinishStep.ADMINISTER: f"{_ADMINISTERING}/managing-enterprise/managing-the-enterprise-related-permissions",
    FinishStep.RECOVERY: f"{_SSO}/recovery-account",
    FinishStep.ORGANIZATIONS: f"{_SSO}/edit-or-delete-sso-setup",
    FinishStep.SERVICE: f"{_SSO}/complete-setup",
    FinishStep.REMOVE: f"{_ADMINISTERING}/managing-organization/users-and-permissions/organization-members",
    FinishStep.TELL: f"{_DOCS}/managing-your-account/deleting",
    FinishStep.TOKENS: f"{_ADMINISTERING}/managing-organization/scoped-organization-tokens",
}
Errors = dict[str, Text]


@dataclass(frozen=True)
class Filled:
    """What a submitted step says. `unfit` names what is wrong with it; `secret`: something was left out."""

    item: FinishItem
    unfit: Errors
    secret: bool = False


def step_form(
    rollout: Rollout, item: FinishItem, owner: str, *, unfit: Errors | None = None, warning: Text | None = None
) -> Form:
    """The form of a step as it is recorded. `owner` is their platform user id; "" when they are elsewhere."""
    return Form(
        Token("finish", f"save.{item.step}", rollout.id, item.version),
        text(f"finish.step.{item.step}.short"),
        text("finish.save"),
        body=(*((Notice(warning, Tone.WARNING),) if warning else ()), *_why(rollout, item.step)),
        fields=_fields(rollout, item, owner),
        errors=unfit,
        cancel=Token("finish", "show", rollout.id),
    )


def _why(rollout: Rollout, step: FinishStep) -> tuple[Element, ...]:
    bitbucket = step is FinishStep.SERVICE and uses_bitbucket(rollout)
    never = step is FinishStep.RECOVERY
    return (
        Section(text(f"finish.step.{step}.why")),
        *((Notice(text("finish.bitbucket"), Tone.WARNING),) if bitbucket else ()),
        *((Notice(text("finish.recovery.never"), Tone.WARNING),) if never else ()),
        Section(text("finish.page", page=Link(PAGES[step]))),
    )


def _fields(rollout: Rollout, item: FinishItem, owner: str) -> tuple[Field, ...]:
    states = tuple(Choice(state.value, text(f"finish.state.{state}")) for state in StepState)
    due = item.due_on.isoformat() if item.due_on else ""
    return (
        ChoiceField("state", text("finish.state"), states, (item.state.value,)),
        *_proof(rollout, item),
        PersonField("owner", text("finish.owner"), owner, required=False, hint=text("finish.owner.hint")),
        DateField("due_on", text("finish.due_on"), due, required=False),
        TextField(
            "reason",
            text("finish.reason"),
            item.reason,
            text("finish.reason.hint"),
            required=False,
            max_length=MAX_WORDS,
        ),
    )


def _proof(rollout: Rollout, item: FinishItem) -> tuple[Field, ...]:
    match item.step:
        case FinishStep.ORGANIZATIONS:
            lines = "\n".join(f"{key}: {item.admins.get(key, '')}".lstrip(": ") for key in organizations_of(rollout))
            named = bool(rollout.organizations)
            hint = text("finish.admins.hint" if named else "finish.admins.hint.one")
            label, value = text("finish.admins"), lines
        case FinishStep.RECOVERY:
            label, value, hint = text("finish.recovery"), item.proof, text("finish.recovery.hint")
        case _:
            label, value, hint = text("finish.proof"), item.proof, text("finish.proof.hint")
    long = 3000 if item.step is FinishStep.ORGANIZATIONS else MAX_WORDS
    return (TextField("proof", label, value, hint, required=False, multiline=True, max_length=long),)


def read_step(values: FormValues, rollout: Rollout, item: FinishItem) -> Filled:
    """What was filled in, on top of what is recorded. The owner is judged by the caller, who knows people."""
    state, due = one(values, "state") or StepState.OPEN, one(values, "due_on")
    words, reason = one(values, "proof"), one(values, "reason")
    unfit: Errors = {}
    changes: dict[str, Any] = {"reason": redact(reason)[:MAX_WORDS]}
    if state in set(StepState):
        changes["state"] = StepState(state)
    else:
        unfit["state"] = text("setup.error.required")
    try:
        changes["due_on"] = date.fromisoformat(due) if due else None
    except ValueError:
        unfit["due_on"] = text("finish.error.day")
    if state == StepState.SKIPPED and not reason:
        unfit["reason"] = text("finish.error.reason")
    proof, wrong = _read_proof(words, rollout, item.step, done=state == StepState.DONE)
    if wrong is not None:
        unfit["proof"] = wrong
    return Filled(item.model_copy(update=changes | proof), unfit, secret=holds_secret(f"{words} {reason}"))


def _read_proof(words: str, rollout: Rollout, step: FinishStep, *, done: bool) -> tuple[dict[str, Any], Text | None]:
    match step:
        case FinishStep.ORGANIZATIONS:
            return _read_admins(redact(words), rollout, done=done)
        case FinishStep.RECOVERY:
            addresses = [word for word in re.split(r"[\s,;]+", words) if word]
            if not all(EMAIL.match(each) for each in addresses):
                return {}, text("finish.error.recovery")  # it may be the password: it is not even shown again
            unfit = text("finish.error.recovery.nobody") if done and not addresses else None
            return {"proof": "\n".join(dict.fromkeys(addresses))[:MAX_WORDS]}, unfit
        case _:
            return {"proof": redact(words)[:MAX_WORDS]}, None


def _read_admins(words: str, rollout: Rollout, *, done: bool) -> tuple[dict[str, Any], Text | None]:
    """A line for each organization, "key: who stays"; just "who stays" when the rollout names none."""
    admins: dict[str, str] = {}
    for line in words.splitlines():
        key, colon, who = line.partition(":")
        if not rollout.organizations:
            admins[""] = line.strip()[:200]
            break
        if colon and key.strip() in rollout.organizations:
            admins[key.strip()] = who.strip()[:200]
        elif line.strip():
            return {"admins": admins}, text("finish.error.organization", line=line.strip()[:100])
    admins = {key: who for key, who in admins.items() if who}
    lacking = without_an_admin(rollout, admins)
    if done and lacking:
        named = tuple(text("plain", words=key) for key in lacking[:5] if key)
        unfit = text("finish.error.lacking", organizations=named) if named else text("finish.error.lacking.one")
        return {"admins": admins}, unfit
    return {"admins": admins}, None
