import os
from datetime import timedelta

import pytest

from adapters.settings import Settings, SettingsInvalid, load, problems
from adapters.teams.credentials import TOKEN_URL
from adapters.teams.service_url import SERVICE_HOSTS
from adapters.teams.signing_keys import METADATA_URL

APP_ID = "6d1c1d0a-5a5c-4b6e-9f0e-6d3c8f3f1a11"
TENANT_ID = "0b9a4e43-7a5a-4d2d-8a0b-5c1f4a6c9d22"

COMMON = {
    "USHER_PUBLIC_URL": "https://usher.example.com",
    "USHER_SECRET_KEY": "k3y-4r-tests-only-0123456789-abcdefghijkl",
    "USHER_ADMINS": "anna@example.com",
}
SLACK = COMMON | {"USHER_SLACK_BOT_TOKEN": "xoxb-1-secret", "USHER_SLACK_SIGNING_SECRET": "0123456789abcdef"}
TEAMS = COMMON | {
    "USHER_TEAMS_APP_ID": APP_ID,
    "USHER_TEAMS_APP_PASSWORD": "Q8~secret",
    "USHER_TEAMS_TENANT_ID": TENANT_ID,
}
BOTH = SLACK | TEAMS
SOCKET_MODE = {
    "USHER_SECRET_KEY": COMMON["USHER_SECRET_KEY"],
    "USHER_SLACK_BOT_TOKEN": "xoxb-1-secret",
    "USHER_SLACK_APP_TOKEN": "xapp-1-secret",
}
BY_LINK = SLACK | {
    "USHER_SLACK_CLIENT_ID": "123.456",
    "USHER_SLACK_CLIENT_SECRET": "fedcba9876543210",
}


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("USHER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def given(monkeypatch):
    """The settings of an environment; None takes a variable away."""

    def read(*environments: dict[str, str | None], **changes: str | None) -> Settings:
        merged: dict[str, str | None] = {}
        for environment in environments:
            merged |= environment
        for name, value in (merged | changes).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return load(env_file=None)

    return read


@pytest.mark.parametrize("environment", [SLACK, TEAMS, BOTH, SOCKET_MODE, BY_LINK])
def test_a_complete_configuration_has_no_problems(given, environment):
    assert problems(given(environment)) == []


def test_either_platform_may_be_absent(given):
    settings = given(SLACK)

    assert settings.has_slack
    assert not settings.has_teams


@pytest.mark.parametrize(("days", "kept_for"), [("0", None), ("90", timedelta(days=90)), (None, None)])
def test_people_are_kept_until_they_are_erased_unless_a_period_is_set(given, days, kept_for):
    assert given(SLACK, USHER_RETENTION_DAYS=days).keep_people_for == kept_for


def test_the_defaults_are_the_vendors_addresses(given):
    settings = given()

    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.teams_openid_metadata_url == METADATA_URL
    assert settings.teams_token_url == TOKEN_URL
    assert settings.teams_service_hosts == SERVICE_HOSTS
    assert settings.login_hosts == ("sonarcloud.io", "sonarqube.us")


MISTAKES = {
    "no platform": (COMMON, {}, "No platform is configured"),
    "Slack without a bot token": (SLACK, {"USHER_SLACK_BOT_TOKEN": None}, "USHER_SLACK_BOT_TOKEN is missing"),
    "Slack without a signing secret": (
        SLACK,
        {"USHER_SLACK_SIGNING_SECRET": None},
        "USHER_SLACK_SIGNING_SECRET is missing",
    ),
    "a client id alone": (BY_LINK, {"USHER_SLACK_CLIENT_SECRET": None}, "USHER_SLACK_CLIENT_SECRET is missing"),
    "a client secret alone": (BY_LINK, {"USHER_SLACK_CLIENT_ID": None}, "USHER_SLACK_CLIENT_ID is missing"),
    "installing by link without a signing secret": (
        SOCKET_MODE | BY_LINK,
        {"USHER_SLACK_SIGNING_SECRET": None},
        "USHER_SLACK_SIGNING_SECRET is missing",
    ),
    "a user token": (SLACK, {"USHER_SLACK_BOT_TOKEN": "xoxp-1-secret"}, "must begin with xoxb-"),
    "a rotating token": (SLACK, {"USHER_SLACK_BOT_TOKEN": "xoxe.xoxb-1-secret"}, "turn token rotation off"),
    "a bot token as app token": (SOCKET_MODE, {"USHER_SLACK_APP_TOKEN": "xoxb-1-secret"}, "must begin with xapp-"),
    "a token as signing secret": (SLACK, {"USHER_SLACK_SIGNING_SECRET": "xoxb-1-secret"}, "holds a token"),
    "an empty app id with a password": (TEAMS, {"USHER_TEAMS_APP_ID": ""}, "lets everybody in"),
    "a blank app id with a password": (TEAMS, {"USHER_TEAMS_APP_ID": "  "}, "lets everybody in"),
    "Teams without a password": (TEAMS, {"USHER_TEAMS_APP_PASSWORD": None}, "USHER_TEAMS_APP_PASSWORD is missing"),
    "Teams without a tenant": (TEAMS, {"USHER_TEAMS_TENANT_ID": None}, "USHER_TEAMS_TENANT_ID is missing"),
    "an app id that is no GUID": (TEAMS, {"USHER_TEAMS_APP_ID": "usher"}, "USHER_TEAMS_APP_ID is not a GUID"),
    "a tenant's name": (TEAMS, {"USHER_TEAMS_TENANT_ID": "contoso.onmicrosoft.com"}, "not the tenant's domain name"),
    "nobody to run a rollout": (TEAMS, {"USHER_ADMINS": None}, "USHER_ADMINS is empty"),
    "an admin's display name": (SLACK, {"USHER_ADMINS": "anna@example.com, Bob"}, "USHER_ADMINS: 'bob'"),
    "an admin group that is none": (SLACK, {"USHER_ADMIN_GROUPS": "@engineering"}, "is no group: write slack:"),
    "an admin group by name": (SLACK, {"USHER_ADMIN_GROUPS": "entra:Engineering"}, "'engineering' is not a GUID"),
    "no public URL": (SLACK, {"USHER_PUBLIC_URL": None}, "USHER_PUBLIC_URL is missing"),
    "a public URL without TLS": (SLACK, {"USHER_PUBLIC_URL": "http://usher.example.com"}, "must begin with https://"),
    "a public URL that is none": (SLACK, {"USHER_PUBLIC_URL": "usher.example.com"}, "USHER_PUBLIC_URL is not an"),
    "no secret key": (SLACK, {"USHER_SECRET_KEY": None}, "USHER_SECRET_KEY is missing"),
    "a short secret key": (SLACK, {"USHER_SECRET_KEY": "changeme"}, "shorter than 32 characters"),
    "a short key among others": (
        SLACK,
        {"USHER_SECRET_KEY": COMMON["USHER_SECRET_KEY"] + ",too-few"},
        "shorter than 32",
    ),
    "a secret key of one letter": (SLACK, {"USHER_SECRET_KEY": "a" * 40}, "repeats a few characters"),
    "an unknown database": (
        SLACK,
        {"USHER_DATABASE_URL": "mysql://usher:s3cr3t-word@db/usher"},
        "USHER_DATABASE_URL must begin",
    ),
    "Slack's API without TLS": (
        SLACK,
        {"USHER_SLACK_API_URL": "http://slack.example.com/api/"},
        "USHER_SLACK_API_URL must begin with https://",
    ),
    "a token URL that is none": (
        TEAMS,
        {"USHER_TEAMS_TOKEN_URL": "login.example.com"},
        "USHER_TEAMS_TOKEN_URL is not an address",
    ),
    "half an emulator": (
        TEAMS,
        {"USHER_TEAMS_OPENID_METADATA_URL": "http://127.0.0.1:9/openid"},
        "contradict each other",
    ),
    "a login host with a scheme": (SLACK, {"USHER_LOGIN_HOSTS": "https://sonarcloud.io"}, "is not a host name"),
    "a whole top-level domain": (SLACK, {"USHER_LOGIN_HOSTS": "io"}, "is not a host name"),
    "a login host with a star": (SLACK, {"USHER_LOGIN_HOSTS": "*.sonarcloud.io"}, "subdomains are included"),
    "no login host": (SLACK, {"USHER_LOGIN_HOSTS": ","}, "USHER_LOGIN_HOSTS is empty"),
}


@pytest.mark.parametrize(("environment", "changes", "says"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_gets_one_line_that_says_what_to_do(given, environment, changes, says):
    settings = given(environment, changes)

    (line,) = problems(settings)

    assert says in line
    assert "\n" not in line
    assert not any(secret in line for secret in settings.secrets())


def test_several_mistakes_are_told_at_once(given):
    found = problems(given({"USHER_TEAMS_APP_PASSWORD": "Q8~secret", "USHER_DATABASE_URL": "oracle://x"}))

    assert len(found) == 6
    assert not any("Q8~secret" in line for line in found)


def test_without_serve_only_contradictions_count(given):
    assert problems(given(), for_serve=False) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:3978", "http://localhost:3978", "http://[::1]:3978"])
def test_this_machine_may_be_reached_without_tls(given, url):
    assert problems(given(BOTH, USHER_PUBLIC_URL=url, USHER_SLACK_API_URL=f"{url}/api")) == []


def test_an_emulated_tenant_may_have_any_ids(given):
    here = "http://127.0.0.1:3979"
    emulator = {"USHER_TEAMS_OPENID_METADATA_URL": f"{here}/openid", "USHER_TEAMS_TOKEN_URL": f"{here}/token"}
    settings = given(TEAMS, emulator, USHER_TEAMS_APP_ID="usher", USHER_TEAMS_TENANT_ID="contoso")

    assert settings.teams_is_emulated
    assert problems(settings) == []


@pytest.mark.parametrize(
    "admin",
    ["anna@example.com", "U0123ABCD", "slack:T0123:U0123ABCD", TENANT_ID, f"teams:{TENANT_ID}:29:1abc-_d", "29:1abc"],
)
def test_an_admin_is_named_by_e_mail_address_or_id(given, admin):
    settings = given(SLACK, USHER_ADMINS=f" {admin} ,, bob@example.com")

    assert settings.admins == (admin.casefold(), "bob@example.com")
    assert problems(settings) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///usher.db", "sqlite+aiosqlite:///usher.db"),
        ("postgresql://u:p@db/usher", "postgresql+asyncpg://u:p@db/usher"),
        ("postgres://u:p@db/usher", "postgresql+asyncpg://u:p@db/usher"),
        ("postgresql+asyncpg://u:p@db/usher", "postgresql+asyncpg://u:p@db/usher"),
    ],
)
def test_a_database_url_need_not_name_the_driver(given, written, meant):
    assert given(USHER_DATABASE_URL=written).database_url.get_secret_value() == meant


def test_the_secret_key_may_be_several_of_which_the_first_encrypts(given):
    assert given(USHER_SECRET_KEY="new-key, old-key").secret_keys == ("new-key", "old-key")


def test_an_empty_variable_is_an_unset_one(given):
    assert given(USHER_PORT="", USHER_SLACK_API_URL="").port == 3978


def test_addresses_are_written_one_way(given):
    settings = given(USHER_PUBLIC_URL="https://usher.example.com/", USHER_SLACK_API_URL="http://127.0.0.1:1/api")

    assert settings.public_url == "https://usher.example.com"
    assert settings.slack_api_url == "http://127.0.0.1:1/api/"


def test_a_secret_is_never_shown(given):
    settings = given(BOTH, USHER_DATABASE_URL="postgresql://usher:p%40ssword@db/usher", USHER_SONARQUBE_TOKEN="sq-t")
    secrets = settings.secrets()

    assert {"xoxb-1-secret", "Q8~secret", "p%40ssword", "p@ssword", "sq-t", COMMON["USHER_SECRET_KEY"]} < set(secrets)
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert not any(secret in shown for secret in secrets)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("USHER_PORT", "http", "USHER_PORT: input should be a valid integer"),
        ("USHER_PORT", "70000", "USHER_PORT: input should be less than or equal to 65535."),
        ("USHER_LOG_FORMAT", "xml", "USHER_LOG_FORMAT: input should be 'auto', 'json' or 'console'."),
    ],
)
def test_a_value_of_the_wrong_form_is_told_in_one_line_without_the_value(given, name, value, line):
    with pytest.raises(SettingsInvalid) as refused:
        given(SLACK, {name: value})

    (told,) = refused.value.problems
    assert told.startswith(line)
    assert value not in told
    assert "xoxb" not in str(refused.value)


