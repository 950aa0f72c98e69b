"""Knocking at POST /api/messages from outside, as nobody may."""

from adapters.chat import PlatformUnavailable
from adapters.outside import NoAnswer, ask

ACTIVITY = b'{"type": "message", "channelId": "msteams", "serviceUrl": "https://smba.trafficmanager.net/teams/"}'


async def knock(url: str) -> None:
    """Raises PlatformUnavailable when the endpoint does not answer, or takes what has no token. That it takes
    Microsoft's tokens cannot be tried: only Microsoft makes them.
    """
    try:
        answered = await ask("POST", url, data=ACTIVITY, headers={"Content-Type": "application/json"})
    except NoAnswer as failure:
        raise PlatformUnavailable(f"/api/messages does not answer at USHER_PUBLIC_URL ({failure})") from None
    if answered.status != 401:
        raise PlatformUnavailable(
            f"/api/messages answers {answered.status} to a request without a token, which must be 401: check what "
            "the proxy passes on"
        )
