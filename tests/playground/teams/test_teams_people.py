import asyncio
from typing import Any

import jwt
import pytest

from adapters.playground.teams import TeamsEmulator
from adapters.playground.teams.inputs import InputRefused
from adapters.playground.teams.seen import NoSuchButton
from tests.playground.teams.small_bot import CARD, SmallBot, card, execute, says, shows, text, with_card


async def shown_to(bot: SmallBot, key: str, content: dict[str, Any]) -> None:
    status, body = await bot.writes(await bot.meets(key), with_card(content))
    assert status == 201, body


async def test_what_somebody_types_reaches_the_bot_with_teams_own_data(teams: TeamsEmulator, bot: SmallBot) -> None:
    mei = teams.person("mei")
    assert (await mei.types("sso setup")).ok
    activity = bot.heard[0]
    assert activity["text"] == "sso setup"
    assert activity["from"] == {
        "id": mei.account.id,
        "name": "Mei Tanaka",
        "aadObjectId": mei.account.aad_object_id,
    }
    assert activity["conversation"] == {
        "id": await bot.meets("mei"),
        "conversationType": "personal",
        "tenantId": teams.tenant.id,
    }
    assert activity["channelData"]["tenant"] == {"id": teams.tenant.id}
    assert (activity["locale"], activity["localTimezone"]) == ("ja-JP", "Asia/Tokyo")
    assert activity["localTimestamp"].endswith("+09:00")
    assert activity["entities"][0]["timezone"] == "Asia/Tokyo"


