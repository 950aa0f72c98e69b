"""What somebody typed behind the slash command, as words and targets.

With `should_escape` in the manifest Slack writes who was mentioned: `<@U1|name>`, `<#C1|name>`,
`<!subteam^S1|@handle>`, `<mailto:a@b.c|a@b.c>`
(docs.slack.dev/interactivity/implementing-slash-commands, "Escaping").
"""

from __future__ import annotations

import re
from html import unescape

from bot.events import Target, TargetKind

_TOKEN = re.compile(r"<(?P<sent>[^<>]*)>|(?P<typed>[^\s<>]+)")
_EMAIL = re.compile(r"[^@\s<>|]+@[^@\s<>|]+\.[^@\s<>|]+")
_SEPARATORS = (",", ";")
_EVERYBODY_HERE = {"!here", "!channel"}


def words_of(text: str, here: Target | None = None) -> tuple[str | Target, ...]:
    """The command's words in order. `@channel` and `@here` mean the channel `here` that it was written in."""
    words: list[str | Target] = []
    for token in _TOKEN.finditer(text):
        if token["sent"] is not None:
            words.append(_mention(token["sent"], here))
        else:
            words.extend(_typed(unescape(token["typed"])))
    return tuple(word for word in words if word and word not in _SEPARATORS)


def plain_text(text: str) -> str:
    """A message's text as it was typed: mentions and links as words."""
    return unescape(re.sub(r"<([^<>]*)>", lambda match: _label(match[1]), text)).strip()


def _mention(sent: str, here: Target | None) -> str | Target:
    reference, _, label = sent.partition("|")
    label = unescape(label)
    if reference.startswith(("@U", "@W")):
        return Target(TargetKind.PERSON, reference[1:], f"@{label.removeprefix('@') or reference[1:]}")
    if reference.startswith("#"):
        return Target(TargetKind.CHANNEL, reference[1:], f"#{label or reference[1:]}")
    if reference.startswith("!subteam^"):
        group = reference.removeprefix("!subteam^")
        return Target(TargetKind.GROUP, group, f"@{label.removeprefix('@') or group}")
    if reference.startswith("mailto:"):
        return _email(unescape(label or reference.removeprefix("mailto:")))
    if reference in _EVERYBODY_HERE and here is not None:
        return Target(here.kind, here.id, f"@{reference[1:]}")
    return _label(sent)


def _typed(word: str) -> list[str | Target]:
    """A word that Slack's client did not turn into a mention: it may still name somebody, if only by mistake."""
    if not re.search(r"[@#]", word):
        return [word]
    parts = [part for part in re.split(r"[,;]", word) if part]
    return [_named(part) for part in parts]


def _named(word: str) -> str | Target:
    if _EMAIL.fullmatch(word):
        return _email(word)
    if re.fullmatch(r"@[\w.\-]+", word):
        return Target(TargetKind.GROUP, word[1:], word)
    if re.fullmatch(r"#[\w.\-]+", word):
        return Target(TargetKind.CHANNEL, word[1:], word)
    return word


def _email(address: str) -> Target:
    return Target(TargetKind.EMAIL, address.casefold(), address)


def _label(sent: str) -> str:
    """`https://…|text`, `@U1|name`, `!here`: what a reader sees."""
    reference, _, label = sent.partition("|")
    if reference.startswith("!"):
        return label or f"@{reference[1:].partition('^')[0]}"
    if reference.startswith("@"):
        return f"@{label.removeprefix('@') or reference[1:]}"
    if reference.startswith("#"):
        return f"#{label or reference[1:]}"
    # An address stands for itself: its label may say something else.
    return unescape(reference.removeprefix("mailto:"))
