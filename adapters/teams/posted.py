"""What the Bot Framework posts, as the SDK's activity.

The SDK's own reading looks for all that an activity may have and takes several times as long as the bot's decision;
here is what the bot and the SDK's turn use. Microsoft, "Bot Framework -- Activity" (botframework-activity.md).
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class _Posted(BaseModel):
    """Its fields have the names of the SDK's."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)
    made_into: ClassVar[type[Any]]

    def made(self) -> Any:
        """The SDK's model of it."""
        return self.made_into(**{name: _made(value) for name, value in self})


def _made(value: object) -> object:
    if isinstance(value, list):
        return [_made(each) for each in value]
    return value.made() if isinstance(value, _Posted) else value


class _Account(_Posted):
    made_into = ChannelAccount

    id: str | None = None
    name: str | None = None
    aad_object_id: str | None = None
    role: str | None = None


class _Conversation(_Posted):
    made_into = ConversationAccount

    id: str | None = None
    name: str | None = None
    conversation_type: str | None = None
    is_group: bool | None = None
    tenant_id: str | None = None  # as Teams writes it; the SDK looks for "tenantID"


class _Activity(_Posted):
    made_into = Activity

    type: Annotated[str, StringConstraints(min_length=1, strict=True)]
    id: str | None = None
    timestamp: datetime | None = None
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
    from_property: Annotated[_Account | None, Field(alias="from")] = None
    recipient: _Account | None = None
    conversation: _Conversation | None = None
    members_removed: list[_Account] | None = []  # pydantic copies it


def read(body: bytes) -> Activity:
    """The activity of a request's body. Raises ValueError when it is none."""
    return _Activity.model_validate_json(body).made()
