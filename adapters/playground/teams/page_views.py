"""What the page is shown, in the shapes that page_api.py describes."""

from adapters.playground.teams.client import TeamsClient
from adapters.playground.teams.seen import Dialog
from adapters.playground.teams.tenant import Account, Conversation, Json, Message, Tenant, timestamp


def everybody(tenant: Tenant) -> list[Json]:
    """The people to offer."""
    return [_person_json(each) for each in tenant.accounts.values() if not each.left]


def state_of(tenant: Tenant, client: TeamsClient) -> Json:
    """What this person's Teams shows; their personal chat comes first, even when it is empty."""
    account = client.account
    tenant.personal_chat(account)
    mine = [each for each in tenant.conversations.values() if account in tenant.members(each)]
    mine.sort(key=lambda each: each.type, reverse=True)
    team = next((each for each in tenant.teams if account.key in each.members), None)
    return {
        "version": tenant.version,
        "me": _person_json(account),
        "people": everybody(tenant),
        "bot": {"id": tenant.bot_id, "name": tenant.bot_name},
        "team": None if team is None else {"id": team.id, "name": team.name},
        "tags": [{"id": each.id, "name": each.name} for each in (team.tags if team else ())],
        "conversations": [_conversation_json(account, each) for each in mine],
        "toasts": [
            {"id": each.id, "text": each.text, "kind": "error" if each.error else "message"}
            for each in client.notices
        ],
        "dialog": None if client.dialog is None else _dialog_json(client.dialog),
    }


def _dialog_json(dialog: Dialog) -> Json:
    return {
        "title": dialog.title,
        "width": dialog.width,
        "height": dialog.height,
        "card": dialog.card,
        "url": dialog.url,
        "message": dialog.message,
        "replyTo": dialog.reply_to,
    }


def _person_json(account: Account) -> Json:
    return {
        "key": account.key,
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "aadObjectId": account.aad_object_id,
        "timezone": account.timezone,
        "locale": account.locale,
        "guest": account.guest,
        "disabled": account.disabled,
        "installed": account.installed,
        "blocked": account.blocked,
    }


def _conversation_json(account: Account, conversation: Conversation) -> Json:
    return {
        "id": conversation.id,
        "kind": conversation.type,
        "name": conversation.name,
        "team": conversation.team.name if conversation.team else None,
        "messages": [_message_json(account, each) for each in conversation.messages],
    }


def _message_json(account: Account, message: Message) -> Json:
    return {
        "id": message.id,
        "thread": message.thread,
        "from": {"id": message.sender_id, "name": message.sender_name, "bot": message.from_bot},
        "at": timestamp(message.at),
        "text": message.text,
        "textFormat": message.text_format,
        "card": message.card_for(account),
        "edited": message.edited,
        "busy": account.key in message.busy,
        "error": message.errors.get(account.key),
    }
