"""Whether a login URL may be sent to 10,000 people."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from bot.messages import Text, text
from bot.model import Region

# Browsers read a backslash as a slash and pass over line breaks (url.spec.whatwg.org, "URL parsing"), urlsplit does
# not: with them, what is checked here would not be what is opened.
_AMBIGUOUS = re.compile(r"[\\\s\x00-\x1f\x7f]")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


def login_url_error(url: str, *, region: Region, enterprise_key: str, allowed_hosts: tuple[str, ...]) -> Text | None:
    """What is wrong with a pasted login URL; None when it may be sent.

    Its format is not published, so it is not compared with one: it must be https, on an allowed host, and fit the
    region and the enterprise key that were given before, where it names them.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return text("setup.error.url")
    if _AMBIGUOUS.search(url):
        return text("setup.error.url")
    if parts.scheme != "https":
        return text("setup.error.https")
    if "@" in parts.netloc or port not in (None, 443) or not _HOST.fullmatch(host):
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
