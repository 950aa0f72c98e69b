"""A rollout in the database, with everybody's invitation ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.model import Person, Platform, Rollout, Wave, Workspace
from bot.ports import Store

NAMES = {Platform.SLACK: "T0BENCH", Platform.TEAMS: "bench"}


def workspace(platform: Platform, now: datetime, external_id: str = "", service_url: str = "") -> Workspace:
    """One that the bot is installed in."""
    name = external_id or NAMES[platform]
    return Workspace(
        id=Workspace.key(platform, name),
        platform=platform,
        external_id=name,
        service_url=service_url,
        installed_at=now,
    )


def person(of: Workspace, user_id: str, channel_id: str, now: datetime) -> Person:
    """Somebody in it; `channel_id` is their chat with the bot, "" when there is none yet."""
    return Person(
        id=Person.key(of.id, user_id),
        workspace_id=of.id,
        user_id=user_id,
        name=user_id,
        email=f"{user_id}@bench.example".casefold(),
        channel_id=channel_id,
        seen_at=now,
    )


async def invite(store: Store, of: Workspace, people: Sequence[Person], now: datetime, number: int = 1) -> Rollout:
    """Store all of them, and a delivery for each: the rollout of that number."""
    name = f"{of.id}-{number}"
    rollout = Rollout(
        id=name,
        company=of.company,
        name="Acme Corp",
        enterprise_key=f"acme-{name}",
        login_url="https://sonarcloud.io/login/sso?enterprise_key=acme",
        created_by=people[0].id,
        created_at=now,
        version=1,
    )
    wave = Wave(
        id=name, rollout_id=rollout.id, workspace_id=of.id, created_by=people[0].id, created_at=now, version=1
    )
    async with store.transaction() as tx:
        await tx.people.save_workspace(of)
        await tx.people.meet(people)
        await tx.save(rollout)
        await tx.save(wave)
        await tx.invitations.invite(rollout, wave, people, now)
    return rollout
