"""Workspaces and the people in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.model import Person, Workspace
from storage.connection import Connection
from storage.prepared import Prepared
from storage.rows import by_key, chunks, fields, insert_into, plain, replace, values
from storage.tables import PERSON, WORKSPACE

_NOT_TOLD = {"name": "", "email": "", "channel_id": "", "time_zone": "UTC", "locale": "en"}
_SET_CHANNEL = Prepared(
    update(PERSON)
    .where(PERSON.c.id == bindparam("of"))
    .values(channel_id=bindparam("channel", type_=PERSON.c.channel_id.type), has_removed_app=False)
)
_FLAGS = ("is_bot", "is_deactivated", "is_guest", "is_workspace_admin")


class People:
    """Implements bot.ports.People."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def workspace(self, workspace_id: str) -> Workspace | None:
        """By id, active or not."""
        return await by_key(self._connection, WORKSPACE, Workspace, workspace_id)

    async def workspaces(self, company: str | None = None) -> Sequence[Workspace]:
        """The active ones; all companies' when `company` is None."""
        statement = select(*fields(WORKSPACE, Workspace)).where(WORKSPACE.c.active).order_by(WORKSPACE.c.id)
        if company is not None:
            statement = statement.where(WORKSPACE.c.company == company)
        return [plain(Workspace, row) for row in await self._connection.execute(statement)]

    async def save_workspace(self, workspace: Workspace) -> None:
        """Insert or replace."""
        await replace(self._connection, WORKSPACE, workspace)

    async def person(self, person_id: str) -> Person | None:
        """By id."""
        return await by_key(self._connection, PERSON, Person, person_id)

    async def by_ids(self, person_ids: Iterable[str]) -> Sequence[Person]:
        """Those who are known, each once, in the order of the ids."""
        wanted = list(dict.fromkeys(person_ids))
        found: dict[str, Person] = {}
        for some in chunks(wanted):
            statement = select(*fields(PERSON, Person)).where(PERSON.c.id.in_(some))
            found |= {row.id: plain(Person, row) for row in await self._connection.execute(statement)}
        return [found[person_id] for person_id in wanted if person_id in found]

    async def by_email(self, workspace_id: str, email: str) -> Person | None:
        """The workspace's person with that address; of several, the one seen last."""
        statement = (
            select(*fields(PERSON, Person))
            .where(PERSON.c.workspace_id == workspace_id, PERSON.c.email == email.casefold(), PERSON.c.email != "")
            .order_by(PERSON.c.seen_at.desc(), PERSON.c.id)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Person, row)

    async def same_as(self, person: Person, company: str) -> Sequence[Person]:
        """The person and whom the company's workspaces know by the same e-mail address, by id."""
        same = or_(PERSON.c.id == person.id, and_(PERSON.c.email == person.email, PERSON.c.email != ""))
        statement = (
            select(*fields(PERSON, Person))
            .join(WORKSPACE, WORKSPACE.c.id == PERSON.c.workspace_id)
            .where(WORKSPACE.c.company == company, same)
            .order_by(PERSON.c.id)
        )
        return [plain(Person, row) for row in await self._connection.execute(statement)]

    async def meet(self, people: Sequence[Person]) -> None:
        """Store or refresh; what a platform did not tell keeps its old value.

        Not told are: an empty name, e-mail address or channel, the time zone UTC, the language en. A flag that is
        set is always told; one that is not set only together with an e-mail address, which whole profiles have and
        the people in a click or a message do not. Whoever has a channel has not removed the app, or has it again.
        """
        if not people:
            return
        upsert = _meet(self._connection.dialect.name)
        # in one order everywhere, so that two transactions that meet the same people do not wait for each other
        ordered = sorted(people, key=lambda person: person.id)
        await self._connection.execute(
            upsert, [{**values(person), "email": person.email.casefold()} for person in ordered]
        )

    async def set_language(self, person_id: str, language: str) -> None:
        """What the person has chosen; empty: nothing."""
        await self._connection.execute(update(PERSON).where(PERSON.c.id == person_id).values(language=language))

    async def appoint(self, person_id: str, *, is_admin: bool) -> None:
        """Make somebody an admin, or take that back."""
        await self._connection.execute(update(PERSON).where(PERSON.c.id == person_id).values(is_appointed=is_admin))

    async def removed_app(self, person_id: str) -> None:
        """The person has removed the bot's app; does nothing where nobody knows them."""
        gone = {"channel_id": "", "has_removed_app": True}
        await self._connection.execute(update(PERSON).where(PERSON.c.id == person_id).values(gone))

    async def set_channels(self, channels: Mapping[str, str]) -> None:
        """Channel by person id."""
        if channels:
            rows = [{"of": person_id, "channel": channel} for person_id, channel in sorted(channels.items())]
            await self._connection.change_each(_SET_CHANNEL, rows)

    async def admins_seen(self, company: str, admins: Sequence[str]) -> Sequence[Person]:
        """The people of the company's active workspaces whom `admins` (e-mail addresses, platform user ids or
        person ids, case-folded) name, and workspace admins. Bots and deactivated accounts are left out.
        """
        names = [name for name in admins if name]  # an empty one would name everybody without an address
        named = or_(
            PERSON.c.email.in_(names), func.lower(PERSON.c.id).in_(names), func.lower(PERSON.c.user_id).in_(names)
        )
        statement = (
            select(*fields(PERSON, Person))
            .join(WORKSPACE, WORKSPACE.c.id == PERSON.c.workspace_id)
            .where(
                WORKSPACE.c.company == company,
                WORKSPACE.c.active,
                or_(PERSON.c.is_workspace_admin, PERSON.c.is_appointed, named),
                ~PERSON.c.is_bot,
                ~PERSON.c.is_deactivated,
            )
            .order_by(PERSON.c.id)
        )
        return [plain(Person, row) for row in await self._connection.execute(statement)]


@cache
def _meet(dialect: str) -> postgresql.Insert | sqlite.Insert:
    statement = insert_into(dialect, PERSON)
    new = statement.excluded
    told = {
        name: case((new[name] != default, new[name]), else_=PERSON.c[name]) for name, default in _NOT_TOLD.items()
    }
    flags = {name: case((new.email != "", new[name]), else_=or_(PERSON.c[name], new[name])) for name in _FLAGS}
    there_again = case((new.channel_id != "", False), else_=PERSON.c.has_removed_app)
    seen = case((new.seen_at > PERSON.c.seen_at, new.seen_at), else_=PERSON.c.seen_at)
    return statement.on_conflict_do_update(
        index_elements=["id"], set_={**told, **flags, "has_removed_app": there_again, "seen_at": seen}
    )
