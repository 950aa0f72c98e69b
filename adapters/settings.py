"""The settings: USHER_… from the environment and `.env`. docs/settings.md explains each one.

Reading (`load`) and judging (`adapters.settings_problems.problems`) are two steps, so that a command which needs no
platform, such as `usher manifest`, can run with settings that `usher serve` refuses.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from yarl import URL

from adapters.settings_problems import is_loopback_url, problems
from adapters.teams.service_url import SERVICE_HOSTS

__all__ = ["PREFIX", "Settings", "SettingsInvalid", "load", "problems"]

PREFIX = "USHER_"

# A name this near to a setting's is taken for a misspelling of it. Not nearer: Kubernetes puts USHER_SERVICE_HOST
# and the like into every container when a service is called "usher".
_NEAR = 0.85


def _split(value: object) -> object:
    """A list as people write it: separated by commas, white space around them or not."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _casefold(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.casefold() for value in values))


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _async_driver(value: SecretStr) -> SecretStr:
    """The short names of the two databases mean the drivers that this project uses."""
    scheme, separator, rest = value.get_secret_value().partition("://")
    driver = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg"}
    return SecretStr(driver.get(scheme.casefold(), scheme) + separator + rest)


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_casefold)]
Text = Annotated[str, BeforeValidator(_stripped)]
Address = Annotated[str, BeforeValidator(_stripped), AfterValidator(lambda url: url.rstrip("/"))]
Secret = Annotated[SecretStr, BeforeValidator(_stripped)]
Lower = BeforeValidator(lambda value: value.strip().casefold() if isinstance(value, str) else value)


class Settings(BaseSettings):
    """Every setting, with its default. An unset secret is an empty one.

    `Settings(_env_file=None)` reads the environment only.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,  # compose files pass unset variables on as empty ones
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[Secret, AfterValidator(_async_driver)] = SecretStr("sqlite+aiosqlite:///usher.db")
    public_url: Address = ""
    host: Text = "127.0.0.1"
    port: int = Field(default=3978, ge=0, le=65535)  # 0: any free one
    secret_key: Secret = SecretStr("")
    admins: Names = ()
    owners: Names = ()  # empty: every admin is one
    viewers: Names = ()
    approvals: Names = ()  # what a second admin has to approve: login-url, admins, send
    approval_above: Annotated[int, Field(ge=0)] = 100  # people; sending to more of them counts
    admin_groups: Names = ()  # "slack:", "entra:" or "owners:" and a group's id: bot/admin_groups.py
    login_hosts: Names = ("sonarcloud.io", "sonarqube.us")  # each with its subdomains
    retention_days: Annotated[int, Field(ge=0)] = 0  # after a rollout's end; 0: until an admin erases its people
    events_per_minute: Annotated[int, Field(ge=0)] = 120  # of one person, in one process; 0: no limit
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = "info"
    log_format: Annotated[Literal["auto", "json", "console"], Lower] = "auto"

    slack_bot_token: Secret = SecretStr("")
    slack_signing_secret: Secret = SecretStr("")
    slack_app_token: Secret = SecretStr("")
    slack_client_id: Text = ""
    slack_pkce: bool = False
    slack_client_secret: Secret = SecretStr("")
    slack_api_url: Annotated[Address, AfterValidator(lambda url: f"{url}/")] = "https://slack.com/api/"
    slack_messages_per_minute: int = Field(default=525, ge=1, le=6000)

    teams_app_id: Text = ""
    teams_app_password: Secret = SecretStr("")
    teams_tenant_id: Text = ""
    teams_openid_metadata_url: Address = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    teams_token_url: Address = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"  # noqa: S105
    teams_graph_url: Address = "https://graph.microsoft.com/v1.0"
    teams_service_hosts: Names = SERVICE_HOSTS
    teams_catalog_app_id: Text = ""
    teams_login_redirect: bool = False
    teams_messages_per_second: int = Field(default=30, ge=1, le=500)

    sonarqube_token: Secret = SecretStr("")
    sonarqube_api_url: Address = ""  # empty: the API of the rollout's region

    @property
    def keep_people_for(self) -> timedelta | None:
        """How long after its end a rollout's people are kept; None: until an admin erases them."""
        return timedelta(days=self.retention_days) if self.retention_days else None

    @property
    def has_slack(self) -> bool:
        """Whether anything of Slack is configured."""
        return bool(
            self.slack_bot_token
            or self.slack_signing_secret
            or self.slack_app_token
            or self.slack_client_id
            or self.slack_client_secret
        )

    @property
    def has_teams(self) -> bool:
        """Whether anything of Microsoft Teams is configured."""
        return bool(self.teams_app_id or self.teams_app_password or self.teams_tenant_id)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys for secrets at rest: the first one encrypts, all of them decrypt."""
        keys = _split(self.secret_key.get_secret_value())
        return keys if isinstance(keys, tuple) else ()

    @property
    def teams_is_emulated(self) -> bool:
        """Whether tokens are checked against a server on this machine: then its connector may be on it, too."""
        return is_loopback_url(self.teams_openid_metadata_url)

    def secrets(self) -> tuple[str, ...]:
        """The values that must never be seen in a log, longest first."""
        values = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        values.remove(self.database_url.get_secret_value())
        parts = (*values, *self.secret_keys, *_passwords(self.database_url.get_secret_value()))
        return tuple(sorted({part for part in parts if part}, key=len, reverse=True))


class SettingsInvalid(Exception):
    """Some settings cannot be used. `problems` has one line for each, without the values of secrets."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(env_file: Path | str | None = ".env") -> Settings:
    """The settings of the environment and of `env_file`, which need not exist; None reads the environment only.

    Raises SettingsInvalid when a value has the wrong form or a name is misspelt.
    """
    found = _misspelt(env_file)
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]  # pydantic-settings' own argument
    except ValidationError as error:
        raise SettingsInvalid([*_lines(error), *found]) from None
    if found:
        raise SettingsInvalid(found)
    return settings


def _lines(error: ValidationError) -> list[str]:
    """One line for each error. pydantic's own texts name what is allowed; the value itself is left out."""
    lines = []
    for mistake in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(mistake["loc"][0]) if mistake["loc"] else ""
        lines.append(f"{PREFIX}{name.upper()}: {mistake['msg'][:1].lower()}{mistake['msg'][1:]}.")
    return lines


def _misspelt(env_file: Path | str | None) -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    in_file = dotenv_values(env_file) if env_file and Path(env_file).is_file() else {}
    lines = []
    for name in sorted({*os.environ, *in_file} - known):
        near = get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)
        if name.upper().startswith(PREFIX) and near and name.upper() not in known:
            lines.append(f"{name} is not a setting. Did you mean {near[0]}?")
    return lines


def _passwords(url: str) -> tuple[str, ...]:
    """The password in a URL as written and as meant."""
    try:
        return (URL(url).raw_password or "", URL(url).password or "")
    except ValueError:
        return ()
