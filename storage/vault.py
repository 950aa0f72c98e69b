"""Secrets at rest: what is sealed in the database can be read with the keys of USHER_SECRET_KEY only."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Column, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.columns import SEALED
from storage.database import create_engine
from storage.errors import connecting
from storage.tables import DELIVERY, PERSON, SEALING, WAVE, WORKSPACE

_PURPOSE = b"SSO Usher: secrets at rest, 1"
CONVERSATIONS = (WORKSPACE.c.service_url, PERSON.c.channel_id, WAVE.c.channel_id, DELIVERY.c.channel_id)
BATCH = 1000
MOST_REMEMBERED = 10_000  # addresses: about four megabytes


class Unreadable(Exception):
    """None of the keys opens it: it was sealed with another one, or changed since."""


class Vault:
    """The first key seals, every key opens. Keys are words of 32 characters or more, as they stand in the setting.

    A key's 256 bits are HKDF-SHA256 of the word, without salt, for this purpose alone (RFC 5869, section 3.1: the
    words are random, not passwords). What is sealed is a Fernet token: AES-128-CBC with HMAC-SHA256.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(_derived(word)) for word in words])
        self._remembered = lru_cache(maxsize=MOST_REMEMBERED)(self._opened)

    def seal(self, plain: str) -> str:
        """Encrypted, with the newest key."""
        return self._keys.encrypt(plain.encode()).decode()

    def opened(self, sealed: str) -> str | None:
        """Decrypted; None when no key opens it. Remembered: a person's and a workspace's address are read with
        everything that they do.
        """
        return self._remembered(sealed)

    def _opened(self, sealed: str) -> str | None:
        try:
            return self.open(sealed)
        except Unreadable:
            return None

    def open(self, sealed: str) -> str:
        """Decrypted. Raises Unreadable."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable from None


def _derived(word: str) -> bytes:
    return urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(word.encode()))


async def rotate(url: str, vault: Vault, now: datetime) -> int:
    """Seal everything anew with the newest key, and what is not sealed yet; returns how many secrets. From now on,
    replicas that start seal what they write.

    Raises Unreadable, and then has changed no workspace's token; bot.ports.StoreUnavailable.
    """
    engine = create_engine(url)
    try:
        async with AsyncExitStack() as stack:
            with connecting():
                connection = await stack.enter_async_context(engine.begin())
            sealed = select(WORKSPACE.c.id, WORKSPACE.c.secret).where(WORKSPACE.c.secret.is_not(None))
            rows = list(await connection.execute(sealed.with_for_update()))
            for row in rows:
                anew = vault.seal(vault.open(row.secret))
                await connection.execute(update(WORKSPACE).where(WORKSPACE.c.id == row.id).values(secret=anew))
        count = len(rows)
        for column in CONVERSATIONS:
            count += await _sealed_anew(engine, column, vault)
        async with engine.begin() as connection:
            if (await connection.execute(select(SEALING))).first() is None:
                await connection.execute(insert(SEALING).values(since=now))
        return count
    finally:
        await engine.dispose()


async def _sealed_anew(engine: AsyncEngine, column: Column[str], vault: Vault) -> int:
    """A few rows at a time: the bot goes on meanwhile. The engine has no vault and shows what is stored."""
    table, count, after = column.table, 0, ""
    change = update(table).where(table.c.id == bindparam("of")).values({column.name: bindparam("anew")})
    while True:
        async with engine.begin() as connection:
            some = select(table.c.id, column).where(column != "", table.c.id > after).order_by(table.c.id)
            rows = list(await connection.execute(some.limit(BATCH).with_for_update()))
            if not rows:
                return count
            anew = [{"of": key, "anew": vault.seal(_plain(stored, vault))} for key, stored in rows]
            await connection.execute(change, anew)
        count, after = count + len(rows), rows[-1].id


def _plain(stored: str, vault: Vault) -> str:
    return vault.open(stored) if stored.startswith(SEALED) else stored
