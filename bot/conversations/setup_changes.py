"""Two admins at one rollout: whoever saves later sees what the other changed, and chooses."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversations.setup_draft import Draft
from bot.messages import Button, Element, Facts, Form, Section, Text, Token, text
from bot.model import Dialog, Rollout

CHANGED = "changed"  # the dialog's step
_LABELS = {
    "name": "setup.name",
    "enterprise_key": "setup.key",
    "region": "setup.region",
    "login_url": "setup.login_url",
    "provisioning": "setup.provisioning",
    "groups_exist": "setup.groups.yes",
    "domain_verified": "setup.domain_verified",
    "former_sign_in": "setup.former",
    "organizations": "setup.organizations",
    "uses_tokens": "setup.uses_tokens",
    "first_after_days": "setup.first_after_days",
    "every_days": "setup.every_days",
    "interval": "setup.interval",
    "at_most": "setup.at_most",
    "weekdays": "setup.weekdays",
    "hour_from": "setup.hour_from",
    "hour_to": "setup.hour_to",
    "skip_holidays": "setup.skip_holidays.yes",
    "holiday_country": "setup.holiday_country",
    "deadline": "setup.deadline",
    "final_notice": "setup.final_notice.yes",
}


@dataclass(frozen=True)
class Change:
    """A field that somebody else changed since the dialog began, as it is now and as the dialog would save it."""

    field: str
    theirs: Text
    yours: Text


def changes_meanwhile(draft: Draft, now: Rollout) -> tuple[Change, ...]:
    """What the others changed, where the draft says something else."""
    base, theirs = draft.base or Draft(), Draft.of(now)
    return tuple(
        Change(field, _shown(theirs, field), _shown(draft, field))
        for field in _LABELS
        if getattr(theirs, field) not in (getattr(base, field), getattr(draft, field))
    )


def changed_form(dialog: Dialog, draft: Draft, now: Rollout) -> Form:
    """The changes side by side, to save on top of them or to start again from them."""
    changes: list[Element] = []
    for change in changes_meanwhile(draft, now):
        changes.append(Section(text("setup.changed.field", field=text(_LABELS[change.field]))))
        theirs, yours = text("setup.changed.theirs"), text("setup.changed.yours")
        changes.append(Facts(((theirs, change.theirs), (yours, change.yours))))
    return Form(
        Token("setup", "next", dialog.id, dialog.version),
        text("setup.changed.title"),
        text("button.save_mine"),
        body=(Section(text("setup.changed.heading")), *changes, Section(text("setup.changed.choose"))),
        buttons=(Button(text("button.start_again"), Token("setup", "again", dialog.id, dialog.version)),),
    )


def _shown(draft: Draft, field: str) -> Text:
    value = getattr(draft, field)
    if isinstance(value, bool):
        return text("answer.yes" if value else "answer.no")
    if value in ("", ()):
        return text("setup.changed.empty")
    if isinstance(value, tuple):
        return text("setup.changed.list", values=tuple(_one(field, each) for each in value))
    return _one(field, value)


def _one(field: str, value: object) -> Text:
    match field:
        case "region":
            return text(f"region.{value}")
        case "provisioning":
            return text(f"setup.provisioning.{value}")
        case "former_sign_in":
            return text(f"sign_in.{value}")
        case "interval":
            return text(f"setup.interval.{value}")
        case "weekdays":
            return text(f"weekday.{value}")
        case _:
            return text("plain", words=str(value))
