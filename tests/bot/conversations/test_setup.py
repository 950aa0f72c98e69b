"""`/sso setup`, filled in like an admin does, mistakes included."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest

from bot.approvals import ApprovalKind, Needed
from bot.conversations import setup_steps
from bot.conversations.invitation import invitation_message
from bot.conversations.setup import SETUP, SetupLoaded
from bot.conversations.setup_draft import Draft
from bot.messages import ChoiceField, Facts, Form, Link, LinkButton, Message, Text, TextField, Token, text
from bot.model import Dialog, FormerSignIn, Interval, Provisioning, Region, ReminderPolicy, Rollout, RolloutState
from bot.ports import InvitationView
from bot.texts import Reader, say
from bot.transition import CloseForm, Reply, SendMessage, ShowForm, Transition, Whisper
from tests.builders import (
    ADA,
    DAY,
    NOON,
    actions,
    body_keys,
    button,
    command,
    form_of,
    keys,
    press,
    rollout,
    scene,
    submit,
    words,
)

STEPS = ("enterprise", "login", "provisioning", "people", "reminders", "preview")
GOOD: dict[str, dict[str, Any]] = {
    "enterprise": {"name": "Acme", "enterprise_key": "acme", "region": "eu"},
    "login": {"login_url": "https://sonarcloud.io/login/sso?enterprise_key=acme"},
    "provisioning": {"provisioning": "jit", "groups_exist": ("yes",), "domain_verified": "yes"},
    "people": {"former_sign_in": ("github", "bitbucket"), "organizations": "acme-a\nacme-b", "uses_tokens": "yes"},
    "reminders": {
        "first_after_days": "2",
        "every_days": "3",
        "at_most": "4",
        "weekdays": ("0", "1", "2", "3", "4"),
        "hour_from": "9",
        "hour_to": "17",
        "deadline": "2026-04-01",
    },
}


@dataclass
class Setup:
    """An admin in front of the dialog: what is stored is read again at each event, as the engine does it."""

    rollout: Rollout | None = None
    dialog: Dialog | None = None
    reply: Reply | None = None
    last: Transition = field(default_factory=Transition)

    def begin(self) -> Form:
        return self._step(command("setup"))

    def submit(self, **values: Any) -> Form:
        return self._step(submit(self.form.token, **values))

    def press(self, action: str, **values: Any) -> Form:
        return self._step(press(button(self.form, action).token, values=values))

    def press_submit(self) -> Form:
        """Save, where that shows a form again."""
        return self._step(submit(self.form.token))

    def fill_in(self, *steps: str) -> Form:
        for step in steps:
            self.submit(**GOOD[step])
        return self.form

    def save(self) -> Rollout:
        self._step(submit(self.form.token), shows_form=False)
        assert self.rollout is not None
        return self.rollout

    @property
    def form(self) -> Form:
        return form_of(self.reply)

    @property
    def at(self) -> str:
        assert self.dialog is not None
        return self.dialog.step

    def step(self, event: Any) -> Transition:
        before = self.dialog and self.dialog.model_copy(update={"updated_at": NOON - DAY})
        self.last = SETUP.decide(SetupLoaded(scene(self.rollout), dialog=before), event, NOON)
        for row in self.last.state:
            if isinstance(row, Dialog):
                assert row.updated_at == NOON, "else it would be cleared away while it is filled in"
                assert row.version == (self.dialog.version if self.dialog else 0) + 1
                self.dialog = row
            elif isinstance(row, Rollout):
                assert row.version == (self.rollout.version if self.rollout else 0) + 1
                self.rollout = row
        return self.last

    def _step(self, event: Any, *, shows_form: bool = True) -> Any:
        self.reply = self.step(event).reply
        return self.form if shows_form else self.reply


@pytest.fixture
def setup() -> Setup:
    setup = Setup()
    setup.begin()
    return setup


def errors(form: Form) -> dict[str, str]:
    return {name: sentence.key for name, sentence in (form.errors or {}).items()}


def value(form: Form, name: str) -> Any:
    return next(each.value for each in form.fields if each.name == name)


def test_the_command_opens_the_first_of_six_steps(setup: Setup) -> None:
    assert setup.form.title == Text("setup.title", {"step": 1, "steps": 6})
    assert [each.name for each in setup.form.fields] == ["name", "enterprise_key", "region"]
    assert "back" not in actions(setup.form)


def test_every_step_leads_to_the_next_and_saving_makes_a_rollout(setup: Setup) -> None:
    seen = [setup.at]
    for step in STEPS[:-1]:
        setup.submit(**GOOD[step])
        seen.append(setup.at)
    assert tuple(seen) == STEPS

    saved = setup.save()

    assert isinstance(setup.reply, CloseForm)
    assert keys(setup.reply.message)[0] == "setup.saved"
    assert saved == Rollout(
        id=saved.id,
        company="default",
        name="Acme",
        enterprise_key="acme",
        region=Region.EU,
        login_url="https://sonarcloud.io/login/sso?enterprise_key=acme",
        provisioning=Provisioning.JIT,
        groups_exist=True,
        domain_verified=True,
        former_sign_in=(FormerSignIn.GITHUB, FormerSignIn.BITBUCKET),
        organizations=("acme-a", "acme-b"),
        uses_tokens=True,
        policy=ReminderPolicy(deadline=date(2026, 4, 1)),
        created_by=ADA.id,
        created_at=NOON,
        version=1,
    )
    assert setup.last.audit == "rollout.created"
    assert setup.dialog.closed


@pytest.mark.parametrize(
    ("step", "wrong", "error"),
    [
        ("enterprise", {"name": "  "}, {"name": "setup.error.required"}),
        ("enterprise", {"enterprise_key": ""}, {"enterprise_key": "setup.error.key"}),
        ("enterprise", {"enterprise_key": "acme corp"}, {"enterprise_key": "setup.error.key"}),
        ("enterprise", {"region": "mars"}, {"region": "setup.error.required"}),
        ("login", {"login_url": "http://sonarcloud.io/x"}, {"login_url": "setup.error.https"}),
        ("provisioning", {"groups_exist": ()}, {"groups_exist": "setup.error.groups"}),
        ("provisioning", {"provisioning": "by hand"}, {"provisioning": "setup.error.required"}),
        ("people", {"organizations": "fine not/fine"}, {"organizations": "setup.error.organization"}),
        ("reminders", {"first_after_days": "soon"}, {"first_after_days": "setup.error.number"}),
        ("reminders", {"first_after_days": "0"}, {"first_after_days": "setup.error.number"}),
        ("reminders", {"every_days": "61"}, {"every_days": "setup.error.number"}),
        ("reminders", {"at_most": "-1"}, {"at_most": "setup.error.number"}),
        ("reminders", {"hour_to": "25"}, {"hour_to": "setup.error.number"}),
        ("reminders", {"hour_from": "17"}, {"hour_to": "setup.error.hours"}),
        ("reminders", {"weekdays": ()}, {"weekdays": "setup.error.weekdays"}),
        ("reminders", {"weekdays": ("7", "01", "")}, {"weekdays": "setup.error.weekdays"}),
        ("reminders", {"deadline": "2026-03-03"}, {"deadline": "setup.error.deadline"}),
        ("reminders", {"holiday_country": "Germany"}, {"holiday_country": "setup.error.country"}),
        ("reminders", {"holiday_country": "XX"}, {"holiday_country": "setup.error.country"}),
        ("reminders", {"deadline": "some day"}, {"deadline": "setup.error.deadline"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_can_be_mended(
    setup: Setup, step: str, wrong: dict[str, Any], error: dict[str, str]
) -> None:
    setup.fill_in(*STEPS[: STEPS.index(step)])

    refused = setup.submit(**GOOD[step] | wrong)

    assert errors(refused) == error
    assert setup.at == step
    assert not setup.last.state

    setup.submit(**GOOD[step])
    assert setup.at == STEPS[STEPS.index(step) + 1]


def test_an_error_keeps_everything_else_that_was_filled_in(setup: Setup) -> None:
    form = setup.submit(name="Acme", enterprise_key="not a key", region="us")

    assert value(form, "name") == "Acme"
    assert value(form, "enterprise_key") == "not a key"
    assert value(form, "region") == ("us",)


@pytest.mark.parametrize("typed", ["a\nb", "a, b", "a;b", " a \n b \na "])
def test_organizations_may_be_separated_in_any_usual_way(setup: Setup, typed: str) -> None:
    setup.fill_in("enterprise", "login", "provisioning")
    setup.submit(**GOOD["people"] | {"organizations": typed})
    setup.fill_in("reminders")
    assert setup.save().organizations == ("a", "b")


def test_a_name_with_a_space_is_no_organization_key(setup: Setup) -> None:
    setup.fill_in("enterprise", "login", "provisioning")
    form = setup.submit(**GOOD["people"] | {"organizations": "acme payments"})
    assert form.errors == {"organizations": Text("setup.error.organization", {"key": "acme payments"})}


def test_without_a_login_url_the_one_click_link_is_used_and_follows_a_change_of_the_key(setup: Setup) -> None:
    setup.fill_in("enterprise")
    setup.submit(login_url="")
    setup.press("back")
    setup.press("back")
    setup.submit(name="Acme", enterprise_key="acme-2", region="us")
    setup.submit(login_url=value(setup.form, "login_url"))
    setup.fill_in("provisioning", "people", "reminders")

    assert setup.save().login_url == "https://sonarqube.us/login/sso?enterprise_key=acme-2"


def test_what_a_rollout_has_stands_in_the_fields_when_it_is_changed() -> None:
    setup = Setup(rollout=rollout(domain_verified=True, uses_tokens=False))
    setup.begin()
    setup.fill_in("enterprise", "login")
    assert value(setup.form, "domain_verified") == ("yes",)
    setup.fill_in("provisioning")
    assert value(setup.form, "uses_tokens") == ("no",)


def test_scim_needs_no_word_about_groups(setup: Setup) -> None:
    setup.fill_in("enterprise", "login")
    setup.submit(provisioning="scim", groups_exist=(), domain_verified="no")
    assert setup.at == "people"


def test_the_dialog_warns_where_it_matters(setup: Setup) -> None:
    assert "setup.login.tiles" in body_keys(setup.fill_in("enterprise"))
    warned = body_keys(setup.fill_in("login", "provisioning"))
    assert {"setup.people.keep_admins", "setup.people.sot"} <= set(warned)
    assert "setup.people.bitbucket" in body_keys(setup.fill_in("people", "reminders"))


def test_back_keeps_what_was_typed(setup: Setup) -> None:
    setup.fill_in("enterprise")
    setup.press("back", login_url="https://sonarcloud.io/custom")
    assert setup.at == "enterprise"
    assert value(setup.form, "name") == "Acme"

    form = setup.fill_in("enterprise")
    assert value(form, "login_url") == "https://sonarcloud.io/custom"


def test_back_forgets_what_is_wrong_and_complains_about_nothing(setup: Setup) -> None:
    setup.fill_in("enterprise")
    form = setup.press("back", login_url="http://elsewhere.example")
    assert form.errors is None
    assert value(setup.fill_in("enterprise"), "login_url") == ""


def test_back_from_the_preview_leads_to_the_reminders(setup: Setup) -> None:
    setup.fill_in(*STEPS[:-1])
    setup.press("back")
    assert setup.at == "reminders"
    assert value(setup.form, "deadline") == "2026-04-01"


def test_the_preview_shows_the_very_invitation(setup: Setup) -> None:
    form = setup.fill_in(*STEPS[:-1])
    saved = setup.save()
    invitation = invited(saved)

    begins = form.body.index(invitation.body[0])
    assert form.body[begins : begins + len(invitation.body)] == invitation.body
    labels = tuple(each.label for each in invitation.buttons)
    assert Text("setup.preview.buttons", {"buttons": labels}) in [getattr(each, "text", None) for each in form.body]


def invited(of: Rollout) -> Message:
    """What Ada would get if she were invited."""
    from tests.builders import view  # noqa: PLC0415

    as_invitee: InvitationView = view(of, ADA)
    return invitation_message(as_invitee)


def test_send_it_to_me_first_sends_the_invitation_with_harmless_buttons(setup: Setup) -> None:
    setup.fill_in(*STEPS[:-1])
    setup.press("send_to_me")

    (effect,) = setup.last.effects
    assert isinstance(effect, SendMessage)
    assert effect.to == ADA.id
    assert "setup.sent_to_you" in body_keys(setup.form)
    assert {(each.token.conversation, each.token.action) for each in buttons_of(effect.message)} == {
        ("setup", "preview")
    }
    link = next(each for each in effect.message.buttons if isinstance(each, LinkButton))
    assert link.url == GOOD["login"]["login_url"]
    assert link.token is None

    saved = setup.save()
    assert effect.message.body == invited(saved).body


def test_it_is_sent_to_me_once_for_each_version_of_the_dialog(setup: Setup) -> None:
    setup.fill_in(*STEPS[:-1])
    setup.press("send_to_me")
    first = setup.last.effects
    setup.press("send_to_me")
    assert setup.last.effects[0].key == first[0].key, "the same message is not queued twice"

    setup.press("back")
    setup.fill_in("reminders")
    setup.press("send_to_me")
    assert setup.last.effects[0].key != first[0].key


@pytest.mark.parametrize("saved", [False, True])
def test_a_button_of_the_preview_says_that_it_is_one(setup: Setup, saved: bool) -> None:
    setup.fill_in(*STEPS[:-1])
    setup.press("send_to_me")
    preview = buttons_of(setup.last.effects[0].message)[0]
    if saved:
        setup.save()
    after = setup.step(press(preview.token))
    assert isinstance(after.reply, Whisper)
    assert keys(after.reply.message)[0] == "setup.preview.only"
    assert not after.state


def buttons_of(message: Message) -> list[Any]:
    return [each for each in message.buttons if not isinstance(each, LinkButton)]


def test_an_older_copy_of_the_dialog_changes_nothing_and_shows_where_one_is(setup: Setup) -> None:
    old = setup.form.token
    setup.fill_in("enterprise")

    after = setup.step(submit(old, name="Other", enterprise_key="other", region="us"))

    assert not after.state
    form = form_of(after.reply)
    assert body_keys(form)[0] == "setup.stale"
    assert form.token == setup.form.token


def test_a_second_save_of_the_same_dialog_is_answered_kindly(setup: Setup) -> None:
    form = setup.fill_in(*STEPS[:-1])
    setup.save()
    again = setup.step(submit(form.token))
    assert isinstance(again.reply, Whisper)
    assert keys(again.reply.message)[0] == "answer.outdated"
    assert not again.state


def test_a_dialog_that_is_not_ones_own_is_outdated() -> None:
    """The reading part gives a dialog to its owner only."""
    after = SETUP.decide(SetupLoaded(scene(), dialog=None), submit(Token("setup", "next", "somebody-elses", 3)), NOON)
    assert isinstance(after.reply, Whisper)
    assert keys(after.reply.message)[0] == "answer.outdated"
    assert not after.state


def test_an_existing_rollout_is_changed_and_keeps_what_the_dialog_does_not_ask() -> None:
    before = rollout(state=RolloutState.PAUSED, created_by="slack:T1:U-first", version=7)
    setup = Setup(rollout=before)
    assert body_keys(setup.begin())[0] == "setup.changing"
    assert value(setup.form, "name") == "Acme"
    setup.fill_in(*STEPS[:-1])

    saved = setup.save()

    assert (saved.id, saved.state, saved.created_by, saved.created_at, saved.version) == (
        before.id,
        RolloutState.PAUSED,
        before.created_by,
        before.created_at,
        8,
    )
    assert setup.last.audit == "rollout.changed"
    assert dict(setup.last.details) == {"login_url_changed": 0, "version": 8}
    assert setup.last.needed is None


def test_a_change_of_the_login_url_is_audited() -> None:
    setup = Setup(rollout=rollout())
    setup.begin()
    setup.fill_in("enterprise")
    setup.submit(login_url="https://sonarcloud.io/other")
    setup.fill_in("provisioning", "people", "reminders")
    assert setup.save().login_url == "https://sonarcloud.io/other"
    assert dict(setup.last.details)["login_url_changed"] == 1
    asked = text("approval.login_url", enterprise="Acme", url=Link("https://sonarcloud.io/other"))
    assert setup.last.needed == Needed(ApprovalKind.LOGIN_URL, asked)


def test_of_two_admins_who_set_up_at_once_the_second_is_told(setup: Setup) -> None:
    setup.fill_in(*STEPS[:-1])
    setup.rollout = rollout()

    setup.save()

    assert keys(setup.reply.message)[0] == "setup.overtaken"
    assert setup.rollout == rollout()
    assert setup.dialog.closed


def test_a_deadline_is_the_day_that_the_admin_chose_wherever_they_are() -> None:
    setup = Setup()
    tokyo = ADA.model_copy(update={"time_zone": "Asia/Tokyo"})
    opened = setup.step(command("setup", actor=tokyo))
    for step in STEPS[:-1]:
        opened = setup.step(submit(form_of(opened.reply).token, tokyo, **GOOD[step]))
    setup.step(submit(form_of(opened.reply).token, tokyo))
    assert setup.rollout.policy.deadline == date(2026, 4, 1)


def test_no_step_has_more_than_a_dialog_can_show(setup: Setup) -> None:
    for step in STEPS[:-1]:
        assert len(say(setup.form.title, Reader())) <= 24, "a modal's title"
        for each in setup.form.fields:
            if isinstance(each, ChoiceField):
                assert len(each.choices) <= 10
            if isinstance(each, TextField):
                assert len(say(each.label, Reader())) <= 150
        setup.submit(**GOOD[step])


def test_the_forms_of_all_steps_name_the_dialog_and_its_version(setup: Setup) -> None:
    for step in STEPS[:-1]:
        assert setup.form.token == Token("setup", "next", setup.dialog.id, setup.dialog.version)
        setup.submit(**GOOD[step])
    assert isinstance(setup.reply, ShowForm)
    assert replace(setup.form.token, version=1) == Token("setup", "next", setup.dialog.id, 1)


def test_holidays_a_growing_interval_and_a_final_notice_are_proposed_and_stored(setup: Setup) -> None:
    setup.fill_in(*STEPS[:4])
    assert (value(setup.form, "skip_holidays"), value(setup.form, "final_notice")) == (("yes",), ("yes",))
    assert value(setup.form, "interval") == ("fixed",)
    chosen = {
        "interval": "growing",
        "skip_holidays": ("yes",),
        "holiday_country": "de",
        "final_notice": ("yes",),
        "deadline": "2026-04-01",
    }
    setup.submit(**GOOD["reminders"] | chosen)
    assert setup.save().policy == ReminderPolicy(
        interval=Interval.GROWING,
        skip_holidays=True,
        holiday_country="DE",
        deadline=date(2026, 4, 1),
        final_notice=True,
    )


# two admins at once


def changing(of: Rollout) -> Setup:
    """An admin who has come to the last step of changing this rollout, with another name and deadline."""
    setup = Setup(rollout=of)
    setup.begin()
    for step in STEPS[:-1]:
        setup.submit(**GOOD[step] | ({"name": "Mine"} if step == "enterprise" else {}))
    return setup


def test_what_somebody_else_changed_meanwhile_is_shown_and_nothing_is_saved() -> None:
    setup = changing(rollout())
    theirs = {"name": "Theirs", "policy": ReminderPolicy(at_most=7), "version": 2}
    setup.rollout = rollout(**theirs)

    setup.press_submit()

    assert setup.form.title == Text("setup.changed.title")
    assert actions(setup.form) == ["again"]
    facts = [pair for part in setup.form.body if isinstance(part, Facts) for pair in part.pairs]
    assert [said(shown) for _, shown in facts] == ["Theirs", "Mine", "7", "4"]
    assert setup.rollout == rollout(**theirs)


def said(sentence: Text) -> str:
    return say(sentence, Reader())


def test_saving_on_top_is_a_choice() -> None:
    setup = changing(rollout())
    setup.rollout = rollout(name="Theirs", version=2)
    setup.press_submit()
    saved = setup.save()
    assert (saved.name, saved.version) == ("Mine", 3)


def test_starting_again_begins_with_what_the_other_saved() -> None:
    setup = changing(rollout())
    setup.rollout = rollout(name="Theirs", version=2)
    setup.press_submit()
    form = setup.press("again")
    assert (value(form, "name"), setup.at) == ("Theirs", "enterprise")
    setup.submit(**GOOD["enterprise"] | {"name": "Ours"})
    setup.fill_in(*STEPS[1:-1])
    assert (setup.save().name, setup.rollout.version) == ("Ours", 3)


def test_a_third_admin_who_saves_while_one_chooses_is_shown_too() -> None:
    setup = changing(rollout())
    setup.rollout = rollout(name="Theirs", version=2)
    setup.press_submit()
    setup.rollout = rollout(name="A third one's", version=3)
    setup.press_submit()
    assert "A third one's" in words(setup.form)
    assert setup.save().version == 4


def test_a_pause_meanwhile_is_no_change_of_the_settings() -> None:
    setup = changing(rollout())
    setup.rollout = rollout(state=RolloutState.PAUSED, version=2)
    saved = setup.save()
    assert (saved.name, saved.state, saved.version) == ("Mine", RolloutState.PAUSED, 3)


def test_two_who_change_the_same_to_the_same_are_of_one_mind() -> None:
    setup = changing(rollout())
    setup.rollout = rollout(name="Mine", version=2)
    assert setup.save().version == 3


def test_choosing_after_the_rollout_has_ended_changes_nothing() -> None:
    setup = changing(rollout())
    setup.rollout = rollout(name="Theirs", version=2)
    form = setup.press_submit()
    setup.rollout = None
    assert not setup.step(submit(form.token)).state


def test_the_set_up_button_does_what_the_command_does() -> None:
    setup = Setup()
    setup._step(press(Token("setup", "begin")))
    assert setup.at == "enterprise"


def test_a_change_remembers_what_it_began_from_and_shows_what_was_chosen() -> None:
    before = rollout(version=7, former_sign_in=(FormerSignIn.GITHUB, FormerSignIn.GITLAB))
    draft = Draft.to_change(before)
    assert (draft.base, draft.base_version) == (Draft.of(before), 7)
    (people,) = (each for each in setup_steps.STEPS if each.name == "people")
    (chosen,) = (each for each in people.fields(draft) if each.name == "former_sign_in")
    assert isinstance(chosen, ChoiceField)
    assert chosen.value == ("github", "gitlab")


def test_a_change_shows_in_each_step_what_the_rollout_has() -> None:
    setup = Setup(
        rollout(
            groups_exist=True, former_sign_in=(FormerSignIn.BITBUCKET,), organizations=("a", "b"), uses_tokens=False
        )
    )
    setup.begin()
    setup.fill_in("enterprise")
    setup.submit(login_url="")
    assert value(setup.form, "groups_exist") == ("yes",)
    setup.submit(provisioning="jit", groups_exist=("yes",), domain_verified="no")
    assert value(setup.form, "organizations") == "a\nb"
    assert value(setup.form, "uses_tokens") == ("no",)
    assert "setup.people.bitbucket" in body_keys(setup.form)
    setup.submit(**GOOD["people"] | {"former_sign_in": "github,gitlab"})
    assert setup.dialog is not None
    assert setup.dialog.data["former_sign_in"] == ["github", "gitlab"], "as a list or as words between commas"
    setup.fill_in("reminders")
    assert setup.save().login_url == "https://sonarcloud.io/login/sso?enterprise_key=acme"


def test_a_new_one_says_nothing_of_bitbucket(setup: Setup) -> None:
    setup.fill_in("enterprise", "login")
    setup.submit(**GOOD["provisioning"] | {"groups_exist": ()})
    assert "setup.people.bitbucket" not in body_keys(setup.form)


def test_back_from_what_somebody_else_changed_shows_it_again() -> None:
    setup = changing(rollout())
    assert setup.rollout is not None
    setup.rollout = setup.rollout.model_copy(update={"name": "Acme Ltd", "version": setup.rollout.version + 1})
    shown = setup.press_submit()
    assert button(shown, "again")
    again = setup._step(press(Token("setup", "back", shown.token.subject, shown.token.version)))
    assert keys(again) == keys(shown)
