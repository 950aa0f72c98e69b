"""The tables that the migrations make are the tables that the program uses."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Inspector, inspect, text

from bot.model import Invitation, Rollout
from storage import migrate
from storage.database import Database, create_engine
from storage.tables import METADATA
from tests.rows import rolled_out, stored
from tests.storage.stored_things import case_of, check, invite


async def ask(url, question):
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, METADATA)


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def rules(connection: Connection) -> set[str]:
    inspector: Inspector = inspect(connection)
    return {rule["name"] for table in METADATA.tables for rule in inspector.get_check_constraints(table)}


async def test_the_migrated_tables_are_the_programs_tables(empty_database_url):
    await migrate.upgrade(empty_database_url)

    assert await ask(empty_database_url, differences) == []
    assert await ask(empty_database_url, tables) == set(METADATA.tables)


async def test_the_migrated_rules_are_the_programs_rules(empty_database_url):
    await migrate.upgrade(empty_database_url)

    declared = {
        str(constraint.name)
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert await ask(empty_database_url, rules) == declared


async def test_a_database_goes_up_down_and_up_again(empty_database_url):
    assert await migrate.current(empty_database_url) is None

    await migrate.upgrade(empty_database_url)
    newest = await migrate.current(empty_database_url)
    await migrate.downgrade(empty_database_url, "base")

    assert newest is not None
    assert await migrate.current(empty_database_url) is None
    assert await ask(empty_database_url, tables) == set()
    await migrate.upgrade(empty_database_url)
    assert await migrate.current(empty_database_url) == newest
    assert await ask(empty_database_url, differences) == []


async def test_upgrading_twice_changes_nothing(empty_database_url):
    await migrate.upgrade(empty_database_url)
    await migrate.upgrade(empty_database_url)

    assert await ask(empty_database_url, differences) == []


async def test_replicas_that_start_at_once_migrate_once(empty_database_url):
    await asyncio.gather(*(migrate.upgrade(empty_database_url) for _ in range(3)))

    assert await ask(empty_database_url, differences) == []


async def test_a_new_file_that_another_process_has_just_opened_is_waited_for(tmp_path):
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute(
            "BEGIN IMMEDIATE"
        )  # SQLite refuses to change the journal's mode meanwhile, whatever the time-out
        asyncio.get_running_loop().call_later(0.2, other.execute, "COMMIT")

        assert await migrate.upgrade(f"sqlite:///{file}")


async def test_a_failing_migration_leaves_the_database_as_it_was(empty_database_url):
    def broken_halfway(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await migrate._alone(empty_database_url, broken_halfway)

    assert await ask(empty_database_url, tables) == set()


def test_there_is_one_newest_revision():
    assert len(ScriptDirectory(str(migrate._SCRIPTS)).get_heads()) == 1


async def change(url, statement: str, **values):
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            return (
                list((await connection.execute(text(statement), values)).all())
                if "SELECT" in statement
                else (await connection.execute(text(statement), values))
            )
    finally:
        await engine.dispose()


async def test_a_deadline_that_was_a_moment_becomes_the_day_that_it_was_where_the_admin_is(empty_database_url):
    await migrate.upgrade(empty_database_url, "0002")
    policy = {"first_after_days": 2, "deadline": "2026-04-01T23:59:00+09:00"}
    columns = {
        "company": "acme", "state": "active", "name": "Acme", "enterprise_key": "acme", "region": "eu",
        "login_url": "https://sonarcloud.io", "provisioning": "jit", "former_sign_in": "[]", "organizations": "[]",
        "created_by": "ada",
    }  # fmt: skip
    names = ", ".join(
        ["id", *columns, "groups_exist", "domain_verified", "uses_tokens", "policy", "created_at", "version"]
    )
    marks = ", ".join(
        [":id", *(f":{name}" for name in columns), "false", "false", "false", ":policy", ":created_at", "1"]
    )
    for rollout_id, each in (("r1", policy), ("r2", {**policy, "deadline": None})):
        await change(
            empty_database_url,
            f"INSERT INTO rollout ({names}) VALUES ({marks})",
            id=rollout_id, policy=json.dumps(each), created_at=datetime(2026, 3, 1, tzinfo=UTC), **columns | {"enterprise_key": rollout_id},
        )  # fmt: skip

    await migrate.upgrade(empty_database_url)

    async def policies():
        found = await change(empty_database_url, "SELECT policy FROM rollout ORDER BY id")
        return [json.loads(row.policy) if isinstance(row.policy, str) else row.policy for row in found]

    assert [each["deadline"] for each in await policies()] == ["2026-04-01", None]
    await migrate.downgrade(empty_database_url, "0002")
    assert [each["deadline"] for each in await policies()] == ["2026-04-01T23:59:00Z", None]


async def test_an_older_version_works_with_a_database_that_a_newer_one_has_changed(empty_database_url):
    """A replica of the old version that is started again during an upgrade."""
    await migrate.upgrade(empty_database_url)

    def newer(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE rollout ADD COLUMN of_the_future VARCHAR"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()

    await ask(empty_database_url, newer)
    assert not await migrate.upgrade(empty_database_url)
    assert await migrate.current(empty_database_url) == "9999"
    with pytest.raises(ValueError, match="at 9999, which a newer version made"):
        await migrate.downgrade(empty_database_url, "0001")
    store = Database(empty_database_url)
    try:
        await rolled_out(store)
        assert len(await stored(store, Rollout)) == 1
    finally:
        await store.close()


def shape(connection: Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """Each table's columns: their type, and whether a row can do without naming them."""
    inspector: Inspector = inspect(connection)
    return {
        table: {
            column["name"]: (str(column["type"]), bool(column["nullable"] or column["default"] is not None))
            for column in inspector.get_columns(table)
        }
        for table in inspector.get_table_names()
    }


