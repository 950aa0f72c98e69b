"""The steps of the setup dialog: what each shows, and how what was filled in is read and checked.

The warnings are those of SonarQube Cloud's page "Invite users to sign in", each at the step where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.calendar import supported_countries
from bot.conversations.setup_draft import Draft
from bot.events import FormValues
from bot.login_url import login_url_error
from bot.messages import (
    Choice,
    ChoiceField,
    DateField,
    Element,
    Field,
    Link,
    Notice,
    Section,
    Text,
    TextField,
    TextKind,
    Tone,
    text,
)
from bot.model import FormerSignIn, Interval, Provisioning, Region

ENTERPRISE_KEY = re.compile(r"[A-Za-z0-9._-]{1,255}")
Errors = Mapping[str, Text]
Read = tuple[dict[str, Any], dict[str, Text]]


@dataclass(frozen=True)
class Where:
    """What reading a step may depend on beside the draft."""

    login_hosts: tuple[str, ...]
    today: date


@dataclass(frozen=True)
class SetupStep:
    """One screen of the dialog."""

    name: str
    body: Callable[[Draft], tuple[Element, ...]]
    fields: Callable[[Draft], tuple[Field, ...]]
    read: Callable[[FormValues, Draft, Where], Read]


def one(values: FormValues, name: str) -> str:
    """A field's single value, stripped; empty when it was left out."""
    value = values.get(name, "")
    return (value if isinstance(value, str) else (value[0] if value else "")).strip()


def many(values: FormValues, name: str) -> tuple[str, ...]:
    """A field's values."""
    value = values.get(name, ())
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else tuple(value)


def _enterprise_fields(draft: Draft) -> tuple[Field, ...]:
    regions = tuple(Choice(region.value, text(f"region.{region}")) for region in Region)
    return (
        TextField("name", text("setup.name"), draft.name, text("setup.name.hint"), max_length=100),
        TextField("enterprise_key", text("setup.key"), draft.enterprise_key, text("setup.key.hint")),
        ChoiceField("region", text("setup.region"), regions, (draft.region.value,), hint=text("setup.region.hint")),
    )


def _read_enterprise(values: FormValues, draft: Draft, _where: Where) -> Read:
    name, key = one(values, "name"), one(values, "enterprise_key")
    region = one(values, "region") or draft.region
    changes = {"name": name, "enterprise_key": key, "region": region}
    if draft.login_url == draft.one_click_link:  # the bot's own link follows the key and the region
        changes["login_url"] = ""
    errors = {}
    if not name:
        errors["name"] = text("setup.error.required")
    if not ENTERPRISE_KEY.fullmatch(key):
        errors["enterprise_key"] = text("setup.error.key")
    if region not in set(Region):
        errors["region"] = text("setup.error.required")
    return changes, errors


def _login_body(draft: Draft) -> tuple[Element, ...]:
    return (
        Section(text("setup.login.where")),
        Section(text("setup.login.one_click", url=Link(draft.one_click_link))),
        Notice(text("setup.login.tiles", url=Link(draft.one_click_link)), Tone.WARNING),
    )


def _login_fields(draft: Draft) -> tuple[Field, ...]:
    url = TextField(
        "login_url",
        text("setup.login_url"),
        draft.login_url,
        text("setup.login_url.hint"),
        required=False,
        max_length=2000,
        text_kind=TextKind.URL,
    )
    return (url,)


def _read_login(values: FormValues, draft: Draft, where: Where) -> Read:
    url = one(values, "login_url")
    if not url:
        return {"login_url": draft.one_click_link}, {}
    problem = login_url_error(
        url, region=draft.region, enterprise_key=draft.enterprise_key, allowed_hosts=where.login_hosts
    )
    return {"login_url": url}, {"login_url": problem} if problem else {}


def _provisioning_fields(draft: Draft) -> tuple[Field, ...]:
    kinds = tuple(
        Choice(kind.value, text(f"setup.provisioning.{kind}"), text(f"setup.provisioning.{kind}.hint"))
        for kind in Provisioning
    )
    groups = (Choice("yes", text("setup.groups.yes")),)
    return (
        ChoiceField("provisioning", text("setup.provisioning"), kinds, (draft.provisioning.value,)),
        ChoiceField(
            "groups_exist",
            text("setup.groups"),
            groups,
            ("yes",) if draft.groups_exist else (),
            multiple=True,
            required=False,
            hint=text("setup.groups.hint"),
        ),
        _yes_or_no("domain_verified", draft.domain_verified),
    )


def _read_provisioning(values: FormValues, draft: Draft, _where: Where) -> Read:
    provisioning = one(values, "provisioning") or draft.provisioning
    groups_exist = "yes" in many(values, "groups_exist")
    errors = {}
    if provisioning not in set(Provisioning):
        errors["provisioning"] = text("setup.error.required")
    if provisioning == Provisioning.JIT and not groups_exist:
        errors["groups_exist"] = text("setup.error.groups")
    verified = one(values, "domain_verified") == "yes"
    return {"provisioning": provisioning, "groups_exist": groups_exist, "domain_verified": verified}, errors


def _people_body(draft: Draft) -> tuple[Element, ...]:
    bitbucket = FormerSignIn.BITBUCKET in draft.former_sign_in
    return (
        Notice(text("setup.people.keep_admins"), Tone.WARNING),
        *((Notice(text("setup.people.bitbucket"), Tone.WARNING),) if bitbucket else ()),
        Notice(text("setup.people.sot")),
    )


