"""The database. Every operation of a Transaction is part of one transaction: all of it is stored, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from bot.approvals import Approval
from bot.digests import Digest
from bot.figures import Figures
from bot.finishing import FinishItem, Handout
from bot.messages import Message
from bot.model import (
    AuditEntry,
    Case,
    Delivery,
    DeliveryKind,
    Dialog,
    Listed,
    LookUp,
    Person,
    Platform,
    Rollout,
    Wave,
    WaveStage,
    Wish,
    Workspace,
)
from bot.ports.platform import Sent
from bot.ports.views import (
    Acting,
    CaseGroup,
    Due,
    Footprint,
    InvitationView,
    ListSummary,
    Missing,
    OverTime,
    Planned,
    RemovalCounts,
    RolloutCounts,
    Standing,
    Waiting,
    WaveCounts,
    WaveResults,
)
from bot.readiness import Readiness
from bot.transition import Row


class StaleWrite(Exception):
    """A row was changed by somebody else since it was read. Load again and decide again."""


class StoreUnavailable(Exception):
    """The database does not answer. Nothing was stored; the person may try again in a moment."""


class Inbox(Protocol):
    """Events that have been handled."""

    async def remember(self, event_id: str, at: datetime) -> bool:
        """False when the event was handled before."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop what is too old to come again; returns how many."""
        ...


class People(Protocol):
    """Workspaces and the people in them."""

    async def workspace(self, workspace_id: str) -> Workspace | None: ...
    async def workspaces(self, company: str | None = None) -> Sequence[Workspace]:
        """The active ones; all companies' when `company` is None."""
        ...

    async def save_workspace(self, workspace: Workspace) -> None: ...
    async def person(self, person_id: str) -> Person | None: ...
    async def by_ids(self, person_ids: Iterable[str]) -> Sequence[Person]: ...
    async def by_email(self, workspace_id: str, email: str) -> Person | None: ...
    async def same_as(self, person: Person, company: str) -> Sequence[Person]:
        """The person and whom the company's workspaces know by the same e-mail address, by id."""
        ...

    async def meet(self, people: Sequence[Person]) -> None:
        """Store or refresh; what a platform did not tell (empty name, e-mail, channel) keeps its old value."""
        ...

    async def set_language(self, person_id: str, language: str) -> None:
        """What the person has chosen; empty: nothing."""
        ...

    async def appoint(self, person_id: str, *, is_admin: bool) -> None:
        """Make somebody an admin, or take that back."""
        ...

    async def removed_app(self, person_id: str) -> None:
        """The person has removed the bot's app from their chat, which is no longer there."""
        ...

    async def set_channels(self, channels: Mapping[str, str]) -> None:
        """Channel by person id."""
        ...

    async def admins_seen(self, company: str, admins: Sequence[str]) -> Sequence[Person]:
        """The people of the company's workspaces whom `admins` (e-mail addresses, platform user ids or person
        ids, case-folded) name, and workspace admins: whom problems are passed to.
        """
        ...


