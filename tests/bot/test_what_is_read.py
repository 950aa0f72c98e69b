"""What conversations read from the database before they decide: through the engine, on the real store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.conversations.status import PAGE
from bot.conversations.status_waves import A_PAGE
from bot.engine import Engine
from bot.events import HomeOpened, ListHandedIn, Target, TargetKind
from bot.messages import LineChart, PersonField, Token
from bot.model import (
    Case,
    CaseState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dialog,
    Invitation,
    LookUp,
    Person,
    Rollout,
    RolloutState,
    Wave,
    Wish,
    derived_id,
)
from bot.ports import Reason
from bot.roles import Admins
from bot.transition import Reply
from storage.database import Database
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NOON,
    button,
    command,
    event_id,
    form_of,
    keys,
    mention,
    message_of,
    person,
    press,
    rollout,
    submit,
    words,
    workspace,
)
from tests.doubles import StoppedClock
from tests.rows import changed, installed, invited_people, listed, rolled_out, stored

ELSEWHERE = person("mallory", "slack:T9", is_workspace_admin=True)


@pytest.fixture
def engine(store: Database) -> Engine:
    return Engine(store, StoppedClock(), Admins.of(""))


def of(who: Person) -> str:
    """The id of their invitation."""
    return derived_id(rollout().id, who.identity)


async def reports(engine: Engine, who: Person, words: str, problem: str = "email_code") -> None:
    await engine(submit(Token("problem", f"describe.{problem}", of(who)), who, description=words))


async def notices(store: Database, to: Person) -> list[str]:
    """What the bot has to say to them, beside the invitation."""
    rows = await stored(store, Delivery)
    return [words(each.content) for each in rows if each.kind is DeliveryKind.NOTICE and each.person_id == to.id]


async def two_have_the_same_problem(store: Database, engine: Engine) -> str:
    """Grace's and Linus's; returns the id of the group."""
    await invited_people(store, GRACE, LINUS)
    await reports(engine, GRACE, "No code came.")
    await reports(engine, LINUS, "Me too.")
    first, second = await stored(store, Case)
    assert first.group_id == second.group_id
    return first.group_id


async def asked(engine: Engine, event: Any) -> Reply:
    reply = await engine(event)
    assert reply is not None
    return reply


async def test_the_admin_who_invited_is_told_once_of_two(store: Database, engine: Engine) -> None:
    await two_have_the_same_problem(store, engine)
    (told,) = await notices(store, ADA)
    assert "2 people have the same problem" in told


async def test_whoever_says_it_again_has_one_case(store: Database, engine: Engine) -> None:
    await two_have_the_same_problem(store, engine)
    await reports(engine, GRACE, "No code came.")
    await reports(engine, GRACE, "Still none.")
    cases = {each.person_id: each for each in await stored(store, Case)}
    assert len(cases) == 2
    assert cases[GRACE.id].description == "No code came.\nStill none."


async def test_after_an_answer_it_is_a_new_case(store: Database, engine: Engine) -> None:
    group = await two_have_the_same_problem(store, engine)
    await engine(submit(Token("case", "send", group, 2), answer="Look among spam."))
    await reports(engine, GRACE, "No code came.")
    mine = [each for each in await stored(store, Case) if each.person_id == GRACE.id]
    assert sorted(each.state for each in mine) == [CaseState.ANSWERED, CaseState.OPEN]


async def test_problems_lists_and_shows_them(store: Database, engine: Engine) -> None:
    group = await two_have_the_same_problem(store, engine)
    await reports(engine, GRACE, "403.", "forbidden")
    listed = message_of(await asked(engine, command("problems")))
    assert button(listed, "one").token == Token("problems", "one", group, 0), "that of most people first"
    assert "2 people" in words(listed)
    one = message_of(await asked(engine, press(Token("problems", "one", group))))
    assert button(one, "answer").token == Token("case", "answer", group, 2)
    again = message_of(await asked(engine, press(Token("problems", "show", rollout().id))))
    assert words(again) == words(listed)


async def test_problems_of_another_rollout_are_shown_by_its_own_buttons_only(store: Database, engine: Engine) -> None:
    group = await two_have_the_same_problem(store, engine)
    newer = rollout(id="rollout-2", enterprise_key="other", created_at=rollout().created_at.replace(year=2027))
    await rolled_out(store, newer)
    assert "problems.none" in keys(message_of(await asked(engine, command("problems"))))
    shown = message_of(await asked(engine, press(Token("problems", "one", group))))
    assert button(shown, "show").token.subject == rollout().id
    others = rollout(id="rollout-1", company="another", version=2)
    async with store.transaction() as tx:
        await tx.save(others)
    hidden = message_of(await asked(engine, press(Token("problems", "one", group))))
    assert "email_code" not in str(hidden)


async def test_an_answer_reaches_both_and_each_can_say_that_it_helped(store: Database, engine: Engine) -> None:
    group = await two_have_the_same_problem(store, engine)
    form = form_of(await asked(engine, press(Token("case", "answer", group))))
    assert form.token == Token("case", "send", group, 2)
    await engine(submit(form.token, answer="Look among spam."))
    for each in (GRACE, LINUS):
        (answer,) = await notices(store, each)
        assert "An answer to your problem" in answer
    await engine(press(Token("solved", "yes", group), GRACE))
    states = {each.person_id: each.state for each in await stored(store, Case)}
    assert states == {GRACE.id: CaseState.SOLVED, LINUS.id: CaseState.ANSWERED}
    (told,) = await notices(store, ADA)
    assert "1 person says that it is solved." in told
    form = form_of(await asked(engine, press(Token("solved", "again", group), LINUS)))
    assert form.token.subject == of(LINUS)


async def test_nobody_solves_what_is_somebody_elses(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    await reports(engine, GRACE, "No code came.")
    (case,) = await stored(store, Case)
    await engine(submit(Token("case", "send", case.group_id, 1), answer="Look among spam."))
    await engine(press(Token("solved", "yes", case.group_id), LINUS))
    (case,) = await stored(store, Case)
    assert case.state is CaseState.ANSWERED


async def test_another_company_reads_and_answers_nothing(store: Database, engine: Engine) -> None:
    group = await two_have_the_same_problem(store, engine)
    await installed(store, workspace("slack:T9", company="other"), people=(ELSEWHERE,))
    await rolled_out(store, rollout(id="theirs", company="other"))
    for event in (
        press(Token("case", "answer", group, 2), ELSEWHERE),
        submit(Token("case", "send", group, 2), ELSEWHERE, answer="Ha."),
        press(Token("problems", "one", group), ELSEWHERE),
        press(Token("wish", "exempt", rollout().id, 1), ELSEWHERE),
        press(Token("wish", "stop", of(GRACE)), ELSEWHERE),
    ):
        assert "No code came." not in str(await engine(event))
    assert {each.state for each in await stored(store, Case)} == {CaseState.OPEN}
    assert {each.wish for each in await stored(store, Invitation)} == {Wish.NONE}


async def test_wishes_are_one_message_and_one_click(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    for who in (GRACE, LINUS, LINUS):
        await engine(press(Token("wish", "not_mine", of(who)), who))
    (told,) = await notices(store, ADA)
    assert "2 people say that they don't use SonarQube Cloud" in told
    assert told.index(LINUS.name) < told.index(GRACE.name)
    stale = await asked(engine, press(Token("wish", "exempt", rollout().id, 1)))
    assert "wish.exempt" in str(stale)
    await engine(press(Token("wish", "exempt", rollout().id, 2)))
    assert all(each.exempt_at for each in await stored(store, Invitation))
    assert {each.version for each in await stored(store, Invitation)} == {2}


async def test_one_persons_status_by_address_wherever_they_are_met(store: Database, engine: Engine) -> None:
    on_teams = person("mei", "teams:X")
    await invited_people(store, GRACE, on_teams)
    for named, who in (
        (command("status", mention(GRACE)), GRACE),
        (command(f"status {GRACE.email}"), GRACE),
        (command(f"status {on_teams.email}"), on_teams),
    ):
        shown = message_of(await asked(engine, named))
        assert who.name in words(shown)
        assert "person.title" in keys(shown)
    nobody = message_of(await asked(engine, command("status someone@else.example")))
    assert "status.not_invited" in keys(nobody)


async def test_the_last_steps_know_their_owner_the_counts_and_whom_to_tell(store: Database) -> None:
    engine = Engine(store, StoppedClock(), Admins.of(f"{ADA.email}, {LINUS.email}"))
    lin = LINUS.model_copy(update={"is_workspace_admin": True})
    await invited_people(store, GRACE, lin)
    await engine(command("finish"))
    (sent,) = await notices(store, ADA)
    assert "Acme" in sent
    of_rollout = rollout()
    step = Token("finish", "save.administer", of_rollout.id)
    await engine(submit(step, state="open", owner=LINUS.user_id))
    shown = words(message_of(await asked(engine, press(Token("finish", "show", of_rollout.id)))))
    assert LINUS.name in shown
    await engine(submit(Token("finish", "ended", of_rollout.id, of_rollout.version), reason="Enough."))
    reports_to = {each.person_id for each in await stored(store, Delivery) if each.kind is DeliveryKind.NOTICE}
    assert {ADA.id, LINUS.id} <= reports_to, "the closing report goes to every admin"


async def test_whose_account_may_go_is_read_for_this_rollout(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    removal = Token("removal", "show", rollout().id)
    before = words(message_of(await asked(engine, press(removal))))
    await engine(submit(Token("removal", "kept", rollout().id), person=GRACE.user_id))
    kept = [each.is_keeper for each in await stored(store, Invitation) if each.person_id == GRACE.id]
    assert kept == [True]
    after = words(message_of(await asked(engine, press(removal))))
    assert before != after


async def test_the_closing_report_can_be_had_of_a_named_rollout_of_this_company_only(store: Database) -> None:
    engine = Engine(store, StoppedClock(), Admins.of(""), public_url="https://usher.example.com")
    await invited_people(store, GRACE)
    made = str(await asked(engine, press(Token("export", "make.report", rollout().id))))
    assert "https://usher.example.com" in made
    await installed(store, workspace("slack:T9", company="other"), people=(ELSEWHERE,))
    theirs = str(await engine(press(Token("export", "make.report", rollout().id), ELSEWHERE)))
    assert "https://usher.example.com" not in theirs
    gone = str(await asked(engine, press(Token("export", "make.report", "gone"))))
    assert "https://usher.example.com" not in gone


async def test_a_wave_of_another_rollout_is_not_touched(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    status = message_of(await asked(engine, press(Token("wave", "status", "wave-1"))))
    assert keys(status)[0] == "status.title"
    assert "0 of 1" in words(status)
    for gone in ("wave-2", ""):
        assert keys(message_of(await asked(engine, press(Token("wave", "pause", gone)))))[0] == "answer.outdated"
    await rolled_out(
        store, rollout(id="rollout-2", enterprise_key="other", created_at=rollout().created_at.replace(year=2027))
    )
    theirs = rollout(company="another", version=2)
    async with store.transaction() as tx:
        await tx.save(theirs)
    assert keys(message_of(await asked(engine, press(Token("wave", "pause", "wave-1")))))[0] == "answer.outdated"


async def test_a_viewer_has_the_status_at_home_and_a_member_has_not(store: Database) -> None:
    engine = Engine(store, StoppedClock(), Admins(frozenset(), viewers=frozenset({LINUS.email})))
    await invited_people(store, GRACE)
    await installed(store, people=(LINUS,))
    for who, key in ((LINUS, "status.title"), (person("mia"), "help.invitee")):
        event = HomeOpened(id=event_id(), workspace_id=who.workspace_id, actor=who)
        shown = message_of(await engine(event))
        assert key in keys(shown)


async def test_who_is_just_being_invited_is_not_greeted_because_the_app_was_installed(store: Database) -> None:
    engine = Engine(store, StoppedClock(), Admins(frozenset({LINUS.email})))
    await invited_people(store, GRACE, LINUS)
    for who in (GRACE, LINUS):
        event = HomeOpened(id=event_id(), workspace_id=who.workspace_id, actor=who, installed=True)
        assert await engine(event) is None
    await changed(store, "delivery", state=DeliveryState.DEAD, reason=Reason.NOT_INSTALLED)
    for who, key in ((GRACE, "invitation.title"), (LINUS, "status.title")):
        event = HomeOpened(id=event_id(), workspace_id=who.workspace_id, actor=who, installed=True)
        assert key in keys(message_of(await engine(event)))


async def test_an_admin_has_the_figures_of_the_rollout_at_home(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    event = HomeOpened(id=event_id(), workspace_id=ADA.workspace_id, actor=ADA)
    assert "0 of 2" in words(message_of(await engine(event)))


async def test_an_admin_of_another_company_exempts_nobody(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    await engine(press(Token("wish", "not_mine", of(GRACE)), GRACE))
    await installed(store, workspace("slack:T9", company="other"), people=(ELSEWHERE,))
    refused = message_of(await asked(engine, press(Token("wish", "exempt", rollout().id, 1), ELSEWHERE)))
    assert keys(refused)[0] == "answer.outdated"
    assert [each.exempt_at for each in await stored(store, Invitation)] == [None]


async def test_who_is_missing_is_shown_a_page_at_a_time(store: Database, engine: Engine) -> None:
    many = [person(f"p{number:02}", name=f"Person {number:02}") for number in range(PAGE + 3)]
    await invited_people(store, *many)
    first, second = [
        words(message_of(await asked(engine, press(Token("status", "missing", rollout().id, page)))))
        for page in (0, 1)
    ]
    assert [name in first for name in ("Person 00", "Person 14", "Person 15")] == [True, True, False]
    assert [name in second for name in ("Person 14", "Person 15", "Person 17")] == [False, True, True]


async def named_in(store: Database, wave: str, group: str, *people: Person, label: str = "") -> None:
    """One invitation command: these people, found in that group."""
    at = NOON + timedelta(minutes=int(wave.rpartition("-")[2]))
    sending = Wave(
        id=wave,
        rollout_id=rollout().id,
        workspace_id=ADA.workspace_id,
        created_by=ADA.id,
        created_at=at,
        label=label,
        version=1,
    )
    async with store.transaction() as tx:
        await tx.people.meet(people)
        await tx.save(sending)
        await tx.invitations.invite(
            rollout(), sending, people, at, found_in={each.id: group for each in people if group}
        )


async def test_the_status_by_wave_and_by_group_a_page_at_a_time(store: Database, engine: Engine) -> None:
    await invited_people(store)
    for number in range(A_PAGE + 2):
        people = [person(f"p{number}-{each}") for each in range(number + 1)]  # the newest wave is the largest
        await named_in(store, f"wave-{number + 2}", f"@group-{number}", *people, label=f"Label {number}")
    for what, label in (("waves", "Label {}"), ("groups", "@group-{}")):
        names = [label.format(number) for number in range(A_PAGE + 2)]
        first = message_of(await asked(engine, press(Token("status", what, rollout().id, 0))))
        second = message_of(await asked(engine, press(Token("status", what, rollout().id, 1))))
        assert words(first).index(names[9]) < words(first).index(names[2])
        assert names[2] not in words(second)
        assert names[1] in words(second)
        assert names[0] in words(second)
        assert button(first, what).token.version == 1
        assert button(second, what).token.version == 0
        assert "10 people" in words(first)


async def test_the_charts_have_this_rollouts_figures_by_wave_and_by_group_where_there_are_several(
    store: Database, engine: Engine
) -> None:
    await invited_people(store)
    await named_in(store, "wave-2", "", GRACE)
    charts = Token("status", "charts", rollout().id)
    alone = message_of(await asked(engine, press(charts)))
    assert "0 of 1" in words(alone)
    assert "chart.by_wave" not in keys(alone)
    assert "chart.by_group" not in keys(alone)
    await named_in(store, "wave-3", "", person("mia"), label="Pilot")
    several = message_of(await asked(engine, press(charts)))
    assert "chart.by_wave" in keys(several)
    assert "chart.by_group" not in keys(several), "all were named alone"
    await named_in(store, "wave-4", "@web", person("noa"))
    await engine(press(Token("confirm", "access", of(GRACE)), GRACE))
    both = message_of(await asked(engine, press(charts)))
    assert {"chart.by_wave", "chart.by_group"} <= set(keys(both))
    assert "Pilot" in words(both)
    assert "@web" in words(both)
    (over_time,) = [each for each in both.body if isinstance(each, LineChart)]
    assert any(value for _, values in over_time.lines for value in values)


async def test_the_status_is_of_whom_the_admin_names_here_before_elsewhere_and_never_of_another_company(
    store: Database, engine: Engine
) -> None:
    here, there = person("mei"), person("mei", "teams:X", email="mei@acme.example")
    here = here.model_copy(update={"email": there.email})
    await invited_people(store, here, there)
    shown = message_of(await asked(engine, command(f"status {there.email}")))
    assert "person.title" in keys(shown)
    stranger = person("olga", "slack:T9")
    await installed(store, workspace("slack:T9", company="other"), people=(stranger,))
    theirs = rollout(id="theirs", company="other")
    await rolled_out(store, theirs)
    nobody = message_of(await asked(engine, command(f"status {stranger.email}")))
    assert "status.not_invited" in keys(nobody)
    assert stranger.email in words(nobody), "by the words of whoever asks"


async def test_the_status_command_and_its_button_have_the_figures_of_the_current_rollout(
    store: Database, engine: Engine
) -> None:
    await invited_people(store, GRACE, LINUS)
    for event in (command("status"), press(Token("status", "show", rollout().id))):
        assert "0 of 2" in words(message_of(await asked(engine, event)))


async def test_who_is_missing_in_one_way_is_read_that_way(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    await engine(press(Token("wish", "stop", of(GRACE)), GRACE))
    form = form_of(await asked(engine, press(Token("status", "filter", rollout().id))))
    shown = words(message_of(await asked(engine, submit(form.token, which="stopped"))))
    assert (GRACE.name in shown, LINUS.name in shown) == (True, False)


async def test_a_problem_is_told_to_whoever_set_the_rollout_up_and_whoever_invited_and_no_other_company(
    store: Database,
) -> None:
    lin = LINUS.model_copy(update={"is_workspace_admin": True})
    engine = Engine(store, StoppedClock(), Admins.of(f"{person('zoe').email}"))
    await invited_people(store, GRACE, lin)
    await changed(store, "wave", created_by=lin.id)
    await installed(store, workspace("slack:T9", company="other"), people=(person("zoe", "slack:T9"),))
    await reports(engine, GRACE, "No code came.")
    told = {each.person_id for each in await stored(store, Delivery) if each.kind is DeliveryKind.NOTICE}
    assert told == {ADA.id, lin.id}


async def test_a_rollout_that_is_finished_can_be_erased_by_its_own_company(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    nothing = message_of(await asked(engine, command("erase")))
    await changed(store, "rollout", state=RolloutState.FINISHED, finished_at=NOON)
    question = message_of(await asked(engine, command("erase")))
    assert keys(question) != keys(nothing)
    assert "Acme" in words(question)
    sure = button(question, "open").token
    await installed(store, workspace("slack:T9", company="other"), people=(ELSEWHERE,))
    for token, who in ((sure, ELSEWHERE), (Token("erase", "open", "gone", 1), ADA)):
        assert "answer.outdated" in keys(message_of(await asked(engine, press(token, who))))
    form = form_of(await asked(engine, press(sure)))
    await engine(submit(form.token, key="acme"))
    assert [each.erased_at for each in await stored(store, Rollout)] == [NOON]


async def test_reports_name_their_reader_and_the_status_that_they_lead_to(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    status = message_of(await asked(engine, press(Token("digest", "status", rollout().id))))
    assert "0 of 2" in words(status)


async def test_a_step_is_opened_with_its_owner_chosen_where_they_can_be(store: Database) -> None:
    engine = Engine(store, StoppedClock(), Admins.of(f"{ADA.email}, {LINUS.email}, mei@acme.example"))
    on_teams = person("mei", "teams:X", email="mei@acme.example")
    await invited_people(store, GRACE, LINUS, on_teams)
    await engine(submit(Token("finish", "save.administer", rollout().id), state="open", owner=LINUS.user_id))
    step = Token("finish", "step.administer", rollout().id)
    for who, chosen in ((ADA, LINUS.user_id), (on_teams, "")):
        (field,) = [each for each in form_of(await asked(engine, press(step, who))).fields if each.name == "owner"]
        assert isinstance(field, PersonField)
        assert field.value == chosen, "people of Slack cannot be chosen in Teams"


async def test_a_form_of_the_list_that_is_left_shows_the_list_again(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA, GRACE))
    await rolled_out(store)
    await engine(command("invite", Target(TargetKind.PERSON, GRACE.user_id, GRACE.name)))
    (dialog,) = await stored(store, Dialog)
    await listed(store, "list-1", GRACE)
    ready = dialog.model_copy(
        update={
            "step": "found",
            "data": {**dialog.data, "list": "list-1", "lanes": {GRACE.workspace_id: 1}},
            "version": dialog.version + 1,
        }
    )
    async with store.transaction() as tx:
        await tx.save(ready)
    shown = message_of(await asked(engine, submit(Token("invite", "show", ready.id, ready.version))))
    assert "list" in keys(shown)[0] or GRACE.name in words(shown)
    unknown = message_of(await asked(engine, submit(Token("invite", "nonsense", ready.id, ready.version))))
    assert "answer.outdated" in keys(unknown)


async def test_a_list_that_is_handed_in_is_looked_up_in_the_dialog_that_its_link_was_made_for(
    store: Database,
) -> None:
    engine = Engine(store, StoppedClock(), Admins.of(""), public_url="https://usher.example.com")
    await installed(store)
    await rolled_out(store)
    await engine(command("invite csv"))
    (dialog,) = await stored(store, Dialog)
    targets = (Target(TargetKind.EMAIL, GRACE.email, GRACE.email),)
    for dialog_id in ("another", dialog.id):
        assert not await stored(store, LookUp)
        handed_in = ListHandedIn(
            id=event_id(), workspace_id=ADA.workspace_id, actor=ADA, dialog_id=dialog_id, targets=targets
        )
        await engine(handed_in)
    (look_up,) = await stored(store, LookUp)
    assert (look_up.dialog_id, look_up.targets) == (dialog.id, [targets[0].as_data()])