def test_a_misspelt_name_is_told_with_the_right_one(given):
    with pytest.raises(SettingsInvalid) as refused:
        given(USHER_SLACK_TOKEN="xoxb-1-secret")

    assert refused.value.problems == ("USHER_SLACK_TOKEN is not a setting. Did you mean USHER_SLACK_BOT_TOKEN?",)


def test_what_kubernetes_adds_for_a_service_of_that_name_is_no_misspelling(given):
    settings = given(
        USHER_SERVICE_HOST="10.0.0.1", USHER_SERVICE_PORT="3978", USHER_PORT_3978_TCP_ADDR="10.0.0.1", HOME="/"
    )

    assert settings.port == 3978


def test_the_env_file_is_read_and_the_environment_overrides_it(tmp_path, monkeypatch):
    file = tmp_path / "usher.env"
    file.write_text("USHER_PORT=4000\nUSHER_HOST=0.0.0.0\nOTHER=1\n")
    monkeypatch.setenv("USHER_PORT", "5000")

    settings = load(file)

    assert (settings.host, settings.port) == ("0.0.0.0", 5000)


def test_a_misspelt_name_in_the_env_file_is_told(tmp_path):
    file = tmp_path / "usher.env"
    file.write_text("USHER_ADMIN=anna@example.com\n")

    with pytest.raises(SettingsInvalid, match="Did you mean USHER_ADMINS"):
        load(file)


def test_no_env_file_is_no_mistake(tmp_path):
    assert load(tmp_path / "none").port == 3978