class Rollouts(Protocol):
    """Rollouts, waves and dialogs."""

    async def rollout(self, rollout_id: str) -> Rollout | None: ...
    async def acting(self, workspace_id: str, person_id: str) -> Acting:
        """Where an event plays, its actor as known before, and their `current` rollout, in one question."""
        ...

    async def current(self, company: str, person_id: str = "") -> Rollout | None:
        """The rollout that this person has chosen (bot.model.CurrentRollout), or else the newest of the company;
        never a finished one.
        """
        ...

    async def unfinished(self, company: str) -> Sequence[Rollout]:
        """The company's rollouts that are not finished, the newest first."""
        ...

    async def readiness(self, rollout_id: str) -> Readiness | None:
        """What admins have confirmed before inviting; None when nobody was asked yet."""
        ...

    async def finished(self, company: str, limit: int) -> Sequence[Rollout]:
        """The company's rollouts that are finished and neither archived nor erased, the last to end first."""
        ...

    async def named(self, subject: str) -> Rollout | None:
        """The unfinished rollout that a button is about: `subject` is its id, or that of one of its waves, of a
        dialog about it, or of a problem that was reported in it.
        """
        ...

    async def hold_still(self, rollout_id: str) -> Rollout | None:
        """The rollout, which nobody can pause or resume until the transaction ends."""
        ...

    async def to_plan_anew(self) -> Rollout | None:
        """An unfinished rollout whose invitations do not all follow its policy yet (`planned_up_to` says which do);
        kept from other processes until the transaction ends.
        """
        ...

    async def planned(self, rollout_id: str, up_to: str | None) -> None:
        """The invitations up to this id follow the policy; None: all. Touches no version."""
        ...

    async def wave(self, wave_id: str) -> Wave | None:
        """By id. Nobody else changes it until the transaction ends."""
        ...

    async def running_waves(self) -> Sequence[Wave]:
        """Waves whose progress message may still change."""
        ...

    async def waves_to_work_on(self, now: datetime) -> Sequence[str]:
        """Waves that are being stored, their time having come, or of which the rest is cancelled: their ids, oldest
        first.
        """
        ...

    async def claim_wave(self, wave_id: str) -> Wave | None:
        """The wave, until the transaction ends; None while somebody else holds it."""
        ...

    async def count_wave(self, wave_id: str, *, size: int, withdrawn: int, stage: WaveStage) -> None:
        """What storing or withdrawing has come to. Touches no version: an admin's click is not made stale by it."""
        ...

    async def showed_progress(self, wave: Wave, shown: str, finished_at: datetime | None) -> None:
        """The progress message shows this; nothing is stored when an admin decided something in the meantime."""
        ...

    async def dialog(self, dialog_id: str) -> Dialog | None: ...


class Digests(Protocol):
    """Who is told regularly how a rollout goes."""

    async def of_rollout(self, rollout_id: str) -> Sequence[Digest]: ...
    async def due(self, now: datetime, but: Collection[str] = ()) -> Digest | None:
        """One of an active rollout that is due; kept from other processes until the transaction ends."""
        ...

    async def refused(self) -> tuple[Digest, str] | None:
        """One whose last message the platform has refused, and why (a Reason); kept from other processes until the
        transaction ends.
        """
        ...


class Cases(Protocol):
    """Problems that invitees have described. The same one of several people is a group."""

    async def own(self, group_id: str, person_id: str) -> Case | None:
        """A person's case in the group: the newest, if they reported it twice."""
        ...

    async def groups_of(self, person_ids: Sequence[str]) -> Sequence[str]:
        """The ids of the groups that these people's cases belong to."""
        ...

    async def newest_of_many(self, invitation_id: str, problem: str, many: int) -> Case | None:
        """The newest of an invitation's open cases of this kind, when there are so many."""
        ...

    async def results_before(self, wave: Wave) -> WaveResults:
        """How it went with the wave that began before this one, of the same rollout; nobody when it is the first."""
        ...

    async def open_group(self, rollout_id: str, problem: str, shown: int) -> CaseGroup | None:
        """The group of this kind that waits for an answer."""
        ...

    async def group(self, group_id: str, shown: int) -> CaseGroup | None:
        """By id. Nobody else answers it until the transaction ends."""
        ...

    async def open_groups(self, rollout_id: str, limit: int, offset: int) -> Sequence[CaseGroup]:
        """The groups that wait for an answer, those with most people first; without their cases."""
        ...

    async def answer(self, group_id: str, answer: str, by: str, at: datetime) -> Mapping[str, str]:
        """Answer all open cases of the group; returns their people by case id."""
        ...


