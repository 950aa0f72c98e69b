"""From an event to a stored decision: seen before? who may? which conversation? step, commit.

Everything that happens passes through `Engine`. An event and what was decided about it are stored in one transaction,
which those that come at the same time may share (bot.group_commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from secrets import token_urlsafe

import structlog

from bot import faultpoints, roles
from bot.admin_groups import AdminGroups
from bot.approvals import MOST_TOLD, ApprovalKind, ApprovalState, Asking, Needed, Rules, approval_id, event_of
from bot.commands import COMMANDS, command_of, from_message, words_said
from bot.conversations import CONVERSATIONS, answers
from bot.conversations.approval import ask_for, decided
from bot.conversations.scene import PER_MINUTE, Conversation, Loaded, Scene
from bot.effects import store_effect
from bot.events import (
    ButtonPressed,
    CheckSeen,
    CommandIssued,
    Event,
    FormSubmitted,
    HomeOpened,
    ListHandedIn,
    MessageReceived,
    PeopleFound,
)
from bot.group_commit import GroupCommit
from bot.model import HOME_COMPANY, AuditEntry, Person, Platform, Workspace, derived_id
from bot.ports import Acting, Clock, StaleWrite, Store, StoreUnavailable, Transaction
from bot.secrets import holds_secret
from bot.transition import Reply, Speak, Transition, Whisper

ANSWER_WITHIN = 2.0  # seconds; Slack waits for 3 (docs.slack.dev, "Acknowledging requests")
BACKGROUND_WITHIN = 60.0  # seconds, for events that no person waits for
ATTEMPTS = 3  # when somebody else changed the same row in the meantime

# nobody waits long for one of these; a form may invite thousands
_SHORT = CommandIssued | ButtonPressed | MessageReceived | HomeOpened

# the bot's own: nobody is waiting, and nobody has come anew
_OWN = PeopleFound | CheckSeen | ListHandedIn

NOBODY = roles.Admins(frozenset())
# what platforms tell of a person
_TOLD = frozenset(Person.model_fields) - {"seen_at", "language", "is_appointed", "has_removed_app"}

log = structlog.get_logger(__name__)


class Engine:
    """Implements bot.ports.Handle."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        admins: roles.Admins,
        login_hosts: tuple[str, ...] = ("sonarcloud.io", "sonarqube.us"),
        *,
        public_url: str = "",
        answer_within: float = ANSWER_WITHIN,
        groups: AdminGroups | None = None,
        approvals: Rules | None = None,
        per_minute: Mapping[Platform, float] = PER_MINUTE,
    ) -> None:
        self._store = store
        self._clock = clock
        self._admins = admins
        self._groups = groups or AdminGroups()
        self._approvals = approvals or Rules()
        self._login_hosts = login_hosts
        self._public_url = public_url
        self._per_minute = per_minute
        self._answer_within = answer_within
        self._group_commit = GroupCommit(store, self._stored)
        self._handling: set[asyncio.Task[Reply | None]] = set()

    async def __call__(self, event: Event) -> Reply | None:
        """Decide and commit; the reply is to be shown now. See bot.ports.Handle for what callers may rely on."""
        waiting = not isinstance(event, _OWN)
        try:
            return await self._in_time(event, self._answer_within if waiting else BACKGROUND_WITHIN)
        except (TimeoutError, StoreUnavailable, StaleWrite) as failure:
            log.warning(
                "event.not_stored",
                kind=type(event).__name__,
                workspace=event.workspace_id,
                why=type(failure).__name__,
            )
            if isinstance(event, CommandIssued | ButtonPressed | FormSubmitted):
                return Whisper(answers.try_again())
            raise StoreUnavailable from failure

    async def _in_time(self, event: Event, seconds: float) -> Reply | None:
        """Raises TimeoutError when it takes longer. What was begun is then rolled back, but not waited for: the
        thread of a locked SQLite file, for one, lets go only when its own time is up.
        """
        handling = asyncio.create_task(self._handle(event))
        self._handling.add(handling)
        handling.add_done_callback(self._handled)
        try:
            if not (await asyncio.wait({handling}, timeout=seconds))[0]:
                raise TimeoutError
            return await handling
        finally:
            handling.cancel()

    def _handled(self, handling: asyncio.Task[Reply | None]) -> None:
        self._handling.discard(handling)
        if not handling.cancelled():
            handling.exception()  # seen, also when nobody waits for it any more

    async def _handle(self, event: Event) -> Reply | None:
        commit = self._group_commit if isinstance(event, _SHORT) else self._group_commit.alone
        for _ in range(ATTEMPTS - 1):
            try:
                return await commit(event)
            except StaleWrite:  # somebody was faster: look again
                commit = self._group_commit.alone
                await asyncio.sleep(0)
        return await commit(event)

    async def _stored(self, tx: Transaction, event: Event) -> Reply | None:
        now = self._clock.now()
        if not await tx.inbox.remember(event.id, now):
            return None
        faultpoints.reach("engine.after_inbox")
        return (await self._decide(tx, event, now)).reply

    async def _decide(self, tx: Transaction, event: Event, now: datetime) -> Transition:
        acting = await tx.rollouts.acting(event.workspace_id, event.actor.id)
        scene = self._scene(acting)
        if scene is None or (acting.person is None and isinstance(event, _OWN)):  # erased since it was asked
            return Transition()
        event = replace(event, actor=await _meet(tx, acting.person, event.actor))
        scene = replace(scene, role=roles.role_of(_with_known_rights(event), self._admins_of(scene.workspace)))
        scene = await _about(tx, scene, event)
        link = event.link if isinstance(event, MessageReceived) else ""
        event = (isinstance(event, MessageReceived) and from_message(event)) or event
        conversation, action = conversation_for(event)
        loaded = await conversation.read(tx, event, scene)
        if isinstance(event, CommandIssued) and holds_secret(words_said(event)):
            transition = answers.secret_pasted(link)
        elif not _may(loaded, event, conversation, action):
            transition = answers.refused(action, loaded) if _is_certain(loaded, event) else answers.not_recognised()
        else:
            transition = conversation.decide(loaded, event, now)
            transition = await self._with_second_admin(tx, transition, scene, event, now)
        await _store(tx, transition, event, scene, now)
        return _spoken(transition, event.actor)

    async def _with_second_admin(
        self, tx: Transaction, transition: Transition, scene: Scene, event: Event, now: datetime
    ) -> Transition:
        """The question to a second admin instead of what needs their approval; what they approve is done."""
        if transition.approved is not None:
            asker = await tx.people.person(transition.approved.asked_by)
            if asker is None:
                return answers.outdated()
            done = await self._carry_out(tx, event_of(transition.approved, asker), now)
            state = ApprovalState.APPROVED if done else ApprovalState.OVERTAKEN
            return decided(transition.approved, asker, event.actor, state)
        needed = transition.needed
        if needed is None or not self._approvals.want(needed) or not isinstance(event, Asking):
            return transition
        company = scene.workspace.company
        before = await tx.approvals.approval(approval_id(company, event))
        seen = await tx.people.admins_seen(company, scene.admins)
        others = _who_may_approve(needed, seen, event.actor, self._admins_of(scene.workspace))
        return ask_for(needed, event, others, now, company=company, before=before)

    async def _carry_out(self, tx: Transaction, event: Event, now: datetime) -> bool:
        """Decide what was asked for as if it happened now; False when that is no longer possible."""
        scene = self._scene(await tx.rollouts.acting(event.workspace_id, event.actor.id))
        if scene is None:
            return False
        role = roles.role_of(event.actor, self._admins_of(scene.workspace))
        scene = await _about(tx, replace(scene, role=role), event)
        conversation, action = conversation_for(event)
        loaded = await conversation.read(tx, event, scene)
        if not _may(loaded, event, conversation, action):
            return False
        transition = conversation.decide(loaded, event, now)
        if transition.needed is None:  # an answer to what has changed, not what was approved
            return False
        await _store(tx, transition, event, scene, now)
        return True

    def _scene(self, acting: Acting) -> Scene | None:
        """None for a workspace that is not installed here, or no longer."""
        workspace = acting.workspace
        if workspace is None or not workspace.active:
            return None
        admins = self._admins_of(workspace)
        return Scene(
            workspace=workspace,
            role=roles.Role.STRANGER,
            rollout=acting.rollout,
            admins=tuple(sorted(admins.names | admins.owners)),
            admins_elsewhere=self._groups.names() if workspace.company == HOME_COMPANY else frozenset(),
            login_hosts=self._login_hosts,
            public_url=self._public_url,
            per_minute=self._per_minute,
            secret=token_urlsafe(32),
        )

    def _admins_of(self, workspace: Workspace) -> roles.Admins:
        """The lists are the operator's own company's. Whoever runs another workspace can give any address there."""
        if workspace.company != HOME_COMPANY:
            return NOBODY
        in_groups = self._groups.names(workspace.id)
        return replace(self._admins, names=self._admins.names | in_groups) if in_groups else self._admins


