"""What one platform shows the other shows too: every message and form, with the same words, fields and buttons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.slack.forms import Opener, field_errors, form_view, home_view, message_view
from adapters.slack.render import message_content
from adapters.teams.card_data import read_press
from adapters.teams.forms import form_card
from adapters.teams.render import Pen, message_activity, message_card
from bot.conversations import CONVERSATIONS
from bot.messages import FORM, MESSAGE, Form, LinkButton, Message, Token
from bot.texts import Reader, say
from tests.samples import COMPANIES, Sample, samples

READERS = (Reader(), Reader("de-AT", "Asia/Kolkata"))
MESSAGES = [sample for sample in samples() if isinstance(sample.shown, Message)]
FORMS = [sample for sample in samples() if isinstance(sample.shown, Form)]


def name(sample: Sample) -> str:
    return sample.name


def parts(drawn: Any) -> Iterator[dict[str, Any]]:
    """Every object in what a platform is sent."""
    if isinstance(drawn, dict):
        yield drawn
        for value in drawn.values():
            yield from parts(value)
    elif isinstance(drawn, list):
        for value in drawn:
            yield from parts(value)


def slack_tokens(drawn: Any) -> set[Token]:
    return {Token.unpack(part["value"]) for part in parts(drawn) if part.get("type") == "button" and "value" in part}


def teams_tokens(drawn: Any) -> set[Token]:
    pressable = {name: value for name, value in drawn.items() if name != "refresh"}  # Teams presses that one itself
    pressed = [read_press(part["data"]) for part in parts(pressable) if part.get("type") == "Action.Execute"]
    return {each.token for each in pressed if each is not None}


def message(sample: Sample) -> Message:
    assert isinstance(sample.shown, Message)
    return sample.shown


def form(sample: Sample) -> Form:
    assert isinstance(sample.shown, Form)
    return sample.shown


def test_every_conversation_is_shown_by_a_sample_for_every_company() -> None:
    for company in COMPANIES:
        assert {sample.conversation for sample in samples() if sample.name.startswith(company.name)} == set(
            CONVERSATIONS
        )


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.locale)
def test_every_message_can_be_shown_on_both_platforms(reader: Reader) -> None:
    for sample in MESSAGES:
        on_slack, on_teams = message_content(message(sample), reader), message_activity(message(sample), reader)
        assert on_slack["blocks"], sample.name
        assert on_slack["text"], sample.name
        assert on_teams["attachments"][0]["content"]["body"], sample.name
        assert on_teams["summary"], sample.name


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.locale)
def test_every_form_can_be_shown_on_both_platforms(reader: Reader) -> None:
    for sample in FORMS:
        view = form_view(form(sample), reader, Opener("C1", "1.2", "https://hooks.example/1"))
        card = form_card(form(sample), reader)
        assert view["blocks"], sample.name
        assert view["submit"], sample.name
        assert card["body"], sample.name


def test_every_message_can_stand_in_slacks_home_tab_and_in_a_modal() -> None:
    for sample in MESSAGES:
        assert 0 < len(home_view(message(sample), Reader())["blocks"]) <= 100
        assert 0 < len(message_view(message(sample), Reader())["blocks"]) <= 100


def test_both_platforms_have_the_same_buttons() -> None:
    for sample in MESSAGES:
        meant = {each.token for each in message(sample).buttons if not isinstance(each, LinkButton)}
        links = {each.token for each in message(sample).buttons if isinstance(each, LinkButton) and each.token}
        assert slack_tokens(message_content(message(sample), Reader())) - links == meant, sample.name
        assert teams_tokens(message_card(message(sample), Reader())) == meant, sample.name


def test_both_platforms_have_the_same_links() -> None:
    for sample in MESSAGES:
        urls = {each.url for each in message(sample).buttons if isinstance(each, LinkButton)}
        on_slack = {part["url"] for part in parts(message_content(message(sample), Reader())) if "url" in part}
        on_teams = {part["url"] for part in parts(message_card(message(sample), Reader())) if "url" in part}
        assert on_slack == on_teams == urls, sample.name


def test_both_platforms_have_the_same_form_buttons() -> None:
    for sample in FORMS:
        shown = form(sample)
        meant = {each.token for each in shown.buttons}
        assert slack_tokens(form_view(shown, Reader(), Opener())) == meant, sample.name
        own = {shown.token} | ({shown.cancel} if shown.cancel else set())  # a modal has these two anyway
        assert teams_tokens(form_card(shown, Reader())) == meant | own, sample.name


def test_both_platforms_ask_for_the_same_fields() -> None:
    for sample in FORMS:
        shown = form(sample)
        labels = [say(each.label, Reader()) for each in shown.fields]
        inputs = [part for part in parts(form_view(shown, Reader(), Opener())) if part.get("type") == "input"]
        assert [part["label"]["text"] for part in inputs] == labels, sample.name
        named = [part for part in parts(form_card(shown, Reader())) if str(part.get("type")).startswith("Input.")]
        assert [part["id"] for part in named] == [each.name for each in shown.fields], sample.name


def test_both_platforms_show_what_is_wrong_with_a_field() -> None:
    wrong = [sample for sample in FORMS if form(sample).errors]
    assert wrong
    for sample in wrong:
        on_slack = field_errors(form(sample), Reader())
        on_teams = [str(part.get("text")) for part in parts(form_card(form(sample), Reader()))]
        assert on_slack is not None
        assert len(on_slack) == len(form(sample).errors or {})
        for field, error in (form(sample).errors or {}).items():
            assert field in {each.name for each in form(sample).fields}, sample.name
            said = say(error, Reader())
            assert said[:140] in {each[:140] for each in on_slack.values()}, sample.name
            assert Pen(Reader()).marked(error)[:200] in {each[:200] for each in on_teams}, sample.name


def test_nobodys_words_become_a_mention_or_a_link() -> None:
    """The samples of the large company are full of attempts."""
    for sample in MESSAGES:
        on_slack = json.dumps(message_content(message(sample), Reader()))
        assert "<!channel>" not in "".join(
            str(part["text"]) for part in parts(json.loads(on_slack)) if part.get("type") == "mrkdwn"
        )
        assert not [
            part
            for part in parts(json.loads(on_slack))
            if part.get("type") == "mrkdwn" and "<https://evil.example" in str(part.get("text"))
        ], sample.name
        cards = [
            str(part["text"])
            for part in parts(message_card(message(sample), Reader()))
            if part.get("type") == "TextBlock"
        ]
        assert not [words for words in cards if "](https://evil.example" in words], sample.name


def test_every_message_and_form_survives_being_stored() -> None:
    for sample in MESSAGES:
        assert MESSAGE.validate_json(MESSAGE.dump_json(message(sample))) == message(sample), sample.name
    for sample in FORMS:
        assert FORM.validate_json(FORM.dump_json(form(sample))) == form(sample), sample.name


def test_what_was_stored_with_an_unknown_field_is_refused_at_any_depth() -> None:
    for adapter, shown in [(MESSAGE, message(MESSAGES[0])), (FORM, form(FORMS[0]))]:
        whole = json.loads(adapter.dump_json(shown))
        for where in (whole, whole["title"], (whole.get("buttons") or [whole["submit"]])[0]):
            where["unknown"] = 1
            with pytest.raises(ValidationError, match="unknown"):
                adapter.validate_json(json.dumps(whole))
            del where["unknown"]
        assert adapter.validate_json(json.dumps(whole)) == shown


def test_every_token_survives_the_way_to_the_platform_and_back() -> None:
    tokens = {each.token for sample in samples() for each in sample.shown.buttons if each.token is not None}
    tokens |= {form(sample).token for sample in FORMS}
    for token in tokens:
        assert Token.unpack(token.pack()) == token
        assert len(token.pack()) <= 150, "room for longer ids"


@given(st.text(), st.text(), st.text(), st.integers(0, 10**9))
def test_a_token_that_would_not_survive_is_refused(
    conversation: str, action: str, subject: str, version: int
) -> None:
    token = Token(conversation, action, subject, version)
    try:
        packed = token.pack()
    except ValueError:
        assert "|" in conversation + action + subject or len(f"{conversation}{action}{subject}{version}") > 252
    else:
        assert Token.unpack(packed) == token


@pytest.mark.parametrize("packed", ["", "a|b|c", "a|b|c|d", "a|b|c|-1", "a|b|c|1|2", "a|b|c|", "x" * 300, "a|b|c|²"])
def test_what_is_no_token_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Token.unpack(packed)