class Invitations(Protocol):
    """Invitations and their checks."""

    async def view(self, invitation_id: str) -> InvitationView | None: ...
    async def views(self, invitation_ids: Sequence[str]) -> Mapping[str, InvitationView]: ...
    async def to_settle(self, invitation_ids: Collection[str]) -> Mapping[str, Planned]:
        """Those that exist, by id, locked until the transaction ends in one order everywhere."""
        ...

    async def of_person(self, person_id: str, rollout_id: str) -> InvitationView | None:
        """By the person, or by their identity if they were invited on another platform."""
        ...

    async def newest_of_person(self, person: Person) -> InvitationView | None:
        """The person's newest invitation in an unfinished rollout of their company; one that is open comes first."""
        ...

    async def invited_identities(self, rollout_id: str, identities: Iterable[str]) -> frozenset[str]: ...
    async def invite(
        self,
        rollout: Rollout,
        wave: Wave,
        people: Sequence[Person],
        at: datetime,
        not_before: Mapping[str, datetime] = ...,
        *,
        found_in: Mapping[str, str] = ...,
    ) -> int:
        """Create invitations and their deliveries in bulk; returns how many were new. `not_before` says whose message
        waits until when, by person id, and `found_in` in which groups who was found.
        """
        ...

    async def withdraw(self, wave_id: str, limit: int) -> tuple[int, int]:
        """Take back some invitations whose message is ready and was never sent: they can be made again. Returns how
        many are gone, and of how many only the message is: the invitee knows of the invitation already.
        """
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Open invitations of active rollouts whose reminder is due, oldest first."""
        ...

    async def to_plan_anew(self, rollout_id: str, after: str, limit: int) -> Sequence[InvitationView]:
        """The rollout's open invitations with an id after that one, in the order of their ids."""
        ...

    async def reminded(self, invitation_ids: Sequence[str]) -> None:
        """One reminder more each; `due_at` becomes None until its delivery is settled, and a snooze ends."""
        ...

    async def gave_final_notice(self, invitation_ids: Sequence[str], at: datetime) -> None: ...
    async def not_reminded(self, invitation_id: str, kind: DeliveryKind) -> None:
        """A reminder was withdrawn before it was sent: it does not count."""
        ...

    async def end_snoozes(self, invitation_ids: Sequence[str]) -> None: ...
    async def wishes_of(self, person_ids: Sequence[str]) -> Sequence[tuple[str, Wish]]:
        """Rollout id and wish, of these people's invitations that have one."""
        ...

    async def wishing(self, rollout_id: str, wish: Wish, limit: int) -> tuple[int, Sequence[Person]]:
        """How many open invitations have this wish, and whose they are, the last to say so first."""
        ...

    async def exempt(self, rollout_id: str, wish: Wish, reason: str, at: datetime) -> Sequence[str]:
        """Nothing is expected any more of those who have this wish; returns the ids of their invitations."""
        ...

    async def contacted(self, invitation_id: str, at: datetime, due_at: datetime | None) -> None:
        """The next reminder is counted from `at`; `due_at` is stored only while the invitation is open."""
        ...

    async def set_due(self, due: Mapping[str, datetime | None]) -> None:
        """Set `due_at` by invitation id, of those that are open."""
        ...

    async def put_off(self, later: Mapping[str, datetime], now: datetime) -> None:
        """Set `due_at` by invitation id, of those that are open and still due."""
        ...

    async def make_due(self, rollout_id: str, invitation_ids: Sequence[str] | None, at: datetime) -> int:
        """Set `due_at` of open invitations; returns how many. None: of all of the rollout's that are not snoozed."""
        ...

    async def set_after_delivery(
        self,
        invitation_id: str,
        *,
        at: datetime,
        reached_at: datetime | None,
        due_at: datetime | None,
        unreachable: str,
    ) -> None:
        """What a delivery that is settled `at` this moment changes. Touches no version: an invitee's click is not
        made stale by it. `reached_at` None keeps the old value; `due_at` is stored only while the invitation is open.
        """
        ...

    async def set_reached(self, due: Mapping[str, datetime | None], at: datetime) -> None:
        """`set_after_delivery` for messages that arrived: when the next reminder is due, by invitation id."""
        ...

    async def counts(self, rollout_id: str) -> RolloutCounts: ...
    async def by_wave(self, rollout_id: str, limit: int, offset: int = 0) -> Sequence[Standing]:
        """How far the people of each wave are, the newest wave first; waves that invited nobody are left out."""
        ...

    async def by_group(self, rollout_id: str) -> Sequence[Standing]:
        """How far the people of each group are by which they were found, the largest first; whoever is in several
        counts in each. Who was named alone comes last, under an empty label.
        """
        ...

    async def over_time(self, rollout_id: str) -> OverTime: ...
    async def login_opened(self, invitation_id: str, now: datetime) -> str | None:
        """Note that the invitee has opened the login page, if it is the first time; returns the page's address, None
        when there is no such invitation. Touches no version: nobody decides anything by it.
        """
        ...

    async def done_since(self, rollout_id: str, moment: datetime) -> int:
        """How many have finished since then."""
        ...

    async def open_views(
        self, rollout_id: str, limit: int, offset: int = 0, missing: Missing | None = None
    ) -> Sequence[InvitationView]:
        """Who is missing, by name: everybody, or who is missing in this way."""
        ...