async def test_a_channel_message_carries_its_mentions(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele, alex = teams.person("adele"), teams.person("alex")
    await adele.types_in("Builds", "@SSO Usher sso invite @Alex @Mei Tanaka @build masters @Engineering")
    activity = bot.heard[0]
    assert activity["text"] == (
        "<at>SSO Usher</at> sso invite <at>Alex Wilber</at> <at>Mei Tanaka</at>"
        " <at>build masters</at> <at>Engineering</at>"
    )
    mentioned = [each["mentioned"] for each in activity["entities"] if each["type"] == "mention"]
    assert mentioned[0] == {"id": activity["recipient"]["id"], "name": "SSO Usher"}
    assert mentioned[1] == {"id": alex.account.id, "name": "Alex Wilber"}
    assert [each.get("type") for each in mentioned] == [None, None, None, "tag", "team"]
    channel, _, thread = activity["conversation"]["id"].partition(";messageid=")
    assert activity["channelData"]["channel"]["id"] == channel
    assert thread == activity["id"]


async def test_a_channel_message_without_a_mention_is_not_heard(teams: TeamsEmulator, bot: SmallBot) -> None:
    assert await teams.person("adele").types_in("General", "has anybody seen the build?") is None
    assert bot.heard == []
    assert teams.person("alex").sees("General")[0].text == "has anybody seen the build?"


async def test_a_press_is_answered_with_a_card_for_that_person_only(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele, alex = teams.person("adele"), teams.person("alex")
    general = teams.tenant.teams[0].id
    question = {"type": "Input.Text", "id": "name", "isRequired": True}
    await bot.writes(general, with_card(card(question, actions=[execute("Next", "setup", step=1)])))
    bot.answer = lambda _: (200, shows(card(text("Step 2"))))
    await adele.presses(adele.sees("General")[0], "Next", {"name": "Acme"})
    activity = bot.heard[0]
    assert (activity["type"], activity["name"]) == ("invoke", "adaptiveCard/action")
    assert activity["value"]["trigger"] == "manual"
    assert activity["value"]["action"]["verb"] == "setup"
    assert activity["value"]["action"]["data"] == {"step": 1, "name": "Acme"}
    assert activity["replyToId"] == adele.sees("General")[0].id
    assert adele.sees("General")[0].words == "Step 2"
    assert alex.sees("General")[0].buttons == ["Next"]
    assert not teams.problems


async def test_a_press_is_answered_with_a_toast(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    await shown_to(bot, "adele", card(actions=[execute("Done", "done")]))
    bot.answer = lambda _: (200, says("Thank you"))
    await adele.presses(adele.chat[-1], "Done")
    assert adele.toasts == ["Thank you"]
    assert adele.chat[-1].buttons == ["Done"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ((500, None), "Unable to reach app. Please try again."),
        ((200, None), "Something went wrong. Please try again."),
        ((200, {"statusCode": 400, "type": "application/vnd.microsoft.error", "value": {"message": "No"}}), "No"),
        (
            (200, {"statusCode": 200, "type": CARD, "value": {"type": "Card"}}),
            "Something went wrong. Please try again.",
        ),
    ],
)
async def test_a_failed_press_is_shown_as_an_error(
    teams: TeamsEmulator, bot: SmallBot, answer: tuple[int, Any], shown: str
) -> None:
    adele = teams.person("adele")
    await shown_to(bot, "adele", card(actions=[execute("Done", "done")]))
    bot.answer = lambda _: answer
    await adele.presses(adele.chat[-1], "Done")
    assert adele.errors == [shown]
    assert adele.chat[-1].error == shown
    assert teams.problems


async def test_a_slow_answer_comes_too_late(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    await shown_to(bot, "adele", card(actions=[execute("Done", "done")]))
    teams.link.invoke_timeout = 0.0
    assert (await adele.presses(adele.chat[-1], "Done")).status == 504
    assert adele.errors == ["Unable to reach app. Please try again."]


async def test_an_old_copy_and_somebody_elses_can_be_pressed(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele, alex = teams.person("adele"), teams.person("alex")
    chat = await bot.meets("adele")
    _, sent = await bot.writes(chat, with_card(card(actions=[execute("Old", "old")])))
    old = adele.chat[-1]
    await bot.edits(chat, sent["id"], with_card(card(actions=[execute("New", "new")])))
    await adele.presses(old, "Old")
    await alex.presses(old, "Old")
    assert [each["value"]["action"]["verb"] for each in bot.heard] == ["old", "old"]
    assert [each["from"]["name"] for each in bot.heard] == ["Adele Vance", "Alex Wilber"]
    with pytest.raises(NoSuchButton):
        await adele.presses(adele.chat[-1], "Old")


async def test_the_same_activity_is_delivered_again(teams: TeamsEmulator, bot: SmallBot) -> None:
    delivery = await teams.person("adele").types("sso help")
    await teams.redeliver(delivery)
    await teams.redeliver_under_new_id(delivery)
    first, second, third = bot.heard
    assert first == second
    assert third["id"] != first["id"]
    assert third["text"] == first["text"]


async def test_buttons_in_nested_cards_send_their_own_inputs(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    inner = card({"type": "Input.Toggle", "id": "inner", "title": "?"}, actions=[execute("Deep", "deep")])
    other = card({"type": "Input.Number", "id": "other", "value": 3}, actions=[execute("Other", "other")])
    await shown_to(
        bot,
        "adele",
        card(
            {"type": "Input.Date", "id": "outer", "value": "2026-01-05"},
            {"type": "Container", "items": [{"type": "ActionSet", "actions": [execute("Top", "top")]}]},
            actions=[
                {"type": "Action.ShowCard", "title": "More", "card": inner},
                {"type": "Action.ShowCard", "title": "Else", "card": other},
                {**execute("Bare", "bare"), "associatedInputs": "none"},
            ],
        ),
    )
    assert adele.chat[-1].buttons == ["Top", "More", "Deep", "Else", "Other", "Bare"]
    await adele.presses(adele.chat[-1], "Deep", {"inner": True})
    await adele.presses(adele.chat[-1], "Top")
    await adele.presses(adele.chat[-1], "Bare")
    assert [each["value"]["action"]["data"] for each in bot.heard] == [
        {"outer": "2026-01-05", "inner": "true"},
        {"outer": "2026-01-05"},
        {},
    ]


async def test_teams_checks_inputs_before_it_sends(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    choices = [{"title": "EU", "value": "eu"}, {"title": "US", "value": "us"}]
    people = {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    await shown_to(
        bot,
        "adele",
        card(
            {"type": "Input.Text", "id": "key", "isRequired": True, "errorMessage": "Enter a key", "maxLength": 5},
            {"type": "Input.ChoiceSet", "id": "region", "choices": choices},
            {"type": "Input.Number", "id": "days", "min": 1},
            {"type": "Input.ChoiceSet", "id": "who", "choices": [], "choices.data": people, "isMultiSelect": True},
            actions=[execute("Next", "next")],
        ),
    )
    for wrong in ({}, {"key": "too long"}, {"key": "a", "region": "mars"}, {"key": "a", "days": 0}, {"nothing": "a"}):
        with pytest.raises(InputRefused):
            await adele.presses(adele.chat[-1], "Next", wrong)
    alex, mei = (teams.tenant.accounts[key] for key in ("alex", "mei"))
    await adele.presses(adele.chat[-1], "Next", {"key": "a", "region": "eu", "who": [alex, mei]})
    assert bot.heard[0]["value"]["action"]["data"] == {
        "key": "a",
        "region": "eu",
        "who": f"{alex.aad_object_id},{mei.aad_object_id}",
    }


async def test_a_link_button_opens_its_address(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    link = {"type": "Action.OpenUrl", "title": "Sign in", "url": "https://sonarcloud.io/"}
    await shown_to(bot, "adele", card(actions=[link]))
    assert await adele.presses(adele.chat[-1], "Sign in") is None
    assert adele.opened == ["https://sonarcloud.io/"]
    assert bot.heard == []


async def test_action_submit_arrives_as_a_message_with_a_value(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    await shown_to(bot, "adele", card(actions=[{"type": "Action.Submit", "title": "Go", "data": {"a": 1}}]))
    await adele.presses(adele.chat[-1], "Go")
    assert (bot.heard[0]["type"], bot.heard[0]["value"]) == ("message", {"a": 1})
    assert bot.heard[0]["replyToId"] == adele.chat[-1].id
    assert "text" not in bot.heard[0]


async def test_a_dialog_opens_steps_and_closes(teams: TeamsEmulator, bot: SmallBot) -> None:
    def step(activity: dict[str, Any]) -> tuple[int, Any]:
        if activity["value"]["data"].get("name") == "Acme":
            return 200, {"task": {"type": "message", "value": "Saved"}}
        form = card({"type": "Input.Text", "id": "name"}, actions=[{"type": "Action.Submit", "title": "Save"}])
        value = {"title": "Setup", "card": {"contentType": CARD, "content": form}}
        return 200, {"task": {"type": "continue", "value": value}}

    adele = teams.person("adele")
    fetch = {"type": "Action.Submit", "title": "Open", "data": {"msteams": {"type": "task/fetch"}}}
    await shown_to(bot, "adele", card(actions=[fetch]))
    bot.answer = step
    await adele.presses(adele.chat[-1], "Open")
    assert adele.dialog.title == "Setup"
    await adele.presses(adele.dialog, "Save", {"name": "Other"})
    await adele.presses(adele.dialog, "Save", {"name": "Acme"})
    assert adele.dialog.message == "Saved"
    assert [each["name"] for each in bot.heard] == ["task/fetch", "task/submit", "task/submit"]
    adele.closes_dialog()
    assert adele.dialog is None


async def test_a_card_with_refresh_asks_for_the_persons_view(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele, alex = teams.person("adele"), teams.person("alex")
    refresh = {"action": execute("", "refresh"), "userIds": [adele.account.id]}
    await bot.writes(teams.tenant.teams[0].id, with_card(card(text("For all"), refresh=refresh)))
    bot.answer = lambda _: (200, shows(card(text("For Adele"))))
    await adele.opens("General")
    await alex.opens("General")
    assert [each["value"]["trigger"] for each in bot.heard] == ["automatic"]
    assert adele.sees("General")[0].words == "For Adele"
    assert alex.sees("General")[0].words == "For all"


async def test_installing_and_removing_are_told_to_the_bot(teams: TeamsEmulator, bot: SmallBot) -> None:
    await teams.person("isaiah").installs()
    await teams.person("isaiah").uninstalls()
    await teams.uninstall_from_team("adele")
    await teams.install_in_team("adele")
    kinds = [(each["type"], each["conversation"]["conversationType"]) for each in bot.heard]
    assert (
        kinds
        == [("conversationUpdate", "personal"), ("installationUpdate", "personal")] * 2
        + [
            ("conversationUpdate", "channel"),
            ("installationUpdate", "channel"),
        ]
        * 2
    )
    assert bot.heard[0]["membersAdded"][0]["id"] == bot.heard[0]["recipient"]["id"]
    assert [each["action"] for each in bot.heard if "action" in each] == ["add", "remove", "remove", "add"]
    assert bot.heard[-2]["channelData"]["team"]["name"] == "Engineering"


async def test_a_bot_that_starts_late_is_told_where_it_is_installed(teams: TeamsEmulator, bot: SmallBot) -> None:
    await teams.announce_installations()
    told = {each["from"]["name"] for each in bot.heard if each["conversation"]["conversationType"] == "personal"}
    assert told == {each.name for each in teams.tenant.accounts.values() if each.installed}


async def test_a_bot_that_is_not_there(teams: TeamsEmulator) -> None:
    delivery = await teams.person("adele").types("hello")
    assert (delivery.ok, delivery.status) == (False, 504)


async def test_a_rotated_key_is_published_and_the_old_one_is_not(teams: TeamsEmulator, bot: SmallBot) -> None:
    old = teams.identity.token_for_bot(teams.service_url)
    assert (await bot.claims(old))["serviceurl"] == teams.service_url
    teams.identity.rotate_key()
    assert (await teams.person("adele").types("hello")).ok
    with pytest.raises(KeyError):
        await bot.claims(old)


async def test_a_token_with_wrong_claims_can_be_made(teams: TeamsEmulator, bot: SmallBot) -> None:
    with pytest.raises(jwt.InvalidAudienceError):
        await bot.claims(teams.identity.token_for_bot(teams.service_url, aud="somebody-else"))


async def test_sixty_people_press_at_once(teams: TeamsEmulator, bot: SmallBot) -> None:
    people = [teams.person(each.key) for each in teams.add_people(60)]
    bot.answer = lambda activity: (200, says(activity["from"]["name"]))
    for each in people:
        await shown_to(bot, each.account.key, card(actions=[execute("Done", "done")]))
    await asyncio.gather(*(each.presses(each.chat[-1], "Done") for each in people))
    assert [each.toasts for each in people] == [[each.account.name] for each in people]
