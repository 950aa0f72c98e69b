"""What a step returns: the new state, a Reply for now, effects for sure.

A Reply answers this click within the platform's few seconds; lost in a crash, the person clicks again. An effect
is stored in the same transaction as the new state and is carried out whatever happens. The two never mix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bot.approvals import Approval, Needed
from bot.digests import Digest
from bot.events import Target
from bot.finishing import FinishItem, Handout
from bot.messages import Form, Message
from bot.model import Case, Check, CurrentRollout, DeliveryKind, Dialog, Invitation, Person, Rollout, Wave, Wish
from bot.readiness import Readiness


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What every reply has: the language that the person has chosen, empty where it is their chat's."""

    language: str = ""


@dataclass(frozen=True)
class Whisper(Spoken):
    """Answer the person alone: an ephemeral message on Slack, a toast or a direct message on Teams."""

    message: Message


@dataclass(frozen=True)
class ShowForm(Spoken):
    """Open a form, or take the open one to this step (or the same step again, with errors)."""

    form: Form


@dataclass(frozen=True)
class Replace(Spoken):
    """Show `message` in place of the one whose button was pressed, or of the form that was submitted.

    On Slack a submitted modal closes; `message` then replaces the message that opened it, where there is one.
    """

    message: Message
    toast: Message | None = None


@dataclass(frozen=True)
class CloseForm(Spoken):
    """The form is done. `message`, if any, is said to the person alone."""

    message: Message | None = None


@dataclass(frozen=True)
class ShowHome(Spoken):
    """What the bot's Home tab shows this person."""

    message: Message


Reply: TypeAlias = Whisper | ShowForm | Replace | CloseForm | ShowHome


@dataclass(frozen=True)
class SendMessage:
    """Queue a direct message. `key` makes it unique for ever."""

    key: str
    to: str  # person id
    message: Message
    kind: DeliveryKind = DeliveryKind.NOTICE
    invitation_id: str | None = None
    rollout_id: str | None = None


@dataclass(frozen=True)
class UpdateNotices:
    """Show `message` in place of what was queued or sent under these keys; a key that was never queued is nothing."""

    keys: tuple[str, ...]
    message: Message


@dataclass(frozen=True)
class AnswerCases:
    """All open cases of a group are answered, and `message` is queued to each of their people."""

    group_id: str
    rollout_id: str
    answer: str
    by: str  # person id
    message: Message


@dataclass(frozen=True)
class ExemptWishing:
    """Nothing is expected any more of those in this rollout who have this wish. `reason` is what exports say."""

    rollout_id: str
    wish: Wish
    reason: str


@dataclass(frozen=True)
class AskDirectory:
    """Look up who the targets are; the answer comes back as PeopleFound."""

    dialog_id: str
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class SplitList:
    """Everybody on the list beyond the first `size` people is put on another one, `rest_id`."""

    list_id: str
    rest_id: str
    size: int


@dataclass(frozen=True)
class Meet:
    """Remember these people, or what is known of them anew."""

    people: tuple[Person, ...]


@dataclass(frozen=True)
class Appoint:
    """Make this person an admin, or take that back."""

    person_id: str
    is_admin: bool


@dataclass(frozen=True)
class ErasePerson:
    """Erase one human being's data: these people of the company. What they set up is whoever asks for it."""

    company: str
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Speak:
    """Write to this person in this language from now on; empty: in their chat's."""

    person_id: str
    language: str


@dataclass(frozen=True)
class UpdateCopies:
    """Bring every message that was sent for this invitation up to date, and withdraw the reminders that wait."""

    invitation_id: str


@dataclass(frozen=True)
class UpdateAllCopies:
    """The same for every open invitation of a rollout, when something changed that all of them show."""

    rollout_id: str


@dataclass(frozen=True)
class MakeDue:
    """Make a reminder due now for these open invitations; None: for all of the rollout's that are not snoozed."""

    rollout_id: str
    invitation_ids: tuple[str, ...] | None = None


@dataclass(frozen=True)
class HoldDeliveries:
    """Send nothing more for this rollout until it is released."""

    rollout_id: str


@dataclass(frozen=True)
class ReleaseDeliveries:
    """Go on sending for this rollout."""

    rollout_id: str


@dataclass(frozen=True)
class SendAgain:
    """Queue again the deliveries of this rollout, or of one wave, that ended unknown or dead."""

    rollout_id: str
    wave_id: str | None = None


@dataclass(frozen=True)
class WriteToAll:
    """Queue the farewell, or the question about CI, to those of a rollout whom it concerns; to nobody twice."""

    rollout_id: str
    kind: DeliveryKind
    at_most: int


Effect: TypeAlias = (
    SendMessage
    | UpdateNotices
    | AnswerCases
    | ExemptWishing
    | AskDirectory
    | SplitList
    | Meet
    | Appoint
    | ErasePerson
    | Speak
    | UpdateCopies
    | UpdateAllCopies
    | MakeDue
    | HoldDeliveries
    | ReleaseDeliveries
    | SendAgain
    | WriteToAll
)

Row: TypeAlias = (
    Rollout
    | CurrentRollout
    | Readiness
    | Invitation
    | Check
    | Wave
    | Dialog
    | Case
    | FinishItem
    | Handout
    | Digest
    | Approval
)


@dataclass(frozen=True)
class Transition:
    """`state` are the rows as they are to be after the step; a row with a version is stored only on top of the
    version before it. `audit` says what was done in the audit log's words; None when nothing was.

    Where the settings want that, what is `needed` is asked of a second admin before anything of this is stored. What
    a second admin has `approved` is decided anew, and done.
    """

    reply: Reply | None = None
    state: tuple[Row, ...] = ()
    effects: tuple[Effect, ...] = ()
    audit: str | None = None
    subject: str = ""
    outcome: str = "done"
    details: tuple[tuple[str, str | int], ...] = ()
    needed: Needed | None = None
    approved: Approval | None = None
