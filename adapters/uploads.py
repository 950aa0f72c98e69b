"""A list of people as an admin hands it in: the e-mail addresses of a CSV or text file, line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from bot.commands import EMAIL
from bot.events import Target, TargetKind
from bot.secrets import redact

MOST_BYTES = 1_000_000  # below the server's own limit for a body
MOST_PEOPLE = 20_000
SHOWN = 80  # characters of a line that is no address
DELIMITERS = ";\t,"


class Unreadable(Exception):
    """The file is no text, or has too much in it. Its text says so to the admin."""


@dataclass(frozen=True)
class Addresses:
    """What was found: a target for each address and for each line without one; how many of each."""

    targets: tuple[Target, ...]
    people: int
    without: int


def addresses_in(data: bytes) -> Addresses:
    """The first address of each line, each address once. A first line without one is a heading, and empty lines are
    nothing; any other line without one is reported. Raises Unreadable.
    """
    found: dict[str, Target] = {}
    without: list[Target] = []
    for number, cells in _rows(_text(data)):
        address = next((cell for cell in cells if EMAIL.match(cell)), None)
        if address is not None:
            found.setdefault(address.casefold(), Target(TargetKind.EMAIL, address.casefold(), f"{number}: {address}"))
        elif number > 1 and any(cells):
            words = redact(" ".join(filter(None, cells)))[:SHOWN]
            without.append(Target(TargetKind.LINE, "", f"{number}: {words}"))
        if len(found) + len(without) > MOST_PEOPLE:
            raise Unreadable(f"That file has more than {MOST_PEOPLE:,} lines. Divide it.")
    return Addresses((*found.values(), *without), len(found), len(without))


def _text(data: bytes) -> str:
    """UTF-8 as spreadsheets write it, UTF-16 as some do, or else Windows' own (every byte is a letter there)."""
    for each in ("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "cp1252"):
        try:
            text = data.decode(each)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable("That file is no text. Save the list as CSV, or as one address a line.")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines with their numbers, as cells without quotes and spaces around them."""
    first = text[:10_000]
    delimiter = max(DELIMITERS, key=first.count)
    lines = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for cells in lines:
            yield lines.line_num, [cell.strip().strip("<>") for cell in cells]
    except csv.Error:
        raise Unreadable(f"Line {lines.line_num} cannot be read: is a quotation mark missing?") from None
