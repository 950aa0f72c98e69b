"""Pictures in blocks: Slack fetches each before it takes the message, and refuses the message when it gets none."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.playground.slack.world import Json

WITHIN = aiohttp.ClientTimeout(total=5)


async def fetch_pictures(args: Json) -> None:
    """Fetch the pictures of a message's image blocks. Raises Refused("invalid_blocks") when one is not to be had; an
    address beyond this machine is not asked, as Slack could not reach one on it.
    """
    for number, url in _addresses(args.get("blocks")):
        if not await _is_picture(url):
            raise Refused("invalid_blocks", [f"downloading image failed [json-pointer:/blocks/{number}/image_url]"])


def _addresses(blocks: Any) -> Iterator[tuple[int, str]]:
    for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, dict) and block.get("type") == "image" and block.get("image_url"):
            yield number, str(block["image_url"])


async def _is_picture(url: str) -> bool:
    if not _is_loopback(urlsplit(url).hostname or ""):
        return False
    try:
        async with aiohttp.ClientSession(timeout=WITHIN) as session, session.get(url) as answer:
            return answer.status == 200 and answer.content_type.startswith("image/")
    except (aiohttp.ClientError, TimeoutError):
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