def uniqueness(connection: Connection) -> set[tuple[str, str]]:
    inspector: Inspector = inspect(connection)
    made = {
        (table, str(rule["name"]))
        for table in inspector.get_table_names()
        for rule in (*inspector.get_unique_constraints(table), *inspector.get_indexes(table))
        if rule.get("unique", True)
    }
    return made | {(table, rule) for table in inspector.get_table_names() for rule in rules_of(inspector, table)}


def rules_of(inspector: Inspector, table: str) -> list[str]:
    return [str(rule["name"]) for rule in inspector.get_check_constraints(table)]


async def test_newer_migrations_only_add_what_an_older_replica_can_do_without(empty_database_url):
    """So that both can run side by side while one replica after the other is upgraded (tests/rolling)."""
    await migrate.upgrade(empty_database_url, "0016")
    before, rules_before = await ask(empty_database_url, shape), await ask(empty_database_url, uniqueness)
    await migrate.upgrade(empty_database_url)
    after, rules_after = await ask(empty_database_url, shape), await ask(empty_database_url, uniqueness)
    for table, columns in before.items():
        assert columns.items() <= after[table].items(), table
        added = after[table].keys() - columns.keys()
        assert all(after[table][name][1] for name in added), (table, added)
    assert {(table, rule) for table, rule in rules_after if table in before} <= rules_before


def revisions() -> list[str]:
    """From the first to the newest."""
    script = ScriptDirectory(str(migrate._SCRIPTS))
    return [each.revision for each in reversed(list(script.walk_revisions()))]


def made_up(column: dict) -> object:
    """Something that a column of this type takes."""
    kind = str(column["type"]).upper()
    if column["nullable"]:
        return None
    if "JSON" in kind:
        return "[]"
    if "BOOL" in kind:
        return False
    if "INT" in kind:
        return 1
    return datetime(2026, 3, 1, tzinfo=UTC) if "TIME" in kind else "x"


def fill_the_rest(connection: Connection) -> None:
    """A row of whatever is made up in every table that has none."""
    inspector: Inspector = inspect(connection)
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    for table in METADATA.sorted_tables:
        if connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar():
            continue
        columns = {each["name"]: made_up(each) for each in inspector.get_columns(table.name)}
        columns |= {name: known for name, known in KNOWN.items() if name in columns}
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(f":{name}" for name in columns)
        kinds = {each["name"]: str(each["type"]).upper() for each in inspector.get_columns(table.name)}
        if connection.dialect.name == "postgresql":
            marks = ", ".join(f"CAST(:{name} AS JSON)" if "JSON" in kinds[name] else f":{name}" for name in columns)
        connection.execute(text(f"INSERT INTO {table.name} ({names}) VALUES ({marks})"), columns)
    connection.commit()


KNOWN = {"rollout_id": "r1", "wave_id": "w1", "person_id": "slack:T1:ada", "workspace_id": "slack:T1"}
KNOWN |= {"first_invitation_id": "i1"}


def counts(connection: Connection) -> dict[str, int]:
    return {
        table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables(connection)
    }


def told(connection: Connection) -> list[list[object]]:
    """What every version has of people, invitations and messages."""
    questions = (
        "SELECT id, workspace_id, user_id, name, email, time_zone, locale, channel_id FROM person ORDER BY id",
        "SELECT id, company, name, enterprise_key, region, login_url, version FROM rollout ORDER BY id",
        "SELECT id, rollout_id, person_id, identity, wave_id, reminders, version FROM invitation ORDER BY id",
        "SELECT id, key, kind, lane, state, attempt, channel_id, message_id FROM delivery ORDER BY id",
    )
    return [[tuple(row) for row in connection.execute(text(each))] for each in questions]


async def test_every_migration_takes_the_rows_along_down_and_up_again(empty_database_url):
    await migrate.upgrade(empty_database_url)
    store = Database(empty_database_url)
    invitations = await invite(store)
    async with store.transaction() as tx:
        await tx.save(check(invitations[0]))
        await tx.save(case_of(invitations[1]))
        await tx.people.set_channels({"slack:T1:ada": "D1"})
    await store.close()
    await ask(empty_database_url, fill_the_rest)
    before, rows = await ask(empty_database_url, told), await ask(empty_database_url, counts)
    assert set(rows) == set(METADATA.tables)
    assert all(rows.values())

    first, *later = revisions()
    for revision in reversed([first, *later[:-1]]):
        await migrate.downgrade(empty_database_url, revision)
        there = await ask(empty_database_url, counts)
        assert there == {table: rows[table] for table in there}, revision
    assert await ask(empty_database_url, told) == before
    kept = await ask(empty_database_url, counts)
    for revision in later:
        await migrate.upgrade(empty_database_url, revision)
        there = await ask(empty_database_url, counts)
        assert {table: there[table] for table in kept} == kept, revision
    assert await ask(empty_database_url, told) == before
    await migrate.downgrade(empty_database_url, first)
    await migrate.upgrade(empty_database_url)
    assert await ask(empty_database_url, told) == before
    store = Database(empty_database_url)
    assert [each.id for each in await stored(store, Rollout)] == ["r1"]
    assert len(await stored(store, Invitation)) == 3
    await store.close()
