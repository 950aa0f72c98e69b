"""What is wrong with the settings: one plain line for each mistake, which says what to do."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr
from yarl import URL

if TYPE_CHECKING:
    from adapters.settings import Settings

SECRET_KEY_LENGTH = 32
APPROVALS = ("login-url", "admins", "send")
DATABASES = ("sqlite+aiosqlite", "postgresql+asyncpg")

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SLACK_USER = re.compile(r"[uw][a-z0-9]{4,}")
_PERSON = re.compile(r"(slack|teams):[^:\s]+:\S+")
_TEAMS_USER = re.compile(r"29:\S+")
_HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+")
_SLACK_TOKEN = re.compile(r"x(ox[a-z]|app|oxe\.xox[a-z])-")


def problems(settings: Settings, *, for_serve: bool = True) -> list[str]:
    """Every mistake that can be seen without asking anybody, in the order in which one would mend them.

    With `for_serve` also what only `usher serve` needs: a platform, the address people reach it at, the key, admins.
    """
    found = [
        *_database(settings),
        *_addresses(settings),
        *_lists(settings),
        *_admin_groups(settings),
        *_approvals(settings),
        *_slack(settings),
        *_teams(settings),
    ]
    if for_serve:
        found = [*_platforms(settings), *_public_url(settings), *_secret_key(settings), *_admins(settings), *found]
    return found


def is_loopback_url(url: str) -> bool:
    """Whether the address is on this machine."""
    try:
        host = URL(url).host or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _platforms(settings: Settings) -> Iterator[str]:
    if not settings.has_slack and not settings.has_teams:
        yield (
            "No platform is configured: set USHER_SLACK_BOT_TOKEN and USHER_SLACK_SIGNING_SECRET for Slack"
            " (docs/install-slack.md), or USHER_TEAMS_APP_ID, USHER_TEAMS_APP_PASSWORD and USHER_TEAMS_TENANT_ID for"
            " Microsoft Teams (docs/install-teams.md)."
        )


def _public_url(settings: Settings) -> Iterator[str]:
    """Socket Mode alone needs no address: Slack is called, and calls nobody."""
    by_http = settings.has_slack and (not settings.slack_app_token or bool(settings.slack_client_id))
    if not settings.public_url:
        if settings.has_teams or by_http:
            yield "USHER_PUBLIC_URL is missing: set it to the https address at which the platforms reach this server."
        return
    if not _is_address(settings.public_url) or URL(settings.public_url).query_string:
        yield "USHER_PUBLIC_URL is not an address: write it as https://usher.example.com."
    elif not settings.public_url.startswith("https://") and not is_loopback_url(settings.public_url):
        yield "USHER_PUBLIC_URL must begin with https://: Slack and Microsoft call no other address."


def _secret_key(settings: Settings) -> Iterator[str]:
    advice = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if not settings.secret_keys:
        yield f"USHER_SECRET_KEY is missing; {advice}"
    elif any(len(key) < SECRET_KEY_LENGTH for key in settings.secret_keys):
        yield f"USHER_SECRET_KEY is shorter than {SECRET_KEY_LENGTH} characters; {advice}"
    elif any(len(set(key)) < 8 for key in settings.secret_keys):
        yield f"USHER_SECRET_KEY repeats a few characters, which can be guessed; {advice}"


def _admins(settings: Settings) -> Iterator[str]:
    if settings.has_teams and not settings.admins and not settings.owners and not settings.admin_groups:
        yield (
            "USHER_ADMINS is empty, so that nobody in Teams could run a rollout: list e-mail addresses or user ids,"
            " separated by commas."
        )


def _lists(settings: Settings) -> Iterator[str]:
    for setting, name in _people(settings):
        if not _names_somebody(name):
            yield (
                f"{setting}: {name!r} is neither an e-mail address nor a user id (Slack: U0123ABCD; Teams: the"
                " user's object id)."
            )
    if not settings.login_hosts:
        yield "USHER_LOGIN_HOSTS is empty, so that no login URL could be accepted: remove it to get the default."
    yield from _hosts("USHER_LOGIN_HOSTS", settings.login_hosts)
    yield from _hosts("USHER_TEAMS_SERVICE_HOSTS", settings.teams_service_hosts)
    for host in settings.login_hosts:
        if host.startswith("*."):
            yield f"USHER_LOGIN_HOSTS: write {host[2:]!r} instead of {host!r}; subdomains are included."


def _approvals(settings: Settings) -> Iterator[str]:
    for name in settings.approvals:
        if name not in APPROVALS:
            yield f"USHER_APPROVALS: {name!r} is not one of {', '.join(APPROVALS)}."


def _admin_groups(settings: Settings) -> Iterator[str]:
    for group in settings.admin_groups:
        kind, _, name = group.partition(":")
        if kind not in {"slack", "entra", "owners"} or not name:
            yield (
                f"USHER_ADMIN_GROUPS: {group!r} is no group: write slack: and a user group's id (S0123ABCD), entra:"
                " and a group's object id, or owners: and the object id of a team's group."
            )
        elif kind != "slack" and not is_guid(name):
            yield f"USHER_ADMIN_GROUPS: {name!r} is not a GUID: copy the group's Object ID from Microsoft Entra."


def _people(settings: Settings) -> Iterator[tuple[str, str]]:
    for setting in ("admins", "owners", "viewers"):
        for name in getattr(settings, setting):
            yield f"USHER_{setting.upper()}", name


def _hosts(setting: str, hosts: tuple[str, ...]) -> Iterator[str]:
    for host in hosts:
        if not _HOST.fullmatch(host):
            yield f"{setting}: {host!r} is not a host name: leave out https:// and whatever follows the name."


def _names_somebody(name: str) -> bool:
    patterns = (_EMAIL, _SLACK_USER, _PERSON, _TEAMS_USER)
    return is_guid(name) or any(pattern.fullmatch(name) for pattern in patterns)


def _database(settings: Settings) -> Iterator[str]:
    scheme = settings.database_url.get_secret_value().partition("://")[0]
    if scheme not in DATABASES:
        yield (
            "USHER_DATABASE_URL must begin with sqlite:/// (one process) or postgresql:// (several): no other"
            " database is supported."
        )


def _addresses(settings: Settings) -> Iterator[str]:
    """These addresses are sent secrets, or believed."""
    for name in (
        "slack_api_url",
        "teams_openid_metadata_url",
        "teams_token_url",
        "teams_graph_url",
        "sonarqube_api_url",
    ):
        address = getattr(settings, name)
        if not address:
            continue
        if not _is_address(address):
            yield f"USHER_{name.upper()} is not an address: it must begin with https://."
        elif not address.startswith("https://") and not is_loopback_url(address):
            yield f"USHER_{name.upper()} must begin with https://: what is sent there must not be read on the way."


def _slack(settings: Settings) -> Iterator[str]:
    if not settings.has_slack:
        return
    yield from _slack_gaps(settings)
    yield from _slack_prefixes(settings)


def _slack_gaps(settings: Settings) -> Iterator[str]:
    if not settings.slack_bot_token and not settings.slack_client_id:
        yield (
            "Slack is half configured: USHER_SLACK_BOT_TOKEN is missing (the app's page OAuth & Permissions,"
            " Bot User OAuth Token)."
        )
    if not settings.slack_signing_secret and not settings.slack_app_token:
        yield (
            "Slack is half configured: USHER_SLACK_SIGNING_SECRET is missing (the app's page Basic Information), or"
            " USHER_SLACK_APP_TOKEN for Socket Mode."
        )
    elif not settings.slack_signing_secret and settings.slack_client_id:
        yield "USHER_SLACK_SIGNING_SECRET is missing: installations by link come over HTTP, Socket Mode or not."
    if bool(settings.slack_client_id) != bool(settings.slack_client_secret):
        missing = "USHER_SLACK_CLIENT_SECRET" if settings.slack_client_id else "USHER_SLACK_CLIENT_ID"
        yield f"{missing} is missing: set both USHER_SLACK_CLIENT_ID and USHER_SLACK_CLIENT_SECRET, or neither."


def _slack_prefixes(settings: Settings) -> Iterator[str]:
    bot, app = settings.slack_bot_token.get_secret_value(), settings.slack_app_token.get_secret_value()
    if bot.startswith("xoxe."):
        yield "USHER_SLACK_BOT_TOKEN is a token that expires: turn token rotation off, or install the app by link."
    elif bot and not bot.startswith("xoxb-"):
        yield "USHER_SLACK_BOT_TOKEN is not a bot token: it must begin with xoxb-."
    if app and not app.startswith("xapp-"):
        yield "USHER_SLACK_APP_TOKEN is not an app-level token: it must begin with xapp-."
    for name in ("slack_signing_secret", "slack_client_secret"):
        secret: SecretStr = getattr(settings, name)
        if _SLACK_TOKEN.match(secret.get_secret_value()):
            yield f"USHER_{name.upper()} holds a token: copy the secret from the app's page Basic Information."


def _teams(settings: Settings) -> Iterator[str]:
    if not settings.has_teams:
        return
    if not settings.teams_app_id:
        yield (
            "USHER_TEAMS_APP_ID is missing: without it Microsoft's SDK lets everybody in (the bot's page"
            " Configuration, Microsoft App ID)."
        )
    if not settings.teams_app_password:
        yield "USHER_TEAMS_APP_PASSWORD is missing: create a client secret for the app registration."
    if not settings.teams_tenant_id:
        yield "USHER_TEAMS_TENANT_ID is missing: the bot serves one tenant (Microsoft Entra ID, Overview, Tenant ID)."
    yield from _teams_ids(settings)
    if settings.teams_is_emulated != is_loopback_url(settings.teams_token_url):
        yield (
            "USHER_TEAMS_OPENID_METADATA_URL and USHER_TEAMS_TOKEN_URL contradict each other: one is on this machine,"
            " the other is not. Set both or neither."
        )


def _teams_ids(settings: Settings) -> Iterator[str]:
    """Microsoft's ids are GUIDs; an emulator may name things as it likes."""
    if settings.teams_is_emulated:
        return
    if settings.teams_app_id and not is_guid(settings.teams_app_id):
        yield "USHER_TEAMS_APP_ID is not a GUID (00000000-0000-0000-0000-000000000000): copy Microsoft App ID."
    if settings.teams_tenant_id and not is_guid(settings.teams_tenant_id):
        yield "USHER_TEAMS_TENANT_ID is not a GUID: copy the Tenant ID, not the tenant's domain name."
    if settings.teams_catalog_app_id and not is_guid(settings.teams_catalog_app_id):
        yield "USHER_TEAMS_CATALOG_APP_ID is not a GUID: copy the App ID that the Teams admin center shows."


def is_guid(value: str) -> bool:
    """Whether it is written as Microsoft writes ids."""
    try:
        return str(UUID(value)) == value.casefold()
    except ValueError:
        return False


def _is_address(value: str) -> bool:
    try:
        url = URL(value)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.host) and not url.user and not url.fragment
