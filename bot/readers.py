"""How a person reads what is written to them."""

from __future__ import annotations

from bot.model import Person
from bot.texts import Reader
from bot.transition import Spoken


def reader_of(person: Person, reply: Spoken | None = None) -> Reader:
    """In the language that they have chosen, or their chat's. `reply`, if given, knows from the database what they
    have chosen; a person whom a platform tells of does not.
    """
    chosen = person.language if reply is None else reply.language
    return Reader(chosen or person.locale, person.time_zone)
