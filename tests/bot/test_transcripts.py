"""What every conversation says and does, word for word, is what its transcript holds.

A transcript is for reading: whoever changes a sentence, a button or what is stored sees in the difference whom it
reaches. `make transcripts` writes them anew.
"""

from __future__ import annotations

import pytest

from tests.samples import MAKERS
from tests.transcript import DIRECTORY, transcript


@pytest.mark.parametrize("conversation", MAKERS)
def test_people_read_what_the_transcript_says(conversation: str) -> None:
    assert transcript(conversation) == (DIRECTORY / f"{conversation}.txt").read_text(encoding="utf-8")


def test_every_transcript_is_a_conversations() -> None:
    assert {path.stem for path in DIRECTORY.iterdir()} == set(MAKERS)
