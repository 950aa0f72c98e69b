"""A small company with a rollout, to store and to find again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bot.messages import Message, Section, text
from bot.model import (
    Case,
    Check,
    CheckKind,
    Delivery,
    DeliveryKind,
    FormerSignIn,
    Invitation,
    Person,
    Platform,
    ReminderPolicy,
    Rollout,
    Wave,
    Workspace,
    derived_id,
)
from bot.ports import Due
from storage.rows import fields, plain
from storage.tables import DELIVERY

NOW = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LANE = "slack:T1"


def workspace(external_id="T1", company="acme", platform=Platform.SLACK, **other) -> Workspace:
    return Workspace(
        id=Workspace.key(platform, external_id),
        platform=platform,
        external_id=external_id,
        company=company,
        installed_at=NOW,
        **other,
    )


def person(user_id: str, workspace_id=LANE, **other) -> Person:
    known = {"name": user_id.title(), "email": f"{user_id.casefold()}@acme.example", "seen_at": NOW} | other
    return Person(id=Person.key(workspace_id, user_id), workspace_id=workspace_id, user_id=user_id, **known)


def rollout(rollout_id="r1", company="acme", **other) -> Rollout:
    known = {
        "name": "Acme",
        "enterprise_key": "acme" if rollout_id == "r1" else f"acme-{rollout_id}",
        "login_url": "https://sonarcloud.io/sessions/init/acme",
        "former_sign_in": (FormerSignIn.GITHUB,),
        "organizations": ("acme-web", "acme-app"),
        "policy": ReminderPolicy(first_after_days=3, deadline=(NOW + timedelta(days=21)).date()),
        "created_by": f"{LANE}:ADA",
        "created_at": NOW,
        "version": 1,
    }
    return Rollout(id=rollout_id, company=company, **(known | other))


def wave(wave_id="w1", rollout_id="r1", **other) -> Wave:
    known = {"workspace_id": LANE, "created_by": f"{LANE}:ADA", "created_at": NOW, "version": 1} | other
    return Wave(id=wave_id, rollout_id=rollout_id, **known)


def case_of(invitation: Invitation, case_id="c1", **other) -> Case:
    known = {"problem": "login_fails", "description": "A blank page.", "opened_at": NOW, "version": 1}
    known |= {"group_id": case_id} | other
    return Case(
        id=case_id,
        rollout_id=invitation.rollout_id,
        invitation_id=invitation.id,
        person_id=invitation.person_id,
        **known,
    )


def check(invitation: Invitation, kind=CheckKind.ACCESS, **other) -> Check:
    return Check(invitation_id=invitation.id, kind=kind, **({"confirmed_at": NOW} | other))


def notice(key: str, **other) -> Delivery:
    known = {
        "kind": DeliveryKind.NOTICE,
        "lane": LANE,
        "person_id": f"{LANE}:ADA",
        "content": Message(text("hello"), body=(Section(text("lines", count=2)),)),
        "not_before": NOW,
        "created_at": NOW,
    } | other
    return Delivery(id=derived_id(key), key=key, **known)


def reminder(invitation: Invitation, number=1, **other) -> Delivery:
    known = {
        "kind": DeliveryKind.REMINDER,
        "priority": 2,
        "content": None,
        "rollout_id": invitation.rollout_id,
        "invitation_id": invitation.id,
        "person_id": invitation.person_id,
        "number": number,
    } | other
    return notice(f"{invitation.id}:reminder:{number}", **known)


def due_for(invitation: Invitation, **other) -> Due:
    known = {
        "invitation_id": invitation.id,
        "rollout": rollout(invitation.rollout_id),
        "person_id": invitation.person_id,
        "workspace_id": LANE,
        "time_zone": "UTC",
        "reminders": 0,
        "snoozed_until": None,
        "final_notice_at": None,
        "last_contact_at": NOW,
    } | other
    return Due(**known)


async def begin(store, people=("ada", "ben", "cleo"), of=None) -> list[Person]:
    """Store the workspace, the rollout, its wave and the people; nobody is invited yet."""
    met = [person(name) for name in people]
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace())
        await tx.people.meet(met)
        await tx.save(of or rollout())
        await tx.save(wave())
    return met


async def invite(store, people=("ada", "ben", "cleo"), of=None) -> list[Invitation]:
    """All of `begin`, and the people invited; their invitations in the people's order."""
    met = await begin(store, people, of)
    async with store.transaction() as tx:
        await tx.invitations.invite(of or rollout(), wave(), met, NOW)
        found = [await tx.invitations.of_person(one.id, "r1") for one in met]
    return [view.invitation for view in found]


async def change(store, invitation: Invitation, **fields) -> Invitation:
    """Save the invitation with these fields, one version on."""
    changed = invitation.model_copy(update={**fields, "version": invitation.version + 1})
    async with store.transaction() as tx:
        await tx.save(changed)
    return changed


async def claim(store, limit=100, at=NOW, lane=LANE) -> list[Delivery]:
    async with store.transaction() as tx:
        return list(await tx.deliveries.claim(lane, at, at + MINUTE, limit))


async def claim_one(store, key="k1", at=NOW) -> Delivery:
    """A notice, queued and claimed."""
    async with store.transaction() as tx:
        await tx.deliveries.enqueue([notice(key)])
        claimed = await tx.deliveries.claim_again(derived_id(key), at, at + MINUTE)
    assert claimed is not None
    return claimed


async def delivery_now(store, delivery: Delivery) -> Delivery:
    """The row as it is stored, by a look past the store's operations."""
    async with store._engine.connect() as connection:
        row = (
            await connection.execute(select(*fields(DELIVERY, Delivery)).where(DELIVERY.c.id == delivery.id))
        ).one()
    return plain(Delivery, row)
