"""Microsoft Graph, as far as the directory needs it. Protocol: learn.microsoft.com, "Use the Microsoft Graph API"."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.teams.credentials import GRAPH_SCOPE, BotCredentials, TokenUnavailable
from bot.ports import Clock, DirectoryUnavailable

Json = dict[str, Any]

GRAPH_URL = "https://graph.microsoft.com/v1.0"
TIMEOUT = ClientTimeout(total=20.0)
ATTEMPTS = 4
LONGEST_WAIT = 30.0  # seconds; a longer Retry-After is the caller's to wait for
DEFAULT_WAIT = 5.0


class GraphRefused(Exception):
    """Graph does not let this app do that (`status` 401, 403), has nothing there (404), or has it already (409)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Microsoft Graph answered {status}")
        self.status = status


class Graph:
    """Asks Graph with the app's own permissions. Raises GraphRefused and DirectoryUnavailable."""

    def __init__(
        self, session: ClientSession, credentials: BotCredentials, clock: Clock, graph_url: str = GRAPH_URL
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._clock = clock
        self._url = graph_url.rstrip("/")

    def address(self, path: str) -> str:
        """Of an object, as Graph wants it when one object names another."""
        return self._url + path

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """One object."""
        return await self._get(self._url + path, query)

    async def listed(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Json]:
        """Every row of a list, page after page."""
        page = await self._get(self._url + path, query)
        while True:
            for row in page.get("value") or ():
                yield row
            following = page.get("@odata.nextLink")
            # The token goes to Graph only, whatever an answer names.
            if not isinstance(following, str) or not following.startswith(self._url + "/"):
                return
            page = await self._get(following, None)

    async def post(self, path: str, body: Json) -> None:
        """Make something. Once: DirectoryUnavailable leaves open whether it was made."""
        status, _, wait = await self._once("POST", self._url + path, body=body)
        if status in {200, 201, 204}:
            return
        if status == 401:
            self._credentials.reject(GRAPH_SCOPE)
        elif status in {400, 403, 404, 409}:
            raise GraphRefused(status)
        raise DirectoryUnavailable(wait)

    async def _get(self, url: str, query: Mapping[str, str] | None) -> Json:
        for attempt in range(1, ATTEMPTS + 1):
            status, answer, wait = await self._once("GET", url, query)
            if status == 200:
                return answer
            if status in {400, 403, 404}:
                raise GraphRefused(status)
            if attempt == ATTEMPTS or wait > LONGEST_WAIT:
                break
            if status == 401:
                self._credentials.reject(GRAPH_SCOPE)
            await self._clock.sleep(wait)
        if status == 401:
            raise GraphRefused(status)
        raise DirectoryUnavailable(wait)

    async def _once(
        self, method: str, url: str, query: Mapping[str, str] | None = None, body: Json | None = None
    ) -> tuple[int, Json, float]:
        """Status (0 without an answer), body, and the seconds to wait before asking again."""
        try:
            token = await self._credentials.token(GRAPH_SCOPE)
        except TokenUnavailable as error:
            if error.status is not None and error.status < 500:
                raise GraphRefused(401) from error
            return 0, {}, DEFAULT_WAIT
        try:
            async with self._session.request(
                method,
                url,
                params=query,
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
                allow_redirects=False,  # a redirect would carry the token to another host
            ) as response:
                answer = await response.json(content_type=None)  # None for an empty body
        except (ClientError, OSError, ValueError):
            return 0, {}, DEFAULT_WAIT
        wait = _seconds(response.headers.get("Retry-After"), 0.0 if response.status == 401 else DEFAULT_WAIT)
        return response.status, answer if isinstance(answer, dict) else {}, wait


def _seconds(header: str | None, default: float) -> float:
    try:
        return max(0.0, float(header)) if header else default
    except ValueError:
        return default