def _people_fields(draft: Draft) -> tuple[Field, ...]:
    platforms = tuple(Choice(kind.value, text(f"sign_in.{kind}")) for kind in FormerSignIn)
    return (
        ChoiceField(
            "former_sign_in",
            text("setup.former"),
            platforms,
            tuple(kind.value for kind in draft.former_sign_in),
            multiple=True,
            required=False,
            hint=text("setup.former.hint"),
        ),
        TextField(
            "organizations",
            text("setup.organizations"),
            "\n".join(draft.organizations),
            text("setup.organizations.hint"),
            required=False,
            multiline=True,
            max_length=2000,
        ),
        _yes_or_no("uses_tokens", draft.uses_tokens),
    )


def _read_people(values: FormValues, _draft: Draft, _where: Where) -> Read:
    organizations = tuple(
        dict.fromkeys(key.strip() for key in re.split(r"[\n,;]", one(values, "organizations")) if key.strip())
    )
    unfit = [key for key in organizations if not ENTERPRISE_KEY.fullmatch(key)]
    errors = {"organizations": text("setup.error.organization", key=unfit[0])} if unfit else {}
    changes = {
        "former_sign_in": tuple(kind for kind in FormerSignIn if kind in many(values, "former_sign_in")),
        "organizations": organizations,
        "uses_tokens": one(values, "uses_tokens") == "yes",
    }
    return changes, errors


def _reminder_fields(draft: Draft) -> tuple[Field, ...]:
    days = tuple(Choice(str(day), text(f"weekday.{day}")) for day in range(7))
    numbers = ("first_after_days", "every_days", "at_most", "hour_from", "hour_to")
    first, every, most, hour_from, hour_to = (
        TextField(name, text(f"setup.{name}"), str(getattr(draft, name)), max_length=2, text_kind=TextKind.NUMBER)
        for name in numbers
    )
    weekdays = ChoiceField(
        "weekdays", text("setup.weekdays"), days, tuple(str(day) for day in draft.weekdays), multiple=True
    )
    intervals = tuple(Choice(each.value, text(f"setup.interval.{each}")) for each in Interval)
    interval = ChoiceField("interval", text("setup.interval"), intervals, (draft.interval.value,))
    return (first, every, interval, most, weekdays, hour_from, hour_to, *_calendar_fields(draft))


def _calendar_fields(draft: Draft) -> tuple[Field, ...]:
    return (
        _box("skip_holidays", draft.skip_holidays),
        TextField(
            "holiday_country",
            text("setup.holiday_country"),
            draft.holiday_country,
            text("setup.holiday_country.hint"),
            required=False,
            max_length=2,
        ),
        DateField(
            "deadline", text("setup.deadline"), draft.deadline, required=False, hint=text("setup.deadline.hint")
        ),
        _box("final_notice", draft.final_notice),
    )


_RANGES = {
    "first_after_days": (1, 60),
    "every_days": (1, 60),
    "at_most": (0, 20),
    "hour_from": (0, 23),
    "hour_to": (1, 24),
}


def _read_reminders(values: FormValues, draft: Draft, where: Where) -> Read:
    interval = one(values, "interval")
    changes: dict[str, Any] = {
        "weekdays": tuple(day for day in range(7) if str(day) in many(values, "weekdays")),
        "interval": Interval(interval) if interval in set(Interval) else draft.interval,
        "skip_holidays": "yes" in many(values, "skip_holidays"),
        "holiday_country": one(values, "holiday_country").upper(),
        "deadline": one(values, "deadline"),
        "final_notice": "yes" in many(values, "final_notice"),
    }
    errors = {}
    for name, (low, high) in _RANGES.items():
        value = one(values, name)
        if value.isdecimal() and low <= int(value) <= high:
            changes[name] = int(value)
        else:
            errors[name] = text("setup.error.number", low=low, high=high)
    if not changes["weekdays"]:
        errors["weekdays"] = text("setup.error.weekdays")
    if not errors and changes["hour_from"] >= changes["hour_to"]:
        errors["hour_to"] = text("setup.error.hours")
    if changes["holiday_country"] and changes["holiday_country"] not in supported_countries():
        errors["holiday_country"] = text("setup.error.country")
    if changes["deadline"] and not _is_future_day(changes["deadline"], where.today):
        errors["deadline"] = text("setup.error.deadline")
    return changes, errors


def _is_future_day(value: str, today: date) -> bool:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date() > today  # noqa: DTZ007  # a day, not a moment
    except ValueError:
        return False


def _box(name: str, value: bool) -> ChoiceField:
    """One thing to tick."""
    choices = (Choice("yes", text(f"setup.{name}.yes")),)
    chosen = ("yes",) if value else ()
    return ChoiceField(name, text(f"setup.{name}"), choices, chosen, multiple=True, required=False)


def _yes_or_no(name: str, value: bool) -> ChoiceField:
    choices = (Choice("yes", text("answer.yes")), Choice("no", text("answer.no")))
    return ChoiceField(
        name, text(f"setup.{name}"), choices, ("yes" if value else "no",), hint=text(f"setup.{name}.hint")
    )


STEPS: tuple[SetupStep, ...] = (
    SetupStep(
        "enterprise", lambda _: (Section(text("setup.enterprise.intro")),), _enterprise_fields, _read_enterprise
    ),
    SetupStep("login", _login_body, _login_fields, _read_login),
    SetupStep("provisioning", lambda _: (), _provisioning_fields, _read_provisioning),
    SetupStep("people", _people_body, _people_fields, _read_people),
    SetupStep("reminders", lambda _: (Section(text("setup.reminders.intro")),), _reminder_fields, _read_reminders),
)
PREVIEW = "preview"
NAMES = (*(step.name for step in STEPS), PREVIEW)