class Approvals(Protocol):
    """What a second admin has to approve."""

    async def approval(self, approval_id: str) -> Approval | None: ...
    async def forget(self, before: datetime) -> int:
        """Delete what was asked for before then, decided or not; returns how many."""
        ...


class Escalations(Protocol):
    """Who does not answer, and who is told of them: a manager of theirs, or whom the admin named."""

    async def mark_all(self, rollout_id: str, after: int, now: datetime) -> int:
        """Mark for whom the admin named who has had so many reminders and has not confirmed, though reached and not
        left alone by their own wish; returns how many were not marked before.
        """
        ...

    async def silent(self, rollout_id: str, after: int, limit: int) -> Sequence[InvitationView]:
        """Some of those whom `mark_all` would mark."""
        ...

    async def mark(self, managers: Mapping[str, str], now: datetime) -> None:
        """Mark these, manager by invitation id (empty: whom the admin named), unless they have been marked."""
        ...

    async def marked(self, rollout_id: str, limit: int, to: str = "") -> tuple[int, Sequence[InvitationView]]:
        """How many are marked for this manager, or for whom the admin named, and still open; and the first of them:
        those last marked, then by name.
        """
        ...

    async def marked_since(self, rollout_id: str, since: datetime | None) -> int:
        """How many have been marked since then for whom the admin named and are still open."""
        ...

    async def managers(self, rollout_id: str, since: datetime | None) -> Sequence[str]:
        """Managers of somebody who has been marked since then and is still open."""
        ...

    async def take_from_managers(self, rollout_id: str, now: datetime, refused: str = "") -> int:
        """Mark managers' people anew for whom the admin named: with `refused`, a digest's id, only those of managers
        who could not be written to. Returns how many.
        """
        ...


