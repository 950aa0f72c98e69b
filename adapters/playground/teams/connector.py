"""The Connector REST API v3, as far as a bot in Teams uses it: conversations, activities, members, teams.

Source: learn.microsoft.com, "API reference for the Bot Framework Connector service"; for Teams' own calls "Teams
bot APIs" and the pages named in refusal.py and limits.py.
"""

import base64
import binascii
from typing import Any

from aiohttp import web

from adapters.playground.teams import refusal
from adapters.playground.teams.calls import Calls, json_object
from adapters.playground.teams.cards import CARD_TYPE, BadCard, check_card
from adapters.playground.teams.identity import CONNECTOR_SCOPE, Identity
from adapters.playground.teams.limits import RateLimits
from adapters.playground.teams.tenant import Account, Conversation, Json, Message, Team, Tenant


class Connector:
    """Serves the Connector's routes from a tenant.

    ``size_limit`` is in bytes; ``page_sizes`` are the fewest and the most members in a page.
    """

    def __init__(self, tenant: Tenant, identity: Identity, limits: RateLimits, calls: Calls) -> None:
        self._tenant = tenant
        self._identity = identity
        self._limits = limits
        self._calls = calls
        # learn.microsoft.com, "Format your bot messages" and "Cards reference": about 28 KB a message.
        self.size_limit = 28 * 1024
        # learn.microsoft.com, "Get Teams specific context for your bot", section "Fetch the roster or user profile".
        self.page_sizes = (50, 500)

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted under the service URL."""
        conversation = "/v3/conversations/{conversation}"
        table = [
            ("POST", "/v3/conversations", "create_conversation", self._create),
            ("POST", f"{conversation}/activities", "send", self._send),
            ("POST", f"{conversation}/activities/{{activity}}", "reply", self._send),
            ("PUT", f"{conversation}/activities/{{activity}}", "update", self._update),
            ("DELETE", f"{conversation}/activities/{{activity}}", "delete", self._delete),
            ("GET", f"{conversation}/members", "members", self._members),
            ("GET", f"{conversation}/pagedMembers", "paged_members", self._paged_members),
            ("GET", f"{conversation}/pagedmembers", "paged_members", self._paged_members),
            ("GET", f"{conversation}/members/{{member}}", "member", self._member),
            ("GET", "/v3/teams/{team}", "team", self._team),
            ("GET", "/v3/teams/{team}/conversations", "channels", self._channels),
        ]
        return [
            web.route(method, path, self._calls.gate(operation, self._admit, handler))
            for method, path, operation, handler in table
        ]

    def _admit(self, operation: str, request: web.Request) -> None:
        if not self._identity.accepts(request.headers.get("Authorization"), CONNECTOR_SCOPE):
            raise refusal.unauthorized()
        if (request.content_length or 0) > self.size_limit:
            raise refusal.too_big()
        thread = request.match_info.get("conversation") or request.match_info.get("team") or ""
        self._limits.count(operation, thread.partition(";")[0])

    async def _create(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        channel_data = body.get("channelData") or {}
        # Microsoft's Python client writes tenantID; the Connector reads names without regard to case.
        tenant_id = body.get("tenantId") or body.get("tenantID") or (channel_data.get("tenant") or {}).get("id")
        channel_id = (channel_data.get("channel") or {}).get("id")
        if channel_id:
            return self._create_post(channel_id, body.get("activity") or {})
        if tenant_id != self._tenant.id:
            raise refusal.bad_argument("The tenant id is missing or not the bot's.")
        account = self._only_member(body.get("members"))
        if self._tenant.disabled_by_admin:
            raise refusal.disabled_by_admin()
        if not account.installed:
            raise refusal.not_installed()
        chat = self._tenant.personal_chat(account)
        if body.get("activity"):
            self._store(self._writable(chat), None, body["activity"])
        return web.json_response({"id": chat.id}, status=201)

    def _only_member(self, members: object) -> Account:
        if not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], dict):
            raise refusal.bad_argument("A bot can create a conversation with exactly one person.")
        account = self._tenant.account(str(members[0].get("id", "")))
        if account is None:
            raise refusal.bad_argument("Failed to decrypt pairwise id")
        return account

    def _create_post(self, channel_id: str, activity: Json) -> web.Response:
        conversation, _ = self._tenant.conversation(channel_id)
        if conversation is None or conversation.team is None:
            raise refusal.conversation_not_found()
        message = self._store(self._writable(conversation), None, activity)
        reply_id = f"{conversation.id};messageid={message.id}"
        return web.json_response({"id": reply_id, "activityId": message.id}, status=201)

    async def _send(self, request: web.Request) -> web.Response:
        conversation, thread = self._conversation(request)
        self._writable(conversation)
        activity = await json_object(request)
        answered = conversation.message(request.match_info.get("activity", ""))
        if answered is not None and conversation.team is not None:
            thread = thread or answered.thread
        if activity.get("type") == "typing":
            return web.json_response({"id": self._tenant.next_id()}, status=201)
        message = self._store(conversation, thread, activity)
        return web.json_response({"id": message.id}, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        conversation, _ = self._conversation(request)
        self._writable(conversation)
        activity = await json_object(request)
        text, card = _content(activity)
        message = self._own_message(conversation, request)
        message.text, message.card = text, card
        message.text_format = activity.get("textFormat") or "markdown"
        message.edited = True
        message.views.clear()
        message.errors.clear()
        self._announce(conversation, message)
        return web.json_response({"id": message.id})

    async def _delete(self, request: web.Request) -> web.Response:
        conversation, _ = self._conversation(request)
        conversation.messages.remove(self._own_message(conversation, request))
        self._tenant.changed()
        return web.Response()

    def _own_message(self, conversation: Conversation, request: web.Request) -> Message:
        message = conversation.message(request.match_info["activity"])
        if message is None or not message.from_bot:
            raise refusal.activity_not_found()
        return message

    def _store(self, conversation: Conversation, thread: str | None, activity: Json) -> Message:
        text, card = _content(activity)
        message = self._tenant.post(conversation, None, thread if conversation.team else None)
        message.text, message.card = text, card
        message.text_format = activity.get("textFormat") or "markdown"
        self._announce(conversation, message)
        return message

    def _announce(self, conversation: Conversation, message: Message) -> None:
        self._tenant.changed()
        for listener in self._tenant.bot_wrote:
            listener(conversation, message)

    def _conversation(self, request: web.Request) -> tuple[Conversation, str | None]:
        """The conversation and thread that the path names; raises Refused when the bot cannot reach it."""
        conversation, thread = self._tenant.conversation(request.match_info["conversation"])
        if conversation is None or (conversation.account is not None and conversation.account.left):
            raise refusal.conversation_not_found()
        if self._tenant.disabled_by_admin:
            raise refusal.disabled_by_admin()
        if conversation.account is not None and not conversation.account.installed:
            raise refusal.not_in_roster()
        if conversation.team is not None and not conversation.team.bot_installed:
            raise refusal.not_in_roster()
        return conversation, thread

    def _writable(self, conversation: Conversation) -> Conversation:
        if conversation.account is not None and conversation.account.blocked:
            raise refusal.blocked_by_user()
        if conversation.team is not None and not conversation.team.bot_installed:
            raise refusal.not_in_roster()
        return conversation

    async def _members(self, request: web.Request) -> web.Response:
        conversation, _ = self._conversation(request)
        return web.json_response([self._profile(each) for each in self._tenant.members(conversation)])

    async def _paged_members(self, request: web.Request) -> web.Response:
        conversation, _ = self._conversation(request)
        members = self._tenant.members(conversation)
        least, most = self.page_sizes
        try:
            size = min(most, max(least, int(request.query.get("pageSize") or 200)))
            start = _page_start(request.query.get("continuationToken"))
        except ValueError:
            raise refusal.bad_argument("pageSize or continuationToken is not valid.") from None
        page: Json = {"members": [self._profile(each) for each in members[start : start + size]]}
        if start + size < len(members):
            page["continuationToken"] = base64.urlsafe_b64encode(b"%d" % (start + size)).decode()
        return web.json_response(page)

    async def _member(self, request: web.Request) -> web.Response:
        conversation, _ = self._conversation(request)
        account = self._tenant.account(request.match_info["member"])
        if account is None or account not in self._tenant.members(conversation):
            raise refusal.member_not_found()
        return web.json_response(self._profile(account))

    def _profile(self, account: Account) -> Json:
        given_name, _, surname = account.name.partition(" ")
        return {
            "id": account.id,
            "name": account.name,
            "givenName": given_name,
            "surname": surname,
            "email": account.email,
            "userPrincipalName": account.upn,
            "tenantId": self._tenant.id,
            "objectId": account.aad_object_id,
            "aadObjectId": account.aad_object_id,
            "userRole": "guest" if account.guest else "user",
        }

    async def _team(self, request: web.Request) -> web.Response:
        team = self._installed_team(request)
        details = {
            "id": team.id,
            "name": team.name,
            "aadGroupId": team.aad_group_id,
            "channelCount": len(team.channels),
            "memberCount": len(team.members),
        }
        return web.json_response(details)

    async def _channels(self, request: web.Request) -> web.Response:
        team = self._installed_team(request)
        # The Connector gives General no name: every client shows it in its own language.
        channels = [{"id": each.id, "name": None if each.id == team.id else each.name} for each in team.channels]
        return web.json_response({"conversations": channels})

    def _installed_team(self, request: web.Request) -> Team:
        team = self._tenant.team(request.match_info["team"])
        if team is None:
            raise refusal.conversation_not_found()
        if not team.bot_installed:
            raise refusal.not_in_roster()
        return team


def _content(activity: Json) -> tuple[str, Json | None]:
    """Text and card of a message activity; raises Refused (400 BadSyntax) when it is not one that Teams takes."""
    if activity.get("type", "message") != "message":
        raise refusal.bad_syntax(f"Activities of type {activity.get('type')} cannot be sent.")
    attachments: list[Any] = activity.get("attachments") or []
    cards = [each.get("content") for each in attachments if each.get("contentType") == CARD_TYPE]
    for card in cards:
        try:
            check_card(card)
        except BadCard as error:
            raise refusal.bad_syntax(str(error)) from None
    text = activity.get("text") or ""
    if not text and not cards:
        raise refusal.bad_syntax("Activity must include non empty 'text' field or at least one attachment.")
    return text, cards[0] if cards else None


def _page_start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except binascii.Error as error:
        raise ValueError(token) from error
