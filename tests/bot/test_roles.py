"""Who may do what: every action that any button, form or command can ask for is decided by the one table."""

from __future__ import annotations

import pytest

from bot.commands import COMMANDS
from bot.conversations import CONVERSATIONS
from bot.messages import Form
from bot.roles import TABLE, Admins, Allowed, Role, Subject, allows, may, role_of
from tests.builders import ADA, GRACE, person
from tests.samples import samples

EVERYBODYS = {"help", "home", "language"}
VIEWERS = {
    ("status", "status"),
    ("status", "show"),
    ("status", "missing"),
    ("status", "waves"),
    ("status", "groups"),
    ("status", "charts"),
    ("digest", "status"),
    ("status", "filter"),
    ("status", "filtered"),
    ("status", "missing.token"),
}
RANKS = (Role.OWNER, Role.ADMIN, Role.VIEWER, Role.MEMBER, Role.STRANGER)
INVITEES = {"confirm", "old_token", "problem", "solved", "wish"}
ADMINS = {("wish", "exempt")}


def asked_for() -> set[tuple[str, str]]:
    """Every (conversation, action) that something shown leads to, and every command's."""
    tokens = {each.token for sample in samples() for each in sample.shown.buttons if each.token is not None}
    for sample in samples():
        if isinstance(sample.shown, Form):
            tokens |= {sample.shown.token, sample.shown.cancel or sample.shown.token}
    commands = {(command.conversation, command.name) for command in COMMANDS.values()}
    return commands | {(token.conversation, token.action) for token in tokens}


def test_every_conversation_is_in_the_table_and_the_table_holds_nothing_else() -> None:
    assert {key.split(".")[0] for key in TABLE} == set(CONVERSATIONS)


def test_every_button_and_command_leads_to_a_conversation() -> None:
    assert {conversation for conversation, _ in asked_for()} <= set(CONVERSATIONS)


@pytest.mark.parametrize(("conversation", "action"), sorted(asked_for()))
def test_the_matrix(conversation: str, action: str) -> None:
    def who(role: Role, *, invitee: bool) -> bool:
        return may(role, conversation, action, is_invitee=invitee)

    for role in Role:
        for invitee in (True, False):
            if (conversation, action) in ADMINS:
                assert who(role, invitee=invitee) == role.runs_rollouts
            elif conversation in EVERYBODYS:
                assert who(role, invitee=invitee)
            elif conversation in INVITEES:
                assert who(role, invitee=invitee) == invitee, "whatever their role"
            else:
                lowest = {"setup": Role.OWNER, "admins": Role.OWNER}.get(conversation, Role.ADMIN)
                if (conversation, action) in VIEWERS:
                    lowest = Role.VIEWER
                assert who(role, invitee=invitee) == (RANKS.index(role) <= RANKS.index(lowest))


def test_what_the_table_does_not_name_is_for_admins() -> None:
    assert may(Role.ADMIN, "unheard-of", "do", is_invitee=False)
    assert not may(Role.MEMBER, "unheard-of", "do", is_invitee=True)


@pytest.mark.parametrize("allowed", Allowed)
def test_every_kind_of_permission_is_decided(allowed: Allowed) -> None:
    assert allowed in TABLE.values()


@pytest.mark.parametrize(
    "named", [GRACE.email, GRACE.user_id, GRACE.id, f"someone@else.example, {GRACE.email.upper()} "]
)
def test_an_admin_is_named_by_address_or_id_in_any_case(named: str) -> None:
    assert role_of(GRACE, Admins.of(named)) is Role.OWNER


def test_a_list_of_admins_may_have_names_with_a_space() -> None:
    assert Admins.of("Grace Hopper, ada").names == {"grace hopper", "ada"}


def test_an_empty_entry_of_the_lists_names_nobody() -> None:
    assert not Admins(frozenset({""})).include(person("x", email=""))


def test_an_owner_of_the_workspace_is_an_admin() -> None:
    assert role_of(ADA, Admins.of("")) is Role.OWNER
    assert role_of(GRACE, Admins.of("")) is Role.MEMBER


def test_somebody_without_an_address_is_not_named_by_an_empty_entry() -> None:
    assert role_of(person("x", email=""), Admins.of(" , ,")) is Role.MEMBER


@pytest.mark.parametrize("flag", ["is_bot", "is_deactivated", "is_guest"])
def test_bots_guests_and_the_deactivated_are_strangers_whatever_else_they_are(flag: str) -> None:
    odd = ADA.model_copy(update={flag: True})
    assert role_of(odd, Admins.of(ADA.email)) is Role.STRANGER


def test_with_owners_named_only_they_may_set_a_rollout_up() -> None:
    lists = Admins(
        frozenset({GRACE.email}), owners=frozenset({"olivia@acme.example"}), viewers=frozenset({"v@acme.example"})
    )
    owner, viewer = person("o", email="olivia@acme.example"), person("v", email="v@acme.example")
    assert [role_of(each, lists) for each in (owner, GRACE, ADA, viewer)] == [
        Role.OWNER,
        Role.ADMIN,
        Role.ADMIN,
        Role.VIEWER,
    ]
    assert lists.include(owner)
    assert not lists.include(viewer)


def test_a_viewer_who_is_a_guest_sees_nothing() -> None:
    guest = GRACE.model_copy(update={"is_guest": True})
    assert role_of(guest, Admins(frozenset(), viewers=frozenset({GRACE.email}))) is Role.STRANGER


@pytest.mark.parametrize("key", TABLE)
def test_the_table_that_the_doctor_prints(key: str) -> None:
    may_do = {subject for subject in Subject if allows(subject, key)}
    owner, admin, viewer = Subject.OWNER, Subject.ADMIN, Subject.VIEWER
    everybody = set(Subject) - {Subject.OTHER_WORKSPACE}  # which the bot does not serve
    expected = {
        Allowed.OWNERS: {owner},
        Allowed.ADMINS: {owner, admin},
        Allowed.VIEWERS: {owner, admin, viewer},
        Allowed.INVITEE: {Subject.INVITEE},
        Allowed.EVERYONE: everybody,
    }
    assert may_do == expected[TABLE[key]]
