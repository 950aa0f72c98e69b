"""A pasted token is recognised; a commit id is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.secrets import REDACTED, holds_secret, redact

HEX = "0123456789abcdef0123456789abcdef01234567"
ALNUM = "aZ9" * 20


@pytest.mark.parametrize(
    "token", [f"sqp_{HEX}", f"squ_{HEX}", f"sqa_{HEX}", f"sqco_{ALNUM[:59]}", f"sqc_{ALNUM[:40]}", f"sqcb_{ALNUM}"]
)
@pytest.mark.parametrize(
    "around", ["{}", "my token is {}.", "curl -u {}: https://sonarcloud.io", "(`{}`)", "a\n{}\nb"]
)
def test_a_prefixed_token_is_found_anywhere(token: str, around: str) -> None:
    assert redact(around.format(token)) == around.format(REDACTED)


@pytest.mark.parametrize(
    "written",
    [
        HEX,
        f"  {HEX}\n",
        f"token: {HEX}",
        f"Token={HEX}",
        f"sonar.token={HEX}",
        f"SONAR_TOKEN={HEX}",
        f"-Dsonar.login={HEX}",
        f"Authorization: Bearer {HEX}",
        f"my recovery password is {HEX}",
    ],
)
def test_a_bare_token_is_found_by_the_words_around_it(written: str) -> None:
    assert holds_secret(written)
    assert HEX not in redact(written)


@pytest.mark.parametrize(
    "written",
    [
        f"broken since commit {HEX}",
        f"https://github.example/acme/app/commit/{HEX}",
        "sqp_short",
        f"xsqp_{HEX}",
        f"{HEX}00",
        "I lost my token",
        "sonar.token=",
        "",
    ],
)
def test_what_is_no_token_is_left_alone(written: str) -> None:
    assert redact(written) == written


def test_every_token_is_removed() -> None:
    assert redact(f"sqp_{HEX} and sqa_{HEX}") == f"{REDACTED} and {REDACTED}"


@given(st.text())
def test_removing_twice_removes_no_more(words: str) -> None:
    assert redact(redact(words)) == redact(words)
