"""`usher init`: a few questions, answered at the terminal; then `.env` and the apps' manifests are written.

It can be run again: what `.env` holds is offered as the answer, other lines of it stay, and a question that cannot be
answered yet (a token is there only once the app is) is left for later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

from dotenv import dotenv_values, set_key, unset_key
from pydantic import ValidationError

from adapters.manifest import slack_manifest, socket_mode_manifest, teams_package
from adapters.settings import PREFIX, Settings
from adapters.settings_problems import is_guid, problems

SLACK_FILE, TEAMS_FILE = "slack-manifest.json", "usher-teams.zip"
PLATFORMS = ("slack", "teams", "both")
KEPT = "•••"  # a secret that is there already

Answers = dict[str, str]
Ask = Callable[[str, bool], str]  # the question, and whether what is typed must not be seen; raises EOFError
Say = Callable[[str], None]


@dataclass(frozen=True)
class Question:
    """What is asked for one setting. `why` stands above it; an empty answer is taken where it is `optional`."""

    setting: str
    asks: str
    why: str = ""
    secret: bool = False
    optional: bool = False


PUBLIC_URL = Question("PUBLIC_URL", "Public address", "The https address at which the platforms reach this server.")
NO_PUBLIC_URL = Question(
    "PUBLIC_URL",
    "Public address",
    "The https address at which Slack reaches this server. Without one, the bot connects to Slack (Socket Mode).",
    optional=True,
)
ADMINS = Question("ADMINS", "Admins", "Who may run a rollout: e-mail addresses, separated by commas.")
MORE_ADMINS = Question(
    "ADMINS", "Admins", f"{ADMINS.why} On Slack, workspace owners and admins may in any case.", optional=True
)
DATABASE = Question(
    "DATABASE_URL",
    "Database",
    "sqlite:///usher.db for one process, postgresql://user:password@host/name for several.",
)
BOT_TOKEN = Question(
    "SLACK_BOT_TOKEN", "Bot token", "OAuth & Permissions, Bot User OAuth Token (xoxb-…).", secret=True, optional=True
)
SIGNING_SECRET = Question(
    "SLACK_SIGNING_SECRET",
    "Signing secret",
    "Basic Information, App Credentials, Signing Secret.",
    secret=True,
    optional=True,
)
APP_TOKEN = Question(
    "SLACK_APP_TOKEN",
    "App-level token",
    "Basic Information, App-Level Tokens, with the scope connections:write (xapp-…).",
    secret=True,
    optional=True,
)
APP_ID = Question("TEAMS_APP_ID", "Microsoft App ID", "The Azure Bot's page Configuration.", optional=True)
APP_PASSWORD = Question(
    "TEAMS_APP_PASSWORD",
    "Client secret",
    "Manage Password, New client secret: its value.",
    secret=True,
    optional=True,
)
TENANT_ID = Question("TEAMS_TENANT_ID", "App Tenant ID", "The same page.", optional=True)


def init(directory: Path, ask: Ask, say: Say) -> None:
    """Ask, then write into `directory`. Raises EOFError when it is broken off: no setting is written then."""
    file = directory / ".env"
    interview = Interview(_there(file), ask, say)
    say("Enter takes what stands in brackets. What you do not have yet, leave empty, and run this again later.")
    platform = interview.platform()
    slack, teams = platform != "teams", platform != "slack"
    interview.asked(PUBLIC_URL if teams else NO_PUBLIC_URL)
    interview.asked(ADMINS if teams else MORE_ADMINS)
    interview.asked(DATABASE)
    if slack:
        _slack(directory, interview)
    if teams:
        _teams(directory, interview)
    interview.answers.setdefault("SECRET_KEY", token_urlsafe(48))
    _write(file, interview.answers)
    say(f"\nWrote {file}, which only you can read. Next: `usher serve`, and beside it `usher doctor`.")
    missing = _problems(interview.answers)
    if missing:
        say("Before that, what is still missing, here or in .env:")
    for line in missing:
        say(f"- {line}")


class Interview:
    """Asks one question after the other; `answers` are the settings so far, by name without the prefix."""

    def __init__(self, there: Answers, ask: Ask, say: Say) -> None:
        self.answers = there
        self.say = say
        self._ask = ask

    def platform(self) -> str:
        """Which platforms: slack, teams or both."""
        slack, teams = (any(name.startswith(each) for name in self.answers) for each in ("SLACK_", "TEAMS_"))
        now = "both" if slack and teams else "teams" if teams else "slack"
        while True:
            said = self._ask(f"\nSlack, Teams or both [{now}]: ", False).strip().casefold() or now
            if said in PLATFORMS:
                return said
            self.say("Please answer slack, teams or both.")

    def asked(self, question: Question) -> str:
        """Ask until the answer can be used; returns it. An answer of a blank takes back what was there."""
        self.say(f"\n{question.why}")
        now = self.answers.get(question.setting, _default(question.setting))
        shown = KEPT if now and question.secret else now
        while True:
            said = self._ask(f"{question.asks} [{shown}]: " if shown else f"{question.asks}: ", question.secret)
            value = said.strip() if said else now
            faults = list(_faults(question, value))
            if not faults:
                break
            for fault in faults:
                self.say(fault)
        if value:
            self.answers[question.setting] = value
        else:
            self.answers.pop(question.setting, None)
        return value


def _slack(directory: Path, interview: Interview) -> None:
    """The app is made from the manifest, so the manifest comes first."""
    public_url = interview.answers.get("PUBLIC_URL", "")
    manifest = slack_manifest(public_url) if public_url else socket_mode_manifest()
    (directory / SLACK_FILE).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    interview.say(
        f"\nWrote {SLACK_FILE}. At https://api.slack.com/apps: Create New App, From a manifest, paste it, then "
        "Install App. The app's pages have what is asked now."
    )
    interview.asked(BOT_TOKEN)
    interview.asked(SIGNING_SECRET if public_url else APP_TOKEN)


def _teams(directory: Path, interview: Interview) -> None:
    public_url = interview.answers["PUBLIC_URL"]
    interview.say(
        "\nIn the Azure portal: create an Azure Bot, type Single Tenant, with the messaging endpoint "
        f"{public_url.rstrip('/')}/api/messages, and add the channel Microsoft Teams."
    )
    app_id = interview.asked(APP_ID)
    interview.asked(TENANT_ID)
    interview.asked(APP_PASSWORD)
    if app_id:
        (directory / TEAMS_FILE).write_bytes(teams_package(public_url, app_id))
        interview.say(f"\nWrote {TEAMS_FILE}. Upload it in the Teams admin center: Manage apps, Upload new app.")


def _there(file: Path) -> Answers:
    """What `.env` holds already."""
    values = dotenv_values(file) if file.is_file() else {}
    return {name.removeprefix(PREFIX): value for name, value in values.items() if name.startswith(PREFIX) and value}


def _default(setting: str) -> str:
    return "sqlite:///usher.db" if setting == "DATABASE_URL" else ""


def _faults(question: Question, value: str) -> Iterator[str]:
    """What is wrong with one answer, as `usher serve` would say it."""
    name = f"{PREFIX}{question.setting}"
    if not value:
        if not question.optional:
            yield "This one is needed."
        return
    if question is APP_ID and not is_guid(value):
        yield "That is not a GUID (00000000-0000-0000-0000-000000000000): copy Microsoft App ID."
        return
    yield from (each for each in _problems({question.setting: value}) if each.startswith(name))


def _problems(answers: Mapping[str, str]) -> list[str]:
    """What `usher serve` would say."""
    try:
        settings = Settings.model_validate({name.casefold(): value for name, value in answers.items()})
    except ValidationError as error:
        return [f"{PREFIX}{each['loc'][0]}".upper() + f": {each['msg']}" for each in error.errors()]
    return problems(settings)


def _write(file: Path, answers: Mapping[str, str]) -> None:
    """Other lines of the file stay. What is secret in it is for its owner's eyes."""
    file.touch(mode=0o600)
    there = _there(file)
    for name, value in answers.items():
        if there.get(name) != value:
            set_key(file, f"{PREFIX}{name}", value, quote_mode="auto")
    for name in there.keys() - answers.keys():  # taken back
        unset_key(file, f"{PREFIX}{name}")
    file.chmod(0o600)
