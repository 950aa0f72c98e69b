"""The whole bot, put together from its settings."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from adapters import tracing
from adapters.backlog import BacklogCollector
from adapters.chat import ChatAdapter
from adapters.metrics import MeasuredPlatform, Metrics
from adapters.pictures import Pictures
from adapters.server import Bot
from adapters.settings import Settings
from adapters.slack.adapter import SlackAdapter, SlackConfig
from adapters.slack.inbound import ASK_WHO_WITHIN as SLACK_PROFILE_WITHIN
from adapters.slack.oauth import OAuth, OAuthConfig
from adapters.slack.platform import LIMITS as SLACK
from adapters.slack.shared import SharedSlackAdapter, Sites
from adapters.slack.tokens import RENEW_EVERY, AppCredentials, Tokens
from adapters.sonarqube import SonarQubeApi
from adapters.teams.adapter import TeamsAdapter, TeamsConfig
from adapters.teams.opening import LoginLinks
from adapters.teams.profiles import ASK_WHO_WITHIN as TEAMS_PROFILE_WITHIN
from bot.admin_groups import AdminGroups
from bot.approvals import ApprovalKind, Rules
from bot.clock import SystemClock
from bot.dispatcher import Dispatcher
from bot.engine import ANSWER_WITHIN, Engine
from bot.fair_use import FairUse
from bot.lookups import LookUpWorker
from bot.model import Platform
from bot.ports import ChatPlatform, Clock, Handle, Store
from bot.roles import Admins
from bot.schedule import build_scheduler, every, watch_admin_groups, watch_sign_ins
from bot.waves import WaveWorker
from storage import migrate
from storage.database import Database
from storage.vault import Vault


@dataclass(frozen=True)
class TimeLimits:
    """Seconds after which a person who waits is answered as well as it can be: by the engine, and without a profile
    that Slack or Teams is slow to tell. A test that runs on a busy machine is more patient.
    """

    answer: float = ANSWER_WITHIN
    slack_profile: float = SLACK_PROFILE_WITHIN
    teams_profile: float = TEAMS_PROFILE_WITHIN


PROMPT = TimeLimits()


@asynccontextmanager
async def assembled(
    settings: Settings, clock: Clock | None = None, *, limits: TimeLimits = PROMPT
) -> AsyncIterator[Bot]:
    """The whole bot from its settings, with an up-to-date database; closed on leaving.

    Raises bot.ports.StoreUnavailable when the database cannot be reached.
    """
    clock = clock or SystemClock()
    url = settings.database_url.get_secret_value()
    await migrate.upgrade(url)
    async with AsyncExitStack() as stack:
        store = Database(url)
        stack.push_async_callback(store.close)
        if settings.secret_keys:  # as `usher serve` always has; a simulation has none
            await store.unseal_with(Vault(settings.secret_keys))
        metrics = Metrics()
        stack.enter_context(metrics.counting_log())
        backlog = BacklogCollector(store, clock, store.connections)
        metrics.registry.register(backlog)
        stack.push_async_callback(backlog.stop)
        admins = Admins(frozenset(settings.admins), frozenset(settings.owners), frozenset(settings.viewers))
        groups = AdminGroups(settings.admin_groups)
        kinds = frozenset(ApprovalKind(each.replace("-", "_")) for each in settings.approvals)
        engine = Engine(
            store,
            clock,
            admins,
            settings.login_hosts,
            public_url=settings.public_url,
            answer_within=limits.answer,
            groups=groups,
            approvals=Rules(kinds, settings.approval_above),
            per_minute={
                Platform.SLACK: settings.slack_messages_per_minute,
                Platform.TEAMS: 60 * settings.teams_messages_per_second,
            },
        )
        traces = await stack.enter_async_context(tracing.started(os.environ))
        if (around := traces.statements()) is not None:
            stack.enter_context(store.watched(lambda asked: around(asked.system, asked.text)))
        handle = traces.handle(metrics.measured(FairUse(engine, clock, settings.events_per_minute)))
        pictures = Pictures(settings.public_url, settings.secret_keys) if settings.public_url else None
        adapters = chat_adapters(settings, handle, store, clock, limits, pictures=pictures)
        for adapter in adapters:
            stack.push_async_callback(adapter.stop)
        platforms: dict[Platform, ChatPlatform] = {
            adapter.platform.platform: MeasuredPlatform(traces.platform(adapter.platform), metrics)
            for adapter in adapters
        }
        directories = {adapter.directory.platform: adapter.directory for adapter in adapters}
        scheduler = build_scheduler(
            store,
            platforms,
            clock,
            admins=(*settings.admins, *settings.owners),
            keep_for=settings.keep_people_for,
            directories=directories,
        )
        for adapter in adapters:
            if isinstance(adapter, SharedSlackAdapter):
                every(scheduler, RENEW_EVERY, adapter.tokens.renew)
        if settings.admin_groups:
            watch_admin_groups(scheduler, store, directories, groups, clock)
        if settings.sonarqube_token:
            sonarqube = SonarQubeApi(settings.sonarqube_token.get_secret_value(), clock, settings.sonarqube_api_url)
            stack.push_async_callback(sonarqube.close)
            watch_sign_ins(scheduler, store, sonarqube, handle)
        yield Bot(
            store=store,
            adapters=adapters,
            dispatcher=Dispatcher(store, platforms, clock, observer=traces.observer(metrics)),
            look_ups=LookUpWorker(store, directories, handle, clock),
            waves=WaveWorker(store, clock),
            scheduler=scheduler,
            metrics=metrics,
            backlog=backlog,
            clock=clock,
            handle=handle,
            middlewares=(*traces.middlewares(), metrics.middleware()),
            pictures=pictures if settings.has_slack else None,
        )


def chat_adapters(
    settings: Settings, handle: Handle, store: Store, clock: Clock, limits: TimeLimits, *, pictures: Pictures | None
) -> Sequence[ChatAdapter]:
    """The adapters of the platforms that are configured."""
    adapters: list[ChatAdapter] = []
    if settings.has_slack:
        adapters.append(_slack_adapter(settings, handle, store, clock, limits, pictures=pictures))
    if settings.has_teams:
        teams = TeamsConfig(
            app_id=settings.teams_app_id,
            app_password=settings.teams_app_password.get_secret_value(),
            tenant_id=settings.teams_tenant_id,
            openid_metadata_url=settings.teams_openid_metadata_url,
            token_url=settings.teams_token_url,
            graph_url=settings.teams_graph_url,
            service_hosts=settings.teams_service_hosts,
            allow_loopback=settings.teams_is_emulated,
            messages_per_second=settings.teams_messages_per_second,
            catalog_app_id=settings.teams_catalog_app_id,
            login_links=(
                LoginLinks(settings.public_url, settings.secret_keys) if settings.teams_login_redirect else None
            ),
            ask_who_within=limits.teams_profile,
        )
        adapters.append(TeamsAdapter(teams, handle, store, clock))
    return adapters


def _slack_adapter(
    settings: Settings, handle: Handle, store: Store, clock: Clock, limits: TimeLimits, *, pictures: Pictures | None
) -> SlackAdapter | SharedSlackAdapter:
    """For the workspace whose token is set, or for all that install the app by link."""

    def with_token(bot_token: str, app_token: str = "") -> SlackConfig:
        return SlackConfig(
            bot_token=bot_token,
            signing_secret=settings.slack_signing_secret.get_secret_value(),
            app_token=app_token,
            api_url=settings.slack_api_url,
            messages_per_minute=settings.slack_messages_per_minute,
            ask_who_within=limits.slack_profile,
            pictures=pictures,
        )

    token = settings.slack_bot_token.get_secret_value()
    home = None
    if token:
        home = SlackAdapter(with_token(token, settings.slack_app_token.get_secret_value()), handle, store, clock)
    if home is not None and not settings.slack_client_id:
        return home
    app = AppCredentials(
        settings.slack_client_id, settings.slack_client_secret.get_secret_value(), settings.slack_api_url
    )
    tokens = Tokens(app, store, clock, Vault(settings.secret_keys))

    def made(bot_token: str) -> SlackAdapter:
        return SlackAdapter(with_token(bot_token), handle, store, clock)

    limits_of_each = replace(SLACK, per_second=settings.slack_messages_per_minute / 60)
    sites = Sites(home, made, tokens, store, limits_of_each)
    oauth = OAuth(OAuthConfig(app, settings.public_url, settings.slack_pkce), store, clock, tokens, sites.is_home)
    return SharedSlackAdapter(settings.slack_signing_secret.get_secret_value(), sites, oauth, tokens)
