"""What somebody typed behind the command."""

from __future__ import annotations

import pytest

from adapters.slack.command_text import plain_text, words_of
from bot.events import Target, TargetKind

HERE = Target(TargetKind.CHANNEL, "C9", "#here")
ANN = Target(TargetKind.PERSON, "U1", "@ann")
TEAM = Target(TargetKind.GROUP, "S1", "@team")
ROOM = Target(TargetKind.CHANNEL, "C1", "#room")
MAIL = Target(TargetKind.EMAIL, "a@b.co", "A@b.co")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", ()),
        ("  help  ", ("help",)),
        ("invite <@U1|ann> <!subteam^S1|@team> <#C1|room>", ("invite", ANN, TEAM, ROOM)),
        ("invite <@U1|ann>,<!subteam^S1|team>", ("invite", ANN, TEAM)),
        ("invite <@W1>", ("invite", Target(TargetKind.PERSON, "W1", "@W1"))),
        ("invite <#C1|>", ("invite", Target(TargetKind.CHANNEL, "C1", "#C1"))),
        ("invite <mailto:A@b.co|A@b.co>", ("invite", MAIL)),
        ("invite A@b.co;A@b.co,", ("invite", MAIL, MAIL)),
        ("invite @no-such.team", ("invite", Target(TargetKind.GROUP, "no-such.team", "@no-such.team"))),
        ("invite #no_room", ("invite", Target(TargetKind.CHANNEL, "no_room", "#no_room"))),
        (
            "invite <!channel> <!here>",
            ("invite", Target(HERE.kind, "C9", "@channel"), Target(HERE.kind, "C9", "@here")),
        ),
        ("invite <!everyone>", ("invite", "@everyone")),
        ("exempt <@U1|ann> on leave, back &gt; 1 May", ("exempt", ANN, "on", "leave,", "back", ">", "1", "May")),
        ("x <https://sonarcloud.io|nice>", ("x", "https://sonarcloud.io")),
        ("x &lt;!channel&gt;", ("x", "<!channel>")),
        ("x @ # <> a@b", ("x", "@", "#", "a@b")),
    ],
)
def test_words_and_targets_come_in_their_order(typed, words):
    assert words_of(typed, HERE) == words


def test_at_channel_in_a_direct_message_is_a_word():
    assert words_of("invite <!channel>") == ("invite", "@channel")


def test_a_message_reads_as_it_was_typed():
    sent = "hi <@U1>, see <https://a.example|b> &amp; <#C1|room> <!here> <mailto:a@b.co|a@b.co> 1 &lt; 2"
    assert plain_text(sent) == "hi @U1, see https://a.example & #room @here a@b.co 1 < 2"
