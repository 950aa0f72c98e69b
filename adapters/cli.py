"""The command line, and the composition root: the only place where the parts are put together.

Exit codes: 0 done, 1 failed, 2 usage.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from getpass import getpass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from adapters import bench, logs
from adapters.assembly import TimeLimits, assembled, chat_adapters
from adapters.chat import ChatAdapter
from adapters.doctor import Patient, examine, show_roles
from adapters.init import init
from adapters.manifest import slack_manifest, teams_package
from adapters.server import served
from adapters.settings import Settings, SettingsInvalid, load, problems
from adapters.settings_problems import is_guid, is_loopback_url
from bot.clock import SystemClock
from bot.events import Event
from bot.ports import StoreUnavailable
from bot.transition import Reply
from storage import migrate
from storage.database import Database
from storage.restored import doubt
from storage.vault import Unreadable, Vault, rotate

DONE, FAILED, USAGE = 0, 1, 2
LAST_WORDS = (
    0.1  # seconds in which the thread of a file that could not be opened ends; it needs the event loop for that
)

T = TypeVar("T")


async def serve(settings: Settings, *, stop: asyncio.Event | None = None) -> int:
    """`usher serve`: run until SIGTERM or SIGINT, then finish what is in flight."""
    stop = stop or stopped_by_signal()
    async with (
        assembled(settings) as bot,
        served(bot.application(), settings.host, settings.port) as url,
        bot.running(),
    ):
        print(f"SSO Usher listens on {url}", flush=True)
        await stop.wait()
    return DONE


def stopped_by_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _serve(_arguments: argparse.Namespace) -> int:
    settings = load()
    wrong = problems(settings, for_serve=True)
    if wrong:
        return _complain(wrong)
    logs.set_up(settings.log_level, settings.log_format, secrets=settings.secrets())
    return _run(serve(settings))


def _demo(arguments: argparse.Namespace) -> int:
    # The playground is imported by the commands that show it: `usher serve` starts without it.
    from adapters.playground.autoplay import autoplay  # noqa: PLC0415
    from adapters.playground.demo import demo  # noqa: PLC0415

    logs.set_up("error")  # an emulated person who has blocked the bot is part of the story
    if arguments.autoplay:
        return asyncio.run(autoplay(assembled, Console(), people=arguments.people))
    return asyncio.run(demo(assembled, stopped_by_signal, port=arguments.port))


def _simulate(arguments: argparse.Namespace) -> int:
    from adapters.playground.simulation import simulate  # noqa: PLC0415

    logs.set_up("warning")
    return asyncio.run(simulate(arguments, Console()))


def _bench(arguments: argparse.Namespace) -> int:
    from adapters.bench.run import bench as run_bench  # noqa: PLC0415  # it puts bots together, with what is above

    logs.set_up("error")
    return asyncio.run(run_bench(arguments, Console()))


def _manifest(arguments: argparse.Namespace) -> int:
    settings = load()
    url = arguments.public_url or settings.public_url
    if not url:
        return _complain(["--public-url is missing: give the https address where the platforms reach the bot."])
    if not url.startswith("https://") and not is_loopback_url(url):
        return _complain([f"--public-url must start with https://, since the platforms accept nothing else: {url}"])
    if arguments.platform == "slack":
        return _write(arguments.output, slack_manifest(url))
    app_id = arguments.app_id or settings.teams_app_id
    if not app_id:
        return _complain(["--app-id is missing: give the Microsoft app id of the bot's registration."])
    if not is_guid(app_id):
        return _complain(["--app-id must be a GUID, such as 00000000-0000-0000-0000-000000000000."])
    target = Path(arguments.output or "usher-teams.zip")
    target.write_bytes(teams_package(url, app_id))
    print(
        f"Wrote {target}. Upload it in the Teams admin center (Manage apps) or in Teams (Apps, Upload a custom app)."
    )
    return DONE


def _init(arguments: argparse.Namespace) -> int:
    directory = Path(arguments.directory)
    if not directory.is_dir():
        return _complain([f"--directory: there is no directory {directory}."])

    def ask(question: str, hidden: bool) -> str:  # adapters.init.Ask
        return getpass(question) if hidden and sys.stdin.isatty() else input(question)

    try:
        init(directory, ask, print)
    except (EOFError, KeyboardInterrupt):
        print("\nBroken off: no setting was written.", file=sys.stderr)
        return FAILED
    return DONE


def _doctor(arguments: argparse.Namespace) -> int:
    if arguments.roles:
        show_roles(Console(width=120))
        return DONE
    settings = load()
    logs.set_up("error", secrets=settings.secrets())
    url, clock = settings.database_url.get_secret_value(), SystemClock()

    async def tables() -> tuple[str | None, str, bool]:
        there = await migrate.current(url)
        return there, migrate.newest(), migrate.is_known(there)

    @asynccontextmanager
    async def adapters() -> AsyncIterator[Sequence[ChatAdapter]]:
        """They ask the platforms; nothing is handled, and nothing is stored."""
        async with AsyncExitStack() as stack:
            store = Database(url)
            stack.push_async_callback(store.close)
            made = chat_adapters(settings, _nothing, store, clock, TimeLimits(), pictures=None)
            for adapter in made:
                stack.push_async_callback(adapter.stop)
            yield made

    return _run(examine(Patient(settings, tables, adapters, clock), Console()))


async def _nothing(event: Event) -> Reply | None:  # noqa: ARG001  # bot.ports.Handle
    """Where no event can come from."""
    return None


def _db(arguments: argparse.Namespace) -> int:
    settings = load()
    url = settings.database_url.get_secret_value()
    try:
        if arguments.operation == "current":
            print(_run(migrate.current(url)) or "empty")
            return DONE
        if arguments.operation == "upgrade":
            if not _run(migrate.upgrade(url)):
                print(f"upgrade: left alone: a newer version has brought it to {_run(migrate.current(url))} already.")
                return DONE
        elif arguments.operation == "restored":
            print(f"restored: {_run(_restored(url))} messages wait that may have been sent since the backup.")
            return DONE
        elif arguments.operation == "rotate-keys":
            return _rotate_keys(settings)
        else:
            _run(migrate.downgrade(url, arguments.revision))
    except ValueError as mistake:  # a database of another kind, an unknown revision
        return _complain([str(mistake)])
    print(f"{arguments.operation}: done")
    return DONE


def _rotate_keys(settings: Settings) -> int:
    if not settings.secret_keys:
        return _complain(["USHER_SECRET_KEY is missing: the newest key first, then those it was before."])
    try:
        count = _run(
            rotate(settings.database_url.get_secret_value(), Vault(settings.secret_keys), SystemClock().now())
        )
    except Unreadable:
        print("A stored secret opens with none of USHER_SECRET_KEY's keys: add the old one.", file=sys.stderr)
        return FAILED
    sealed = "1 secret is" if count == 1 else f"{count} secrets are"
    print(f"rotate-keys: {sealed} sealed with the first key. The others can be removed.")
    return DONE


async def _restored(url: str) -> int:
    await migrate.upgrade(url)
    return await doubt(url, SystemClock())


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    usher = argparse.ArgumentParser(
        prog="usher", description="Walks a company through signing in to SonarQube Cloud with SSO."
    )
    commands = usher.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "Run the bot. Settings come from USHER_… variables or .env.")
    show = add("demo", _demo, "Open the playground: an emulated Slack workspace and Teams tenant, no account needed.")
    show.add_argument("--port", type=_port, default=3978, help="where the playground is served (default 3978)")
    show.add_argument(
        "--autoplay", action="store_true", help="run a whole rollout by itself in the terminal, then end"
    )
    show.add_argument("--people", type=int, default=60, help="how many invitees --autoplay has (default 60)")
    trial = add(
        "simulate",
        _simulate,
        "Try a reminder policy on simulated people and a simulated clock. `usher bench scale`: a million on paper.",
    )
    _simulation_arguments(trial)
    measure = add("bench", _bench, "Measure this bot on this machine, and say whether the goals are met.")
    measure.add_argument("measurement", nargs="?", choices=bench.MEASUREMENTS, help="which one (default: all)")
    measure.add_argument("--json", action="store_true", help="one JSON object for each figure, one a line")
    measure.add_argument("--scale", type=float, default=1.0, help="a tenth of the size is 0.1 (default 1)")
    measure.add_argument(
        "--database-url", default="", help="a PostgreSQL server where databases may be made (default: one of its own)"
    )
    measure.add_argument("--minutes", type=float, default=30.0, help="how long soak lasts (default 30)")
    begin = add("init", _init, "Ask a few questions, and write .env and the apps' manifests. Can be run again.")
    begin.add_argument("--directory", default=".", help="where to write (default: here)")
    manifest = add("manifest", _manifest, "Write the app manifest that an administrator installs the bot from.")
    manifest.add_argument("platform", choices=("slack", "teams"))
    manifest.add_argument("--public-url", help="the https address where the platform reaches the bot")
    manifest.add_argument("--app-id", help="Teams: the Microsoft app id of the bot's registration")
    manifest.add_argument("--output", help="the file to write (Slack: standard output; Teams: usher-teams.zip)")
    check = add("doctor", _doctor, "Check settings, database and platforms; one line each, with what to do.")
    check.add_argument("--roles", action="store_true", help="print who may do what, and check nothing")
    db = add("db", _db, "Manage the database's schema. The bot upgrades it by itself at start.")
    operations = db.add_subparsers(dest="operation", required=True, metavar="OPERATION")
    operations.add_parser("upgrade", help="bring the tables to this version")
    operations.add_parser("current", help="print the revision that the database is at")
    operations.add_parser(
        "restored", help="after restoring a backup: let nothing be sent that may have been sent since it was made"
    )
    operations.add_parser("rotate-keys", help="seal stored secrets with the first key of USHER_SECRET_KEY")
    down = operations.add_parser("downgrade", help="go back to an older revision; data of newer tables is lost")
    down.add_argument("revision", help='the revision to go back to, or "base" for none')
    return usher


def _simulation_arguments(trial: argparse.ArgumentParser) -> None:
    whole = (
        ("people", 5000, "how many people are invited"),
        ("days", 21, "how many days are simulated"),
        ("seed", 1, "the same seed, the same people"),
        ("first-after-days", 2, "the policy: first reminder after so many days"),
        ("every-days", 3, "the policy: then every so many days"),
        ("at-most", 4, "the policy: so many reminders at most"),
    )
    for name, default, text in whole:
        trial.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default {default})")
    first = date(2026, 1, 5)
    trial.add_argument("--start", type=_day, default=first, metavar="DAY", help=f"the first day (default {first})")
    trial.add_argument("--growing", action="store_true", help="the policy: once, twice, three times as many days")
    holidays = 'the policy: not on public holidays of this country, such as DE, or of each person\'s "own"'
    trial.add_argument("--holidays", default="", metavar="COUNTRY", help=holidays)
    trial.add_argument("--deadline", type=_day, metavar="DAY", help="the policy: the last day")
    trial.add_argument("--final-notice", action="store_true", help="the policy: a last reminder before the deadline")


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{words!r} is no day: write it like 2026-03-31") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except SettingsInvalid as wrong:
        return _complain(wrong.problems)
    except KeyboardInterrupt:
        return FAILED
    except StoreUnavailable:
        print("The database does not answer. Check USHER_DATABASE_URL, and that it is running.", file=sys.stderr)
        return FAILED
    except OSError as failure:
        in_use = (
            "The port is in use. Stop the other program, or choose another one (USHER_PORT; for the demo --port)."
        )
        print(in_use if failure.errno == errno.EADDRINUSE else failure, file=sys.stderr)
        return FAILED


def _run(work: Coroutine[Any, Any, T]) -> T:
    """asyncio.run for what uses the database."""

    async def to_the_end() -> T:
        try:
            return await work
        except StoreUnavailable:
            await asyncio.sleep(LAST_WORDS)
            raise

    return asyncio.run(to_the_end())


def _port(word: str) -> int:
    port = int(word)
    if not 0 < port < 2**16:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


def _complain(lines: Sequence[str]) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return USAGE


def _write(output: str | None, data: object) -> int:
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    if output:
        Path(output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return DONE
