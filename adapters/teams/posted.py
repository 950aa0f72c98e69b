"""What the Bot Framework posts, as the SDK's activity.

The SDK's own reading looks for all that an activity may have and takes several times as long as the bot's decision;
here is what the bot and the SDK's turn use. Microsoft, "Bot Framework -- Activity" (botframework-activity.md).
"""

from typing import Annotated, Any

from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class _Posted(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


class _Account(_Posted):
    id: str | None = None
    name: str | None = None
    aad_object_id: str | None = None
    role: str | None = None

    def made(self) -> ChannelAccount:
        return ChannelAccount(id=self.id, name=self.name, aad_object_id=self.aad_object_id, role=self.role)


class _Conversation(_Posted):
    id: str | None = None
    name: str | None = None
    conversation_type: str | None = None
    is_group: bool | None = None
    tenant_id: str | None = None  # as Teams writes it; the SDK looks for "tenantID"

    def made(self) -> ConversationAccount:
        return ConversationAccount(
            id=self.id,
            name=self.name,
            conversation_type=self.conversation_type,
            is_group=self.is_group,
            tenant_id=self.tenant_id,
        )


class _Activity(_Posted):
    type: Annotated[str, StringConstraints(min_length=1, strict=True)]
    id: str | None = None
    name: str | None = None
    action: str | None = None
    text: str | None = None
    value: Any = None
    reply_to_id: str | None = None
    delivery_mode: str | None = None
    channel_id: str | None = None
    service_url: str | None = None
    channel_data: Any = None
    locale: str | None = None
    local_timezone: str | None = None
    entities: list[dict[str, Any]] | None = None
    from_: Annotated[_Account | None, Field(alias="from")] = None
    recipient: _Account | None = None
    conversation: _Conversation | None = None
    members_removed: list[_Account] | None = None


def read(body: bytes) -> Activity:
    """The activity of a request's body. Raises ValueError when it is none."""
    posted = _Activity.model_validate_json(body)
    return Activity(
        type=posted.type,
        id=posted.id,
        name=posted.name,
        action=posted.action,
        text=posted.text,
        value=posted.value,
        reply_to_id=posted.reply_to_id,
        delivery_mode=posted.delivery_mode,
        channel_id=posted.channel_id,
        service_url=posted.service_url,
        channel_data=posted.channel_data,
        locale=posted.locale,
        local_timezone=posted.local_timezone,
        entities=posted.entities,
        from_property=posted.from_ and posted.from_.made(),
        recipient=posted.recipient and posted.recipient.made(),
        conversation=posted.conversation and posted.conversation.made(),
        members_removed=[each.made() for each in posted.members_removed or ()],
    )
