"""The little world a playground starts with, and more people on demand."""

from __future__ import annotations

from adapters.playground.slack.world import SLACKBOT_ID, Kind, User, World

# Handle, real name, kind, time zone, its offset in seconds, job title.
_Row = tuple[str, str, Kind, str, int, str]
_CAST: tuple[_Row, ...] = (
    ("olivia", "Olivia Owner", "owner", "Europe/Paris", 3600, "Head of Engineering"),
    ("adam", "Adam Admin", "admin", "Europe/Berlin", 3600, "IT administrator"),
    ("alice", "Alice Archer", "member", "Europe/Berlin", 3600, "Backend developer"),
    ("bob", "Bob Baker", "member", "America/New_York", -18000, "Frontend developer"),
    ("chen", "Chen Wei", "member", "Asia/Shanghai", 28800, "Data engineer"),
    ("divya", "Divya Das", "member", "Asia/Kolkata", 19800, "Tester"),
    ("emil", "Emil Eriksson", "member", "America/Los_Angeles", -28800, "Release engineer"),
    ("gina", "Gina Guest", "guest", "Europe/London", 0, "Contractor"),
    ("dora", "Dora Departed", "deactivated", "Europe/Berlin", 3600, ""),
    ("sam", "Sam Stranger", "stranger", "America/Chicago", -21600, "Partner"),
)
_ZONES = (
    ("Europe/Berlin", 3600),
    ("America/New_York", -18000),
    ("Asia/Tokyo", 32400),
    ("Australia/Sydney", 36000),
)


def standard_world(world: World) -> World:
    """Fill an empty workspace.

    People (handles): olivia owns the workspace, adam administrates it, alice, bob, chen, divya and emil are
    members in different time zones, gina is a guest, dora is deactivated, sam comes through Slack Connect;
    and the bot and USLACKBOT. User groups: @engineering (alice, bob, chen, divya and dora, who left), @nobody
    (empty). Channels: #general (with the bot), #random (without),
    #partners (with the bot and sam), #leads (private, without the bot).
    """
    world.add_user(User(world.bot_user_id, "sso_usher", "SSO Usher", "bot"))
    world.add_user(User(SLACKBOT_ID, "slackbot", "Slackbot", "slackbot"))
    cast = {row[0]: _add_actor(world, row) for row in _CAST}
    world.add_group("engineering", [cast[name] for name in ("alice", "bob", "chen", "divya", "dora")])
    world.add_group("nobody", [])
    bot = world.users[world.bot_user_id]
    here = [user for user in cast.values() if user.kind not in {"deactivated", "stranger"}]
    world.add_channel("general", [*here, bot])
    world.add_channel("random", here)
    world.add_channel("partners", [cast["olivia"], cast["alice"], cast["sam"], bot])
    world.add_channel("leads", [cast["olivia"], cast["adam"]], is_private=True)
    return world


def _add_actor(world: World, row: _Row) -> User:
    handle, real_name, kind, tz, offset, title = row
    stranger = kind == "stranger"
    return world.add_user(
        User(
            world.new_id("U"),
            handle,
            real_name,
            kind,
            # Slack Connect hides strangers' addresses from apps.
            email=None if stranger else f"{handle}@example.com",
            tz=tz,
            tz_offset=offset,
            title=title,
            team_id="T0PARTNER01" if stranger else "",
        ),
    )


def add_people(world: World, count: int, *, into_group: str = "") -> list[User]:
    """Let `count` more members in (person-1, person-2, ...), in several time zones.

    `into_group` is the handle of a user group that they join; it is made when there is none.
    """
    start = sum(1 for user in world.users.values() if user.name.startswith("person-"))
    people = [_numbered(world, start + number) for number in range(1, count + 1)]
    if into_group:
        known = next((group for group in world.groups.values() if group.handle == into_group), None)
        group = known or world.add_group(into_group, [])
        group.members.extend(user.id for user in people)
    world.changed()
    return people


def _numbered(world: World, number: int) -> User:
    tz, offset = _ZONES[number % len(_ZONES)]
    return world.add_user(
        User(
            world.new_id("U"),
            f"person-{number}",
            f"Person {number}",
            email=f"person-{number}@example.com",
            tz=tz,
            tz_offset=offset,
        ),
    )
