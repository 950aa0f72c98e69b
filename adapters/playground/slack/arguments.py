"""The arguments of a Web API call, however they are encoded: query, form or JSON.

Source: docs.slack.dev/apis/web-api, "Basics" (content types).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.playground.slack.world import Json

# Arguments that are JSON inside a form field.
_STRUCTURED = ("blocks", "attachments", "metadata", "view")
_BAD = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}


async def read_arguments(request: web.Request) -> Json:
    """All arguments by name; `token` and OAuth's client id and secret also from the Authorization header.

    Raises Refused: json_not_object, invalid_form_data, invalid_blocks_format, invalid_arguments, ...
    """
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        args |= await _json_object(request)
    elif request.can_read_body:
        form = await request.post()
        args |= {name: value for name, value in form.items() if isinstance(value, str)}
    for name in _STRUCTURED:
        if isinstance(args.get(name), str):
            args[name] = _decoded(name, args[name])
    return args | _from_header(request.headers.get("Authorization", ""))


async def _json_object(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text())
    except (ValueError, UnicodeDecodeError):
        raise Refused("json_not_object") from None
    if not isinstance(body, dict):
        raise Refused("json_not_object")
    return body


def _decoded(name: str, text: str) -> object:
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise Refused(_BAD.get(name, "invalid_arguments")) from None


def _from_header(header: str) -> Json:
    scheme, _, rest = header.partition(" ")
    if scheme == "Bearer":
        return {"token": rest.strip()}
    if scheme != "Basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(rest).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": client_id, "client_secret": secret}


def flag(args: Json, name: str) -> bool:
    """A boolean argument: JSON's true, or a form's "true" or "1"."""
    return args.get(name) in (True, 1, "1", "true", "True")
