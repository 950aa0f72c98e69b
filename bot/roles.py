"""Who may do what: one table, enforced in the engine and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Person


class Role(StrEnum):
    """What a person is to the bot. Being an invitee is no rank: it is being the one whom an invitation is for."""

    OWNER = "owner"  # sets rollouts up, and with them the login URL
    ADMIN = "admin"
    VIEWER = "viewer"  # sees the status
    MEMBER = "member"
    STRANGER = "stranger"  # bots, guests and deactivated people

    @property
    def runs_rollouts(self) -> bool:
        """Whether rollouts are this role's work."""
        return self in (Role.OWNER, Role.ADMIN)


class Allowed(StrEnum):
    """Whom an action is for."""

    OWNERS = "owners"
    ADMINS = "admins"
    VIEWERS = "viewers"  # and admins and owners
    INVITEE = "invitee"  # the one whom the invitation is for, whatever their role
    EVERYONE = "everyone"


# A whole conversation, or one of its actions as "conversation.action", which then goes first.
TABLE: Mapping[str, Allowed] = {
    "setup": Allowed.OWNERS,  # the login URL
    "admins": Allowed.OWNERS,
    "approval": Allowed.ADMINS,  # what only owners may do, only they approve: bot/conversations/approval.py
    "ready": Allowed.ADMINS,
    "invite": Allowed.ADMINS,
    "wave": Allowed.ADMINS,
    "status": Allowed.ADMINS,
    "status.status": Allowed.VIEWERS,
    "status.show": Allowed.VIEWERS,
    "status.missing": Allowed.VIEWERS,
    "status.filter": Allowed.VIEWERS,
    "status.filtered": Allowed.VIEWERS,
    "status.waves": Allowed.VIEWERS,
    "status.groups": Allowed.VIEWERS,
    "status.charts": Allowed.VIEWERS,
    "rollouts": Allowed.ADMINS,
    "digest": Allowed.ADMINS,
    "digest.status": Allowed.VIEWERS,
    "remind": Allowed.ADMINS,
    "pause": Allowed.ADMINS,
    "exempt": Allowed.ADMINS,
    "case": Allowed.ADMINS,
    "problems": Allowed.ADMINS,
    "erase": Allowed.ADMINS,
    "export": Allowed.ADMINS,
    "finish": Allowed.ADMINS,
    "removal": Allowed.ADMINS,
    "confirm": Allowed.INVITEE,
    "problem": Allowed.INVITEE,
    "wish": Allowed.INVITEE,
    "language": Allowed.EVERYONE,
    "wish.exempt": Allowed.ADMINS,
    "solved": Allowed.INVITEE,
    "old_token": Allowed.INVITEE,
    "home": Allowed.EVERYONE,
    "help": Allowed.EVERYONE,
}


@dataclass(frozen=True)
class Admins:
    """The configured admins: e-mail addresses, platform user ids or the bot's person ids, case-folded.

    Without `owners` every admin is one. Owners are admins, whether `names` has them or not.
    """

    names: frozenset[str]
    owners: frozenset[str] = frozenset()
    viewers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: str) -> Admins:
        """From a comma-separated list, as in USHER_ADMINS."""
        return cls(frozenset(name.strip().casefold() for name in names.split(",") if name.strip()))

    def include(self, person: Person) -> bool:
        """Whether the lists name this person as an admin or owner. An empty e-mail address names nobody."""
        return _names(self.names | self.owners, person)


def _names(names: frozenset[str], person: Person) -> bool:
    known = {person.user_id.casefold(), person.id.casefold(), person.email.casefold()} - {""}
    return not known.isdisjoint(names)


def role_of(person: Person, admins: Admins) -> Role:
    """The person's role: guests, bots and deactivated people are strangers whatever else they are."""
    if person.is_bot or person.is_deactivated or person.is_guest:
        return Role.STRANGER
    if _names(admins.owners, person):
        return Role.OWNER
    if person.is_workspace_admin or person.is_appointed or admins.include(person):
        return Role.ADMIN if admins.owners else Role.OWNER
    return Role.VIEWER if _names(admins.viewers, person) else Role.MEMBER


def may(role: Role, conversation: str, action: str, *, is_invitee: bool) -> bool:
    """Whether somebody of this role may take this action. What the table does not name is for admins; what follows a
    dot in the action's name ("missing.token") makes no difference.
    """
    name = action.partition(".")[0]
    allowed = TABLE.get(f"{conversation}.{name}", TABLE.get(conversation, Allowed.ADMINS))
    match allowed:
        case Allowed.EVERYONE:
            return True
        case Allowed.INVITEE:
            return is_invitee
        case Allowed.VIEWERS:
            return role.runs_rollouts or role is Role.VIEWER
        case Allowed.ADMINS:
            return role.runs_rollouts
        case Allowed.OWNERS:
            return role is Role.OWNER


class Subject(StrEnum):
    """Who may meet the bot, as one asks for it: the columns of the table that `usher doctor --roles` prints."""

    OWNER = "owner"
    ADMIN = "admin"
    VIEWER = "viewer"
    INVITEE = "invitee"
    MEMBER = "member"
    STRANGER = "stranger"  # deactivated
    BOT = "bot"
    GUEST = "guest"
    OTHER_WORKSPACE = "other workspace"


_ROLES: Mapping[Subject, Role] = {
    Subject.OWNER: Role.OWNER,
    Subject.ADMIN: Role.ADMIN,
    Subject.VIEWER: Role.VIEWER,
    Subject.INVITEE: Role.MEMBER,
    Subject.MEMBER: Role.MEMBER,
    Subject.STRANGER: Role.STRANGER,
    Subject.BOT: Role.STRANGER,
    Subject.GUEST: Role.STRANGER,
}


def allows(subject: Subject, key: str) -> bool:
    """One cell: whether `subject` may do what TABLE names `key`. Another workspace is not let in at all."""
    if subject is Subject.OTHER_WORKSPACE:
        return False
    conversation, _, action = key.partition(".")
    return may(_ROLES[subject], conversation, action, is_invitee=subject is Subject.INVITEE)
