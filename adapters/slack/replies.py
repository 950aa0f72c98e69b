"""Showing a Reply on Slack: what is said in the acknowledgement itself, and what takes a call.

An acknowledgement may hold an ephemeral message (a command's), or what becomes of a modal (a submission's); all
else goes through the Web API or the click's response_url, in the background.
"""

from __future__ import annotations

from typing import Any, assert_never

from adapters.background import Background
from adapters.pictures import Pictures
from adapters.slack.charts import with_pictures
from adapters.slack.forms import Opener, field_errors, form_view, home_view, message_view
from adapters.slack.payloads import Place
from adapters.slack.render import message_content
from adapters.slack.web_api import ApiFailed, ApiRefused, PatientApi, WebApi
from adapters.slack.words import Json
from bot.messages import Form, Message, text
from bot.texts import Reader
from bot.transition import CloseForm, Replace, Reply, ShowForm, ShowHome, Whisper


class Replies:
    """Shows replies to one kind of event each. What these return goes into the acknowledgement."""

    def __init__(self, api: WebApi, background: Background, pictures: Pictures | None = None) -> None:
        self._api = PatientApi(api)
        self._pictures = pictures
        self._background = background

    def to_command(self, reply: Reply | None, place: Place, reader: Reader) -> Json:
        """Answers stand in the acknowledgement, seen by the person alone."""
        match reply:
            case None:
                return {}
            case Whisper(message=message) | Replace(message=message):
                return _ephemeral(message, reader)
            case CloseForm(message=said):
                return _ephemeral(said, reader) if said is not None else {}
            case ShowForm(form=form):
                opener = Opener(channel_id=place.channel_id, response_url=place.response_url)
                self._start(place, self._open(form, opener, place, reader))
                return {}
            case ShowHome(message=message):
                self._background.start(self._publish(message, place, reader), after=_home_of(place))
                return {}
            case _:
                assert_never(reply)

    def to_button(self, reply: Reply | None, place: Place, reader: Reader) -> None:
        """Everything takes a call."""
        if reply is None:
            return
        if place.home:
            self._start(place, self._on_home(reply, place, reader))
        elif place.view_id:
            self._start(place, self._in_modal(reply, place, reader))
        else:
            self._start(place, self._on_message(reply, place, reader))

    def to_submission(self, reply: Reply | None, place: Place, reader: Reader) -> Json:
        """What becomes of the modal (docs.slack.dev/surfaces/modals, "Updating views", "Displaying errors")."""
        match reply:
            case None:
                return {}
            case Whisper(message=message):
                # On top of the form: what was typed stays below.
                return {"response_action": "push", "view": message_view(message, reader)}
            case ShowForm(form=form):
                return _next_step(form, place, reader)
            case Replace(message=message, toast=toast):
                self._start(place, self._replace_opener(message, toast, place, reader))
                return {"response_action": "clear"}
            case CloseForm(message=said):
                if said is not None:
                    self._start(place, self._whisper_to_opener(said, place, reader))
                return {"response_action": "clear"}
            case ShowHome(message=message):
                self._background.start(self._publish(message, place, reader), after=_home_of(place))
                return {"response_action": "clear"}
            case _:
                assert_never(reply)

    def to_message(self, reply: Reply | None, place: Place, reader: Reader) -> None:
        """An answer in the direct message. A message gives no trigger id, so no modal can be opened."""
        match reply:
            case None:
                return
            case Whisper(message=message) | Replace(message=message):
                self._start(place, self._post(message, place, reader))
            case CloseForm(message=said):
                if said is not None:
                    self._start(place, self._post(said, place, reader))
            case ShowForm():
                hint = Message(summary=text("slack.needs_command"))
                self._start(place, self._post(hint, place, reader))
            case ShowHome(message=message):
                self._background.start(self._publish(message, place, reader), after=_home_of(place))
            case _:
                assert_never(reply)

    async def _on_message(self, reply: Reply, place: Place, reader: Reader) -> None:
        match reply:
            case Whisper(message=message):
                await self._whisper(message, place, reader)
            case ShowForm(form=form):
                await self._open(form, _opener(place), place, reader)
            case Replace(message=message, toast=toast):
                await self._replace(message, _opener(place), reader)
                if toast is not None:
                    await self._whisper(toast, place, reader)
            case CloseForm(message=said):
                if said is not None:
                    await self._whisper(said, place, reader)
            case ShowHome(message=message):
                await self._publish(message, place, reader)
            case _:
                assert_never(reply)

    async def _in_modal(self, reply: Reply, place: Place, reader: Reader) -> None:
        """A modal whose button was pressed cannot be closed by the bot: it shows the last word instead."""
        match reply:
            case Whisper(message=message):
                view = message_view(message, reader)
                await self._api.call("views.push", trigger_id=place.trigger_id, view=view)
            case ShowForm(form=form):
                view = form_view(form, reader, place.opener)
                await self._api.call("views.update", view_id=place.view_id, view=view)
            case Replace(message=message, toast=toast):
                await self._show_last(toast or message, place, reader)
                if place.opener.message_id or place.opener.response_url:
                    await self._replace_opener(message, None, place, reader)
            case CloseForm(message=said):
                await self._show_last(said or Message(summary=text("slack.done")), place, reader)
            case ShowHome(message=message):
                await self._publish(message, place, reader)
            case _:
                assert_never(reply)

    async def _on_home(self, reply: Reply, place: Place, reader: Reader) -> None:
        match reply:
            case Whisper(message=message) | CloseForm(message=Message() as message):
                view = message_view(message, reader)
                await self._api.call("views.open", trigger_id=place.trigger_id, view=view)
            case CloseForm():
                return
            case ShowForm(form=form):
                await self._open(form, Opener(), place, reader)
            case Replace(message=message) | ShowHome(message=message):
                await self._publish(message, place, reader)
            case _:
                assert_never(reply)

    async def _open(self, form: Form, opener: Opener, place: Place, reader: Reader) -> None:
        """views.open, which takes the click's trigger id for three seconds only."""
        try:
            await self._api.call("views.open", trigger_id=place.trigger_id, view=form_view(form, reader, opener))
        except ApiRefused as refused:
            if refused.error not in {"expired_trigger_id", "trigger_expired", "exchanged_trigger_id"}:
                raise
            await self._whisper(Message(summary=text("slack.too_late")), place, reader)

    async def _show_last(self, message: Message, place: Place, reader: Reader) -> None:
        await self._api.call("views.update", view_id=place.view_id, view=message_view(message, reader))

    async def _publish(self, message: Message, place: Place, reader: Reader) -> None:
        await self._api.call("views.publish", user_id=place.user_id, view=home_view(message, reader))

    async def _post(self, message: Message, place: Place, reader: Reader) -> None:
        await self._say(message, reader, "chat.postMessage", channel=place.channel_id or place.user_id)

    async def _whisper(self, message: Message, place: Place, reader: Reader) -> None:
        """To the person alone: by response_url, which works where the bot is no member; else directly."""
        try:
            if place.response_url:
                await self._respond(message, reader, place.response_url, response_type="ephemeral")
                return
        except ApiFailed:
            pass  # used up, or half an hour old
        await self._say(message, reader, "chat.postMessage", channel=place.user_id)

    async def _replace(self, message: Message, opener: Opener, reader: Reader) -> None:
        """chat.update keeps the metadata by which a message is found again; ephemeral ones have a response_url."""
        if opener.ephemeral or not opener.message_id:
            await self._respond(message, reader, opener.response_url, replace_original=True)
        else:
            await self._say(message, reader, "chat.update", channel=opener.channel_id, ts=opener.message_id)

    async def _say(self, message: Message, reader: Reader, method: str, **where: Any) -> None:
        async def call(pictures: Pictures | None) -> None:
            await self._api.call(method, **where, **message_content(message, reader, pictures))

        await with_pictures(message, self._pictures, call)

    async def _respond(self, message: Message, reader: Reader, response_url: str, **how: Any) -> None:
        async def call(pictures: Pictures | None) -> None:
            content = {"replace_original": False, **how, **message_content(message, reader, pictures)}
            await self._api.respond(response_url, **content)

        await with_pictures(message, self._pictures, call)

    async def _replace_opener(self, message: Message, toast: Message | None, place: Place, reader: Reader) -> None:
        if place.opener.message_id:
            await self._replace(message, place.opener, reader)
            if toast is not None:
                await self._whisper_to_opener(toast, place, reader)
        else:
            await self._whisper_to_opener(message, place, reader)

    async def _whisper_to_opener(self, message: Message, place: Place, reader: Reader) -> None:
        """A submission has no response_url: the one of the click that opened the form is used."""
        there = Place(user_id=place.user_id, response_url=place.opener.response_url)
        await self._whisper(message, there, reader)

    def _start(self, place: Place, work: Any) -> None:
        self._background.start(work, after=_what_changes(place))


def _what_changes(place: Place) -> str:
    """Answers that change the same thing are shown one after the other."""
    if place.home:
        return _home_of(place)
    ref = place.message
    return f"{ref.channel_id}:{ref.message_id}" if ref else place.view_id or place.user_id


def _home_of(place: Place) -> str:
    return f"home:{place.user_id}"


def _ephemeral(message: Message, reader: Reader) -> Json:
    return {"response_type": "ephemeral", **message_content(message, reader)}


def _opener(place: Place) -> Opener:
    ref = place.message
    return Opener(
        channel_id=place.channel_id,
        message_id=ref.message_id if ref else "",
        response_url=place.response_url,
        ephemeral=place.ephemeral,
    )


def _next_step(form: Form, place: Place, reader: Reader) -> Json:
    """Errors under their fields when the shown form is still the same; otherwise the new view, errors above."""
    errors = field_errors(form, reader) if form.token == place.form else None
    if errors:
        return {"response_action": "errors", "errors": errors}
    return {"response_action": "update", "view": form_view(form, reader, place.opener)}
