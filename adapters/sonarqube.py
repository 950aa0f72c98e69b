"""SonarQube Cloud's Web API: implements bot.ports.SonarQubeCloud.

api/organizations/search_members tells no e-mail addresses, but each member's avatar is the MD5 of theirs
(SonarSource/sonarqube, AvatarResolverImpl), and the logins of SSO accounts end in their connection's id. Its rate
limit is not published; staff call up to 1,000 requests a minute fine. Not tried against SonarQube Cloud itself.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from bot.model import Region
from bot.ports import Clock, SonarQubeUnavailable

PAGE = 500
MOST_PAGES = 200
BETWEEN_PAGES = 1.0  # seconds
TIMEOUT = ClientTimeout(total=20.0)
# "mei.tanaka-x7fq@saml-<connection id>"; the others by the names of Auth0's strategies.
SSO_LOGIN = re.compile(r"@(saml|samlp|oidc|okta|waad)-[0-9A-Za-z-]+$")

Json = dict[str, Any]


class SonarQubeApi:
    """Reads with one account's token. `url` is the API's address; empty: that of each rollout's region."""

    def __init__(self, token: str, clock: Clock, url: str = "") -> None:
        self._session = ClientSession(
            headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT, cookie_jar=DummyCookieJar()
        )
        self._clock = clock
        self._url = url.rstrip("/")

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def check(self) -> None:
        """Raises SonarQubeUnavailable when the token is not a valid one, for `usher doctor`."""
        answer = await self._get(self._url or f"https://{Region.EU.host}", "authentication/validate", {})
        if answer.get("valid") is not True:
            raise SonarQubeUnavailable("SonarQube Cloud does not accept USHER_SONARQUBE_TOKEN: make a new one")

    def digest(self, email: str) -> str:
        """As in a member's avatar."""
        return hashlib.md5(email.casefold().encode(), usedforsecurity=False).hexdigest()

    async def sso_members(self, region: Region, organization: str) -> frozenset[str]:
        """The digests of members with an SSO login, page after page. Raises SonarQubeUnavailable."""
        base = self._url or f"https://{region.host}"
        found: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            query = {"organization": organization, "p": str(number), "ps": str(PAGE)}
            answer = await self._get(base, "organizations/search_members", query)
            users = [user for user in answer.get("users") or () if isinstance(user, dict)]
            found.update(str(user.get("avatar")) for user in users if SSO_LOGIN.search(str(user.get("login"))))
            if len(users) < PAGE:
                break
            await self._clock.sleep(BETWEEN_PAGES)
        return frozenset(found - {"", "None"})

    async def _get(self, base: str, method: str, query: dict[str, str]) -> Json:
        try:
            # a redirect would carry the token to another host
            async with self._session.get(f"{base}/api/{method}", params=query, allow_redirects=False) as response:
                status, answer = response.status, await response.json(content_type=None)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise SonarQubeUnavailable(f"{method}: no answer ({type(error).__name__})") from error
        if status != 200 or not isinstance(answer, dict):
            raise SonarQubeUnavailable(f"{method}: answered {status}; {_advice(status)}")
        return answer


def _advice(status: int) -> str:
    match status:
        case 401 | 403:
            return "USHER_SONARQUBE_TOKEN must be of a member of the organization"
        case 404:
            return "no such organization for this token"
        case _:
            return "it is asked again later"
