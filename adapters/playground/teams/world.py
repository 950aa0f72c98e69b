"""The little world that tests and the playground start from."""

from typing import Any

from adapters.playground.teams.tenant import Account, Tag, Tenant, opaque

DOMAIN = "usher.example"

_ZONES = (
    ("Europe/Berlin", "en-GB", "DE"),
    ("America/New_York", "en-US", "US"),
    ("Asia/Tokyo", "ja-JP", "JP"),
    ("Asia/Kolkata", "en-IN", "IN"),
    ("America/Los_Angeles", "en-US", "US"),
    ("Australia/Sydney", "en-AU", "AU"),
)


def _member(key: str, name: str, zone: int, **more: Any) -> Account:
    timezone, locale, country = _ZONES[zone]
    address = f"{key}@{DOMAIN}"
    return Account(key, name, address, address, timezone, locale, country, **more)


def standard_world(tenant: Tenant) -> Tenant:
    """Fill a tenant with ten people, the team Engineering (General, Builds) and the tag "build masters".

    Adele and Megan make likely admins. Isaiah has not installed the app, Lidia has blocked the bot, Nestor's
    account is disabled, and Grady is a guest from another company. Everybody else can be written to.
    """
    people = [
        _member("adele", "Adele Vance", 1),
        _member("megan", "Megan Bowen", 0),
        _member("alex", "Alex Wilber", 4),
        _member("diego", "Diego Siciliani", 0),
        _member("mei", "Mei Tanaka", 2),
        _member("pradeep", "Pradeep Gupta", 3),
        _member("isaiah", "Isaiah Langer", 5, installed=False),
        _member("lidia", "Lidia Holloway", 1, blocked=True),
        _member("nestor", "Nestor Wilke", 1, disabled=True),
        Account(
            "grady",
            "Grady Archie",
            "grady@partner.example",
            f"grady_partner.example#EXT#@{DOMAIN}",
            "Europe/London",
            "en-GB",
            "GB",
            guest=True,
        ),
    ]
    team = tenant.add_team("Engineering", ["Builds"])
    for person in people:
        tenant.add_account(person)
        team.members.append(person.key)
    team.tags.append(Tag(opaque("tag", "build masters"), "build masters", ["diego", "mei", "isaiah"]))
    return tenant


def add_people(tenant: Tenant, count: int) -> list[Account]:
    """Add this many further people, each with the app installed, to the tenant and its first team; returns them.

    They are called ``member0001`` and so on, and live in six time zones.
    """
    first = sum(key.startswith("member") for key in tenant.accounts) + 1
    people = [
        tenant.add_account(_member(f"member{n:04d}", f"Member {n:04d}", n % len(_ZONES)))
        for n in range(first, first + count)
    ]
    if tenant.teams:
        tenant.teams[0].members.extend(person.key for person in people)
    return people
