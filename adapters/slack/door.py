"""Knocking at POST /slack/events from outside: as Slack does when a request URL is saved, and as nobody may."""

from __future__ import annotations

import json
from secrets import token_urlsafe
from time import time

from slack_sdk.signature import SignatureVerifier

from adapters.chat import PlatformUnavailable
from adapters.outside import NoAnswer, ask

JSON = {"Content-Type": "application/json"}


async def knock(url: str, signing_secret: str) -> None:
    """Raises PlatformUnavailable when a signed challenge is not answered, or an unsigned one is not refused.
    Source: docs.slack.dev/reference/events/url_verification.
    """
    challenge = token_urlsafe(16)
    body = json.dumps({"type": "url_verification", "token": "doctor", "challenge": challenge})
    try:
        unsigned = await ask("POST", url, data=body.encode(), headers=JSON)
        signed = await ask("POST", url, data=body.encode(), headers=_signed(body, signing_secret))
    except NoAnswer as failure:
        raise PlatformUnavailable(f"/slack/events does not answer at USHER_PUBLIC_URL ({failure})") from None
    if unsigned.status != 401:
        raise PlatformUnavailable(
            f"/slack/events answers {unsigned.status} to a request without a signature, which must be 401: check "
            "what the proxy passes on"
        )
    if signed.status != 200 or challenge not in signed.text:
        raise PlatformUnavailable(
            f"/slack/events answers {signed.status} to Slack's challenge: the running bot has another "
            "USHER_SLACK_SIGNING_SECRET, or its clock is wrong"
        )


def _signed(body: str, signing_secret: str) -> dict[str, str]:
    timestamp = str(int(time()))
    signature = SignatureVerifier(signing_secret).generate_signature(timestamp=timestamp, body=body)
    return {**JSON, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
