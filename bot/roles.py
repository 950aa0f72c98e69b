"""Who may do what: one table, enforced in the engine and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Person


class Role(StrEnum):
    """What a person is to the bot. `INVITEE` is not a rank: it is being the one whom an invitation is for."""

    ADMIN = "admin"
    MEMBER = "member"
    STRANGER = "stranger"  # bots, guests and deactivated people


class Allowed(StrEnum):
    """Whom an action is for."""

    ADMINS = "admins"
    INVITEE = "invitee"  # the one whom the invitation is for, whatever their role
    EVERYONE = "everyone"


# A whole conversation, or one of its actions as "conversation.action", which then goes first.
TABLE: Mapping[str, Allowed] = {
    "setup": Allowed.ADMINS,
    "invite": Allowed.ADMINS,
    "wave": Allowed.ADMINS,
    "status": Allowed.ADMINS,
    "remind": Allowed.ADMINS,
    "pause": Allowed.ADMINS,
    "exempt": Allowed.ADMINS,
    "case": Allowed.ADMINS,
    "erase": Allowed.ADMINS,
    "export": Allowed.ADMINS,
    "finish": Allowed.ADMINS,
    "removal": Allowed.ADMINS,
    "confirm": Allowed.INVITEE,
    "problem": Allowed.INVITEE,
    "old_token": Allowed.INVITEE,
    "home": Allowed.EVERYONE,
    "help": Allowed.EVERYONE,
}


@dataclass(frozen=True)
class Admins:
    """The configured admins: e-mail addresses, platform user ids or the bot's person ids, case-folded."""

    names: frozenset[str]

    @classmethod
    def of(cls, names: str) -> Admins:
        """From a comma-separated list, as in USHER_ADMINS."""
        return cls(frozenset(name.strip().casefold() for name in names.split(",") if name.strip()))

    def include(self, person: Person) -> bool:
        """Whether the list names this person. An empty e-mail address names nobody."""
        known = {person.user_id.casefold(), person.id.casefold(), person.email.casefold()} - {""}
        return not known.isdisjoint(self.names)


def role_of(person: Person, admins: Admins) -> Role:
    """The person's role: guests, bots and deactivated people are strangers whatever else they are."""
    if person.is_bot or person.is_deactivated or person.is_guest:
        return Role.STRANGER
    if person.is_workspace_admin or admins.include(person):
        return Role.ADMIN
    return Role.MEMBER


def may(role: Role, conversation: str, action: str, *, is_invitee: bool) -> bool:
    """Whether somebody of this role may take this action. What the table does not name is for admins."""
    allowed = TABLE.get(f"{conversation}.{action}", TABLE.get(conversation, Allowed.ADMINS))
    match allowed:
        case Allowed.EVERYONE:
            return True
        case Allowed.INVITEE:
            return is_invitee
        case Allowed.ADMINS:
            return role is Role.ADMIN
