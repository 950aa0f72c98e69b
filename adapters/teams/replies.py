"""A Reply of the bot as Teams shows it: an answer to the press, a changed card, or a message in the personal chat."""

from dataclasses import dataclass, replace
from typing import Any, assert_never

from adapters.background import Background
from adapters.patience import patiently
from adapters.teams.connector import Connector
from adapters.teams.connector_error import ConnectorError, Outcome, again_after
from adapters.teams.forms import form_activity
from adapters.teams.install import Installation
from adapters.teams.platform import TeamsPlatform
from adapters.teams.render import CONTENT_TYPE, Pen
from bot.messages import Form, Message, Notice, Section, Tone, text
from bot.model import Person, Workspace
from bot.readers import reader_of
from bot.texts import Reader
from bot.transition import CloseForm, Replace, Reply, ShowForm, ShowHome, Spoken, Whisper

Json = dict[str, Any]

TOAST_TYPE = "application/vnd.microsoft.activity.message"
TOAST_LENGTH = 200


@dataclass(frozen=True)
class Asked:
    """Who asked, where, and on which card (`message_id`; "" for words).

    `automatic` when nobody pressed: Teams asks for the present state of a card that is being looked at.
    """

    workspace: Workspace
    person: Person
    conversation_id: str
    private: bool
    message_id: str = ""
    automatic: bool = False
    language: str = ""  # that they have chosen, as the bot's reply says

    @property
    def reader(self) -> Reader:
        """For whom to write."""
        return reader_of(self.person, Spoken(language=self.language))

    def answered(self, reply: Reply | None) -> "Asked":
        """With what the reply tells of the language."""
        return self if reply is None else replace(self, language=reply.language)


class Replies:
    """Shows replies. What needs a request of its own goes on in the background."""

    def __init__(
        self, connector: Connector, platform: TeamsPlatform, installation: Installation, background: Background
    ) -> None:
        self._connector = connector
        self._platform = platform
        self._installation = installation
        self._background = background

    def to_words(self, asked: Asked, reply: Reply | None) -> None:
        """Answer what somebody wrote: in the personal chat, wherever it was written."""
        asked = asked.answered(reply)
        match reply:
            case None:
                return
            case Whisper() | ShowHome() | Replace():
                activity = self._platform.activity(reply.message, asked.reader)
            case ShowForm():
                activity = form_activity(reply.form, asked.reader)
            case CloseForm():
                activity = self._platform.activity(reply.message or _done(), asked.reader)
            case _:
                assert_never(reply)
        self._background.start(self._say(asked, activity))

    def to_press(self, asked: Asked, reply: Reply | None) -> Json:
        """The body of the answer to Action.Execute."""
        asked = asked.answered(reply)
        match reply:
            case None:
                return _toast("teams.done", asked)
            case Whisper() | ShowHome():
                return self._whisper(asked, reply.message)
            case ShowForm():
                return self._show_form(asked, reply.form)
            case Replace():
                return self._replace(asked, reply)
            case CloseForm():
                return self._change(asked, self._platform.activity(reply.message or _done(), asked.reader))
            case _:
                assert_never(reply)

    def to_submit(self, asked: Asked, reply: Reply | None) -> None:
        """Answer Action.Submit, which waits for nothing: a card is changed, the rest is said in the chat."""
        if isinstance(reply, Whisper | ShowHome):
            self.to_words(asked, reply)
        elif reply is not None:
            self.to_press(asked, reply)

    def _whisper(self, asked: Asked, message: Message) -> Json:
        words = short_words(message, asked.reader)
        if words is not None:
            return toast(words)
        self._background.start(self._say(asked, self._platform.activity(message, asked.reader)))
        return _toast("teams.see_chat", asked)

    def _show_form(self, asked: Asked, form: Form) -> Json:
        """A form takes the place of the card whose button opened it, and steps there."""
        activity = form_activity(form, asked.reader)
        if asked.private:
            return self._change(asked, activity)
        self._background.start(self._say(asked, activity))  # a channel's card is everybody's
        return _toast("teams.see_chat", asked)

    def _replace(self, asked: Asked, reply: Replace) -> Json:
        answer = self._change(asked, self._platform.activity(reply.message, asked.reader))
        # There is one answer to a press: where it is a toast, the card comes with the change of the message alone.
        return answer if reply.toast is None else self._whisper(asked, reply.toast)

    def _change(self, asked: Asked, activity: Json) -> Json:
        """Answer with a card, and change the message too: the answer lasts only until this person looks again.

        Not when Teams asked by itself, which it does anew after each change.
        """
        answer: Json = {"statusCode": 200, "type": CONTENT_TYPE, "value": activity["attachments"][0]["content"]}
        if asked.automatic:
            return answer
        where = asked.workspace.service_url, asked.conversation_id, asked.message_id
        change = patiently(lambda: self._connector.update(*where, activity), again_after)
        self._background.start(change, after=f"{asked.conversation_id}/{asked.message_id}")
        return answer

    async def _say(self, asked: Asked, activity: Json) -> None:
        """A message in the personal chat. Whoever has none is told in the channel how to get one."""
        service_url = asked.workspace.service_url
        try:
            chat = asked.conversation_id if asked.private else await self._chat(asked)
            await patiently(lambda: self._connector.send(service_url, chat, activity), again_after)
        except ConnectorError as error:
            if asked.private or error.outcome is not Outcome.REFUSED:
                raise
            sentence = text("teams.install_first")
            note = Message(summary=sentence, body=(Notice(sentence, Tone.WARNING),))
            words = self._platform.activity(note, asked.reader)
            await patiently(lambda: self._connector.send(service_url, asked.conversation_id, words), again_after)

    async def _chat(self, asked: Asked) -> str:
        known = await self._installation.chat_of(asked.person)
        return known or await self._platform.conversation(asked.workspace, asked.person.user_id)


def toast(words: str) -> Json:
    """A short text over the chat. It must not be empty: Teams takes that for a failure and presses again."""
    return {"statusCode": 200, "type": TOAST_TYPE, "value": words}


def outdated(reader: Reader) -> Json:
    """The answer to a button that this bot did not make, or no longer knows."""
    return toast(Pen(reader).plain(text("answer.outdated")))


def _toast(key: str, asked: Asked) -> Json:
    return toast(Pen(asked.reader).plain(text(key)))


def short_words(message: Message, reader: Reader) -> str | None:
    """The message's sentences if a toast can hold them; None when it needs a card."""
    sentences = [part.text for part in message.body if isinstance(part, Section | Notice)]
    if message.buttons or message.title is not None or len(sentences) != len(message.body):
        return None
    pen = Pen(reader)
    words = "\n".join(pen.plain(sentence) for sentence in sentences or [message.summary]).strip()
    return words if 0 < len(words) <= TOAST_LENGTH else None


def _done() -> Message:
    sentence = text("teams.done")
    return Message(summary=sentence, body=(Notice(sentence, Tone.SUCCESS),))
