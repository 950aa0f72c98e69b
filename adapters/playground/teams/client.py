"""Teams as one person uses it, so that tests read as sentences about people.

As in::

adele = teams.person("adele")
await adele.types("sso setup")
await adele.presses(adele.chat[-1], "Next", {"enterprise_key": "acme"})
assert adele.toasts == ["Saved"]
"""

import itertools
from collections.abc import Mapping
from typing import Any

from adapters.playground.teams.activities import ActivityWriter, Trigger, find_mentions
from adapters.playground.teams.bot_link import UNREACHABLE, BotLink, Delivery
from adapters.playground.teams.cards import CARD_TYPE, BadCard, check_card
from adapters.playground.teams.inputs import Value, filled_in
from adapters.playground.teams.seen import Dialog, SeenMessage, Shown, Toast, seen
from adapters.playground.teams.tenant import Account, Conversation, Json, Message, Tenant

WENT_WRONG = "Something went wrong. Please try again."
ACTIVITY_MESSAGE = "application/vnd.microsoft.activity.message"

_toast_ids = itertools.count(1)


class TeamsClient:
    """One person's Teams.

    ``looking`` counts the windows in which it is open: while there is one, cards with ``refresh`` ask the bot
    themselves.
    """

    def __init__(self, account: Account, tenant: Tenant, link: BotLink, writer: ActivityWriter) -> None:
        self.account = account
        self.looking = 0
        self.notices: list[Toast] = []
        self.opened: list[str] = []
        self.dialog: Dialog | None = None
        self._tenant = tenant
        self._link = link
        self._writer = writer

    @property
    def chat(self) -> list[SeenMessage]:
        """The personal chat with the bot, oldest message first."""
        return self.sees(self._tenant.personal_chat(self.account).id)

    @property
    def toasts(self) -> list[str]:
        """The bot's short answers to presses, oldest first."""
        return [each.text for each in self.notices if not each.error]

    @property
    def errors(self) -> list[str]:
        """What Teams said about an app that failed, oldest first."""
        return [each.text for each in self.notices if each.error]

    def sees(self, channel: str) -> list[SeenMessage]:
        """The messages of a channel (by name or id) as this person sees them, oldest first."""
        conversation = self._find(channel)
        return [seen(self.account, conversation, each) for each in conversation.messages]

    async def types(self, text: str) -> Delivery:
        """Type a message to the bot in the personal chat; returns once the bot has taken it."""
        delivery = await self._say(self._tenant.personal_chat(self.account), text, None)
        assert delivery is not None
        return delivery

    async def types_in(self, channel: str, text: str, thread: str | None = None) -> Delivery | None:
        """Type in a channel (by name or id), as a reply when ``thread`` names a post.

        None: the bot was not mentioned, so it hears nothing, as in Teams.
        """
        return await self._say(self._find(channel), text, thread)

    async def _say(self, conversation: Conversation, text: str, thread: str | None) -> Delivery | None:
        message = self._tenant.post(conversation, self.account, thread)
        message.text = text
        self._tenant.changed()
        if conversation.team is not None:
            mentioned = [each.mentioned["id"] for each in find_mentions(self._tenant, conversation.team, text)]
            if self._tenant.bot_id not in mentioned or not conversation.team.bot_installed:
                return None
        return await self._link.deliver(self._writer.message(self.account, conversation, message))

    async def presses(
        self, shown: Shown | None, title: str, values: Mapping[str, Value] | None = None
    ) -> Delivery | None:
        """Press a button by its title, after filling in ``values`` by input id; returns the bot's answer.

        ``shown`` may be an old snapshot, or one of another person's. None: the button did not need the bot (a link,
        which is then the last of ``opened``, or a card that unfolds). Raises NoSuchButton and InputRefused.
        """
        assert shown is not None, "nothing is shown"
        button = shown.button(title)
        inputs = filled_in(button.inputs, values or {})
        match button.action["type"]:
            case "Action.OpenUrl":
                self.opened.append(button.action["url"])
                return None
            case "Action.ShowCard" | "Action.ToggleVisibility":
                return None
        if isinstance(shown, Dialog):
            return await self.sends_dialog(button.action.get("data") or {}, inputs)
        assert isinstance(shown, SeenMessage)
        return await self.acts(shown.conversation_id, shown.id, button.action, inputs)

    async def acts(self, conversation_id: str, message_id: str, action: Json, inputs: Mapping[str, str]) -> Delivery:
        """Send a press on this message's card to the bot and show what it answers."""
        conversation = self._find(conversation_id)
        # The message may have been deleted since: its old copy can still be pressed.
        message = conversation.message(message_id) or Message(message_id, message_id, "28:", "", 0.0)
        data = action.get("data") or {}
        if isinstance(data, dict):
            data = {**data, **inputs}
        if action["type"] == "Action.Submit":
            return await self._submit(conversation, message, data)
        message.busy.add(self.account.key)
        self._tenant.changed()
        try:
            return await self._execute(conversation, message, {**action, "data": data}, "manual")
        finally:
            message.busy.discard(self.account.key)
            self._tenant.changed()

    async def _submit(self, conversation: Conversation, message: Message, data: Json) -> Delivery:
        teams_data = data.get("msteams") if isinstance(data, dict) else None
        if isinstance(teams_data, dict) and teams_data.get("type") == "task/fetch":
            delivery = await self._link.deliver(
                self._writer.task("task/fetch", self.account, conversation, message, data)
            )
            return self._show_dialog(delivery, conversation, message)
        if isinstance(teams_data, dict) and teams_data.get("type") == "imBack":
            said = await self._say(conversation, str(teams_data.get("value", "")), None)
            assert said is not None
            return said
        delivery = await self._link.deliver(self._writer.submit(self.account, conversation, message, data))
        if not delivery.ok:
            self._fail(UNREACHABLE, message)
        return delivery

    async def _execute(
        self, conversation: Conversation, message: Message, action: Json, trigger: Trigger
    ) -> Delivery:
        activity = self._writer.execute(self.account, conversation, message, action, trigger)
        delivery = await self._link.deliver(activity)
        failure = self._honour(delivery, message)
        if failure is not None:
            delivery.problem = delivery.problem or failure
            # A refresh that fails leaves the card as it is; only a press is answered with an error.
            if trigger == "manual":
                self._fail(failure, message)
        else:
            message.errors.pop(self.account.key, None)
        return delivery

    def _honour(self, delivery: Delivery, message: Message) -> str | None:
        """Do what the bot's answer to Action.Execute asks for; returns the error to show instead, if any."""
        if not delivery.ok:
            return UNREACHABLE
        body = delivery.body if isinstance(delivery.body, dict) else {}
        value = body.get("value")
        if body.get("statusCode") != 200:
            return value.get("message") or WENT_WRONG if isinstance(value, dict) else WENT_WRONG
        if body.get("type") == ACTIVITY_MESSAGE:
            self._toast(str(value))
            return None
        if body.get("type") != CARD_TYPE or not isinstance(value, dict):
            return WENT_WRONG
        try:
            check_card(value)
        except BadCard as error:
            delivery.problem = str(error)
            return WENT_WRONG
        message.views[self.account.key] = value
        return None

    def _show_dialog(self, delivery: Delivery, conversation: Conversation, message: Message) -> Delivery:
        """Open, step or close the dialog as the bot's answer says. An empty success closes it."""
        task = delivery.body.get("task") if delivery.ok and isinstance(delivery.body, dict) else None
        if not delivery.ok:
            self._fail(UNREACHABLE, message)
        elif task is None:
            self.dialog = None
        elif task.get("type") == "message":
            # The answer to a submit takes the dialog's place; there is nothing left to press on it.
            self.dialog = Dialog("", conversation.id, message.id, message=str(task.get("value", "")))
        else:
            self._open_dialog(delivery, task.get("value") or {}, conversation, message)
        self._tenant.changed()
        return delivery

    def _open_dialog(self, delivery: Delivery, value: Json, conversation: Conversation, message: Message) -> None:
        card: Any = (value.get("card") or {}).get("content")
        try:
            if card is not None or not value.get("url"):
                check_card(card)
        except BadCard as error:
            delivery.problem = str(error)
            self._fail(WENT_WRONG, message)
            return
        self.dialog = Dialog(
            title=str(value.get("title", "")),
            conversation_id=conversation.id,
            reply_to=message.id,
            card=card,
            url=value.get("url"),
            width=value.get("width", "medium"),
            height=value.get("height", "medium"),
        )

    async def sends_dialog(self, data: Json, inputs: Mapping[str, str]) -> Delivery:
        """Send the open dialog in and show what the bot answers: the next step, a message, or nothing."""
        assert self.dialog is not None, "no dialog is open"
        conversation = self._find(self.dialog.conversation_id)
        reply_to = self.dialog.reply_to
        message = conversation.message(reply_to) or Message(reply_to, reply_to, "28:", "", 0.0)
        activity = self._writer.task("task/submit", self.account, conversation, message, {**data, **inputs})
        return self._show_dialog(await self._link.deliver(activity), conversation, message)

    def closes_dialog(self) -> None:
        """Close the dialog without sending it; Teams tells the bot nothing."""
        self.dialog = None
        self._tenant.changed()

    async def opens(self, channel: str | None = None) -> None:
        """Open a conversation (the personal chat unless named): its cards with ``refresh`` ask the bot."""
        conversation = self._find(channel) if channel else self._tenant.personal_chat(self.account)
        for message in list(conversation.messages):
            await self.refreshes(conversation, message)

    async def refreshes(self, conversation: Conversation, message: Message) -> None:
        """Let this message's card ask the bot for this person's view, if it has a ``refresh`` for them.

        Whom a refresh is for: learn.microsoft.com, "Up to date cards", sections "userIds" and "60 members".
        """
        refresh = (message.card or {}).get("refresh")
        if not refresh:
            return
        users = refresh.get("userIds")
        few = len(self._tenant.members(conversation)) <= 60
        if self.account.id in users if users else few:
            await self._execute(conversation, message, refresh["action"], "automatic")

    async def installs(self) -> None:
        """Install the app for oneself."""
        await self._link.install(self.account)

    async def uninstalls(self) -> None:
        """Remove the app for oneself."""
        await self._link.uninstall(self.account)

    def blocks(self) -> None:
        """Block the bot; Teams tells it nothing."""
        self.account.blocked = True
        self._tenant.changed()

    def unblocks(self) -> None:
        """Take the block back."""
        self.account.blocked = False
        self._tenant.changed()

    def dismisses(self, toast_id: int) -> None:
        """Close a toast."""
        self.notices = [each for each in self.notices if each.id != toast_id]
        self._tenant.changed()

    def _find(self, name_or_id: str) -> Conversation:
        if name_or_id in self._tenant.conversations:
            return self._tenant.conversations[name_or_id]
        for team in self._tenant.teams:
            for channel in team.channels:
                if channel.name == name_or_id:
                    return self._tenant.conversations[channel.id]
        raise LookupError(f"no conversation {name_or_id}")

    def _toast(self, text: str) -> None:
        self.notices.append(Toast(next(_toast_ids), text))
        self._tenant.changed()

    def _fail(self, text: str, message: Message) -> None:
        self.notices.append(Toast(next(_toast_ids), text, error=True))
        message.errors[self.account.key] = text
        self._tenant.changed()
