"""Lists of people as spreadsheets write them, and as they should not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.uploads import MOST_PEOPLE, Unreadable, addresses_in
from bot.events import TargetKind


def labels(data: bytes | str) -> list[str]:
    return [each.label for each in addresses_in(data.encode() if isinstance(data, str) else data).targets]


@pytest.mark.parametrize(
    "data",
    [
        "ada@acme.example\nben@acme.example\n",
        "ada@acme.example\r\nben@acme.example",
        "ada@acme.example\rben@acme.example",
        "\ufeffada@acme.example\nben@acme.example",
        " ada@acme.example \n<ben@acme.example>",
        '"Lovelace, Ada",ada@acme.example\n"Ben ""B""",ben@acme.example\n',
        "Ada;ada@acme.example;x@y.example\nBen;ben@acme.example;;\n",
        "Ada\tada@acme.example\nBen\tben@acme.example\n",
        "ada@acme.example\nben@acme.example\n".encode("utf-16"),
        "Zoë,ada@acme.example\nÆon,ben@acme.example\n".encode("cp1252"),
    ],
)
def test_the_first_address_of_each_line(data: bytes | str) -> None:
    assert labels(data) == ["1: ada@acme.example", "2: ben@acme.example"]


def test_a_heading_and_empty_lines_are_nothing_and_other_lines_are_told() -> None:
    found = addresses_in(b"E-mail address\nada@acme.example\n\n ; ; \nBen\n")
    assert [(each.kind, each.label) for each in found.targets] == [
        (TargetKind.EMAIL, "2: ada@acme.example"),
        (TargetKind.LINE, "5: Ben"),
    ]
    assert (found.people, found.without) == (1, 1)


def test_an_address_counts_once_whatever_its_letters() -> None:
    found = addresses_in(b"Ada@acme.example\nada@ACME.example\n")
    assert [(each.id, each.label) for each in found.targets] == [("ada@acme.example", "1: Ada@acme.example")]


def test_a_secret_in_a_line_goes_no_further() -> None:
    token = "squ_" + "0123456789" * 4
    assert token not in str(addresses_in(f"ada@acme.example\nmy token {token}\n".encode()).targets)


def test_too_many_are_refused() -> None:
    lines = "\n".join(f"p{number}@acme.example" for number in range(MOST_PEOPLE + 1))
    with pytest.raises(Unreadable, match="more than 20,000 lines"):
        addresses_in(lines.encode())


@given(st.binary(max_size=500))
def test_any_bytes_are_a_list_or_are_told_to_be_none(data: bytes) -> None:
    with suppress(Unreadable):
        found = addresses_in(data)
        assert found.people + found.without == len(found.targets)