class Deliveries(Protocol):
    """Direct messages on their way. Settling is fenced by `attempt`: a late worker changes nothing."""

    async def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        """Queue; one whose key exists is passed over. Returns how many are new."""
        ...

    async def remind(self, kind: DeliveryKind, due: Sequence[Due], now: datetime) -> int:
        """Queue the next reminder of each, of one kind and one rollout. One that exists is passed over, but one that
        was withdrawn is ready again. Returns how many are queued by it.
        """
        ...

    async def lanes(self, now: datetime) -> Sequence[str]:
        """Lanes with something to claim, to reconcile or to update."""
        ...

    async def claim(self, lane: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Delivery]:
        """Take ready deliveries of active rollouts, by priority, then `not_before`; each becomes `sending`, its
        attempt one higher.
        """
        ...

    async def claim_again(self, delivery_id: str, now: datetime, lease_until: datetime) -> Delivery | None:
        """Take this one if it is ready."""
        ...

    async def sent(self, delivery: Delivery, at: datetime, channel_id: str, message_id: str) -> bool: ...
    async def all_sent(self, sent: Sequence[tuple[Delivery, Sent]], at: datetime) -> Sequence[Delivery]:
        """`sent` for many at once; returns those that this settled. Their invitations must be locked by now."""
        ...

    async def put_off(self, delivery: Delivery, until: datetime, reason: str) -> bool: ...
    async def unclear(self, delivery: Delivery, reason: str) -> bool: ...
    async def gave_up(self, delivery: Delivery, reason: str) -> bool: ...
    async def withdrawn(self, delivery: Delivery, reason: str) -> bool: ...
    async def expired(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """What is `sending` though its lease has ended: whoever sent it was interrupted. Oldest first."""
        ...

    async def unknown(self, lane: str, claimed_before: datetime, limit: int) -> Sequence[Delivery]:
        """What to reconcile: unknown, and claimed long enough ago that it must have arrived by now."""
        ...

    async def settle_unknown_absent(self, delivery: Delivery, now: datetime) -> bool:
        """The platform does not have it: unknown becomes ready again."""
        ...

    async def outdated(self, lane: str, limit: int) -> Sequence[Delivery]: ...
    async def updated(self, delivery: Delivery) -> None:
        """The copy on the platform shows what `delivery` knew; a change since then keeps it outdated."""
        ...

    async def keyed(self, prefix: str) -> Sequence[str]:
        """The ids of the deliveries whose keys begin so."""
        ...

    async def show_instead(self, delivery_ids: Sequence[str], message: Message) -> None:
        """Give these notices another content; what was sent is brought up to date."""
        ...

    async def outdate(self, invitation_ids: Sequence[str]) -> int:
        """Mark every copy of the invitations' messages outdated; returns how many."""
        ...

    async def outdate_rollout(self, rollout_id: str) -> int:
        """`outdate` for every open invitation of a rollout."""
        ...

    async def outdate_one(self, invitation_id: str) -> Sequence[DeliveryKind]:
        """`outdate` for an invitation that has changed. Its reminders that are ready are withdrawn; returns what they
        were.
        """
        ...

    async def under_way(self, invitation_ids: Sequence[str]) -> frozenset[str]:
        """Of these invitations, those with a message that waits or is being sent."""
        ...

    async def hold(self, rollout_id: str, limit: int | None = None) -> int:
        """Put ready deliveries of the rollout off until `release`; returns how many."""
        ...

    async def release(self, rollout_id: str, now: datetime, limit: int | None = None) -> int:
        """Make what was held ready from now on; returns how many."""
        ...

    async def hold_later(self, rollout_id: str) -> None:
        """Note that there is more to hold or to release, whichever the rollout's state then says."""
        ...

    async def hold_tasks(self) -> Sequence[str]:
        """The rollouts with more to hold or to release: their ids."""
        ...

    async def held_all(self, rollout_id: str) -> None:
        """Nothing is left to be held or released."""
        ...

    async def send_again(self, rollout_id: str, now: datetime, wave_id: str | None = None) -> int:
        """The last message to each open invitee (of one wave, or of all) becomes ready again if it is dead, or
        unknown where the platform cannot be asked; returns how many. Nobody gets two messages by it. Progress
        messages of waves that had finished go on.
        """
        ...

    async def of_wave(self, wave_id: str) -> WaveCounts: ...


class Lists(Protocol):
    """The lists that admins decide on: a line for everybody found and for everybody left out."""

    async def add(self, lines: Sequence[Listed]) -> None:
        """Store lines; one that is there already stays."""
        ...

    async def summary(self, list_id: str, names: int) -> ListSummary:
        """The whole list in a few figures, with the first `names` of each kind."""
        ...

    async def in_two(self, list_id: str, size: int, names: int) -> tuple[ListSummary, ListSummary]:
        """The first `size` people and the rest, without who was left out."""
        ...

    async def split(self, list_id: str, rest_id: str, size: int, now: datetime) -> None:
        """Put the people beyond the first `size` on another list, which is then as new as `now`."""
        ...

    async def page(self, list_id: str, offset: int, limit: int) -> Sequence[Listed]: ...
    async def left_out(self, list_id: str, after: int, limit: int) -> Sequence[Listed]:
        """Who is left out, in the list's order, behind the position `after`."""
        ...

    async def take(self, list_id: str, limit: int) -> Mapping[str, str]:
        """Remove the first people from the list; returns by id, in the order of the list, their groups."""
        ...

    async def drop(self, list_id: str) -> int:
        """Delete the list; returns how many people were still on it."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete the lines that are older; returns how many."""
        ...


class SignIns(Protocol):
    """Whose sign-in SonarQube Cloud may show."""

    async def rollouts(self) -> Sequence[Rollout]:
        """Active ones in which an SSO account comes to be by its first sign-in."""
        ...

    async def waiting(self, rollout_id: str, after: str, limit: int) -> Sequence[tuple[str, Person]]:
        """Open invitations without access confirmed, and their people, by id; those after the id `after`."""
        ...


class Finishing(Protocol):
    """The end of rollouts: steps that were recorded, whose old account may go, and files for admins."""

    async def latest(self, company: str) -> Rollout | None:
        """The company's newest rollout that is neither archived nor erased; one that runs comes first."""
        ...

    async def items(self, rollout_id: str) -> Sequence[FinishItem]: ...
    async def removal(self, rollout_id: str) -> RemovalCounts: ...
    async def may_go(self, rollout_id: str, limit: int) -> Sequence[InvitationView]:
        """The first of those whose old account may go, by name. See bot.removal."""
        ...

    async def everybody(self, rollout_id: str, after: str, limit: int) -> Sequence[InvitationView]:
        """A page of all invitations, by id: those behind `after`."""
        ...

    async def write_to_all(self, rollout_id: str, kind: DeliveryKind, at: datetime, limit: int) -> int:
        """Queue the farewell to everybody whose old account may go, or the question about CI to everybody who has not
        answered it; once for each person, and to `limit` of them at most. Returns how many.
        """
        ...

    async def handout(self, handout_id: str) -> Handout | None: ...
    async def forget_handouts(self, before: datetime) -> int:
        """Drop those that expired before; returns how many."""
        ...


class Erasing(Protocol):
    """A rollout in figures, and erasing its people in batches."""

    async def figures(self, rollout_id: str) -> Figures: ...
    async def erasable(self, company: str) -> Rollout | None:
        """The company's newest finished rollout whose people are still there, archived or not."""
        ...

    async def finished_before(self, moment: datetime, limit: int) -> Sequence[Rollout]:
        """Rollouts that were finished before and are not to be erased yet."""
        ...

    async def to_erase(self) -> Rollout | None:
        """A rollout that is to be erased and still has people, or no figures yet."""
        ...

    async def keep(self, rollout_id: str, figures: Figures) -> None:
        """Store what stays of the rollout. Touches no version."""
        ...

    async def erase_some(self, rollout_id: str, admins: Collection[str], limit: int) -> int:
        """Erase some invitations, what belongs to them, and people whom nothing else needs; returns how many."""
        ...

    async def erase_rest(self, rollout: Rollout) -> None:
        """Erase what else of the rollout names people, once its invitations are gone."""
        ...

    async def footprint(self, person_ids: Sequence[str]) -> Footprint:
        """How much there is of these people."""
        ...

    async def erase_person(self, company: str, people: Sequence[Person], by: str, now: datetime) -> None:
        """Erase one human being, whom several of the company's workspaces may know: their rows, and their names in
        what others wrote. What they set up is `by`'s (person id) from then on.
        """
        ...


class LookUps(Protocol):
    """Questions to the directories, waiting in the database like deliveries do."""

    async def ask(self, look_up: LookUp) -> None: ...
    async def claim(self, now: datetime, lease_until: datetime, busy: Collection[str] = frozenset()) -> LookUp | None:
        """The oldest that is ready or whose worker died, of a workspace that is not `busy`."""
        ...

    async def extend(self, look_up: LookUp, lease_until: datetime) -> None:
        """It takes longer. Changes nothing when somebody else has taken the question over."""
        ...

    async def put_off(self, look_up: LookUp, until: datetime) -> None: ...
    async def done(self, look_up_id: str) -> None: ...


class Audit(Protocol):
    """The audit log; it only grows."""

    async def record(self, entry: AuditEntry) -> None: ...
    async def entries(self, company: str, limit: int, offset: int = 0) -> Sequence[AuditEntry]: ...
    async def behind(self, company: str, after: AuditEntry | None, limit: int) -> Sequence[AuditEntry]:
        """A page of the company's entries, oldest first: those after this one."""
        ...


class Backlog(Protocol):
    """What waits to be done, for whoever watches the bot."""

    async def ready(self, now: datetime, at_most: int) -> Mapping[Platform, Waiting]:
        """Deliveries that could be sent at once, of active workspaces."""
        ...

    async def reminders(self, now: datetime, at_most: int) -> Waiting:
        """Reminders of active rollouts that are due and not queued yet."""
        ...


class Transaction(Protocol):
    """Everything a step may read and write, in one transaction."""

    inbox: Inbox
    people: People
    rollouts: Rollouts
    digests: Digests
    cases: Cases
    invitations: Invitations
    escalations: Escalations
    approvals: Approvals
    deliveries: Deliveries
    lists: Lists
    look_ups: LookUps
    finishing: Finishing
    sign_ins: SignIns
    erasing: Erasing
    audit: Audit
    backlog: Backlog

    async def save(self, row: Row) -> None:
        """Insert or replace by primary key. A row that has a `version` must be one above the stored one (or 1 when
        new); otherwise StaleWrite.
        """
        ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits when the block ends, rolls back when it raises. Raises StoreUnavailable."""
        ...

    async def holds(self, lane: str) -> bool:
        """Whether a lane that was taken is still this process's: a lock is lost with its connection. Raises
        StoreUnavailable.
        """
        ...

    def lane(self, lane: str) -> AbstractAsyncContextManager[bool]:
        """Hold a lane for this process; False when another process holds it. Released on leaving, or with the
        process's database connection. With SQLite (one process) it is always True.
        """
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        ...