async def _about(tx: Transaction, scene: Scene, event: Event) -> Scene:
    """The scene on the rollout that a button is about, which need not be the one that the admin works on now."""
    runs_it = scene.role.runs_rollouts or scene.role is roles.Role.VIEWER
    match event:
        case ButtonPressed() | FormSubmitted() if runs_it:
            subject = event.token.subject
        case PeopleFound() | ListHandedIn():
            subject = event.dialog_id
        case _:
            return scene
    if scene.rollout is not None and scene.rollout.id == subject:
        return scene
    named = await tx.rollouts.named(subject) if subject else None
    mine = named is not None and named.company == scene.workspace.company
    return replace(scene, rollout=named) if mine else scene


def conversation_for(event: Event) -> tuple[Conversation, str]:
    """The conversation that an event belongs to, and the action it asks for."""
    match event:
        case CommandIssued():
            name = command_of(event)
            command = COMMANDS.get(name, COMMANDS["help"])
            return CONVERSATIONS[command.conversation], command.name
        case ButtonPressed() | FormSubmitted():
            known = CONVERSATIONS.get(event.token.conversation, CONVERSATIONS["help"])
            return known, event.token.action
        case MessageReceived() | HomeOpened():
            return CONVERSATIONS["home"], "open"
        case PeopleFound():
            return CONVERSATIONS["invite"], "found"
        case ListHandedIn():
            return CONVERSATIONS["invite"], "handed_in"
        case CheckSeen():
            return CONVERSATIONS["confirm"], "seen"


