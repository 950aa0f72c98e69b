"""Whether a login URL may be sent to 10,000 people."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from bot.messages import Text, text
from bot.model import Region


def login_url_error(url: str, *, region: Region, enterprise_key: str, allowed_hosts: tuple[str, ...]) -> Text | None:
    """What is wrong with a pasted login URL; None when it may be sent.

    Its format is not published, so it is not compared with one: it must be https, on an allowed host, and fit the
    region and the enterprise key that were given before, where it names them.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return text("setup.error.url")
    host = (parts.hostname or "").casefold()
    if parts.scheme != "https":
        return text("setup.error.https")
    if parts.username or parts.password or port not in (None, 443) or not host.isascii():
        return text("setup.error.url")
    if not any(host == allowed or host.endswith(f".{allowed}") for allowed in allowed_hosts):
        return text("setup.error.host", host=host, allowed=", ".join(allowed_hosts))
    return _contradiction(host, parse_qs(parts.query), region, enterprise_key)


def _contradiction(host: str, query: dict[str, list[str]], region: Region, enterprise_key: str) -> Text | None:
    for other in Region:
        if other is not region and (host == other.host or host.endswith(f".{other.host}")):
            return text("setup.error.region", host=host, region=text(f"region.{region}"))
    named = query.get("enterprise_key")
    if named and named != [enterprise_key]:
        return text("setup.error.other_key", named=named[0], key=enterprise_key)
    return None