def _may(loaded: Loaded, event: Event, conversation: Conversation, action: str) -> bool:
    if isinstance(event, PeopleFound | CheckSeen):  # the bot's own; no platform can make these
        return True
    is_invitee = loaded.owner is None or loaded.owner == event.actor.id
    return roles.may(loaded.scene.role, conversation.name, action, is_invitee=is_invitee)


def _who_may_approve(
    needed: Needed, seen: Sequence[Person], asker: Person, admins: roles.Admins
) -> tuple[Person, ...]:
    """Other admins: those who were named or appointed; the workspace's own, who did not ask for it, where there is
    nobody else.
    """
    lowest = (roles.Role.OWNER,) if needed.kind is not ApprovalKind.SEND else (roles.Role.OWNER, roles.Role.ADMIN)
    others = [each for each in seen if each.identity != asker.identity and roles.role_of(each, admins) in lowest]
    named = [each for each in others if each.is_appointed or admins.include(each)]
    return tuple((named or others)[:MOST_TOLD])


def _spoken(transition: Transition, actor: Person) -> Transition:
    """The reply in the language that its reader has chosen, also when that was just now."""
    chosen = [effect.language for effect in transition.effects if isinstance(effect, Speak)]
    language = chosen[0] if chosen else actor.language
    if transition.reply is None or not language:
        return transition
    return replace(transition, reply=replace(transition.reply, language=language))


def _with_known_rights(event: Event) -> Person:
    """An admin's right that was once heard of has no date: without the platform's word it does not count."""
    return event.actor if event.actor_known else event.actor.model_copy(update={"is_workspace_admin": False})


def _is_certain(loaded: Loaded, event: Event) -> bool:
    """Whether the refusal would be the same if the platform had told who it is."""
    return event.actor_known or loaded.owner is not None


async def _meet(tx: Transaction, known: Person | None, seen: Person) -> Person:
    """The actor with what is known from before; stored only when something is new."""
    if known is None:
        await tx.people.meet([seen])
        return seen
    merged = known.model_copy(update=_told(seen))
    if merged != known:
        await tx.people.meet([merged.model_copy(update={"seen_at": seen.seen_at})])
    return merged


def _told(seen: Person) -> dict[str, object]:
    """What an event tells about a person. A flag that is not set tells something only in a whole profile, which has
    an e-mail address: a click does not make an admin a member, nor a guest a colleague.
    """
    silent = ("", "UTC", "en") if seen.email else ("", "UTC", "en", False)
    fields = ((name, getattr(seen, name)) for name in _TOLD)
    return {name: value for name, value in fields if value not in silent}


async def _store(tx: Transaction, transition: Transition, event: Event, scene: Scene, now: datetime) -> None:
    for row in transition.state:
        await tx.save(row)
    for effect in transition.effects:
        await store_effect(tx, effect, event, now)
    if transition.audit is not None:
        await tx.audit.record(
            AuditEntry(
                id=derived_id(event.id, "audit"),
                at=now,
                company=scene.workspace.company,
                workspace_id=event.workspace_id,
                actor=event.actor.id,
                action=transition.audit,
                subject=transition.subject,
                outcome=transition.outcome,
                details=dict(transition.details),
            )
        )
