"""Who has opened the login page, on Teams, which does not tell: the button goes through the bot's own address.

Off by default, because a strange host in a message about signing in is what people are taught to distrust. The
address holds an invitation's id with a proof that the bot made it, so that nobody can note an opening for somebody
else, and whatever has no proof asks the database nothing. A scanner that follows links before people do counts as an
opening: this is a hint, not a confirmation.
"""

from collections.abc import Sequence
from dataclasses import replace

import structlog
from aiohttp import web

from adapters.signed import Signer
from bot.messages import AnyButton, LinkButton, Message, Token
from bot.ports import Clock, Store, StoreUnavailable

PATH = "/login/{proof}"
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}

log = structlog.get_logger(__name__)


class LoginLinks:
    """Addresses that lead to the login page and tell the bot. `keys` are USHER_SECRET_KEY's: the first one signs."""

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        self._public_url = public_url
        self._signer = Signer("login", keys)

    def shown(self, message: Message) -> Message:
        """The message with its login button going through the bot."""
        return replace(message, buttons=tuple(self._through_the_bot(each) for each in message.buttons))

    def _through_the_bot(self, button: AnyButton) -> AnyButton:
        match button:
            case LinkButton(token=Token(conversation="confirm", action="opened") as token):
                return replace(button, url=self.address(token.subject))
            case _:
                return button

    def address(self, invitation_id: str) -> str:
        """Where this invitee's button leads."""
        return f"{self._public_url}{PATH.format(proof=self._signer.signed(invitation_id))}"

    def invitation_of(self, proof: str) -> str | None:
        """The invitation that an address is for; None for one that the bot did not make."""
        return self._signer.opened(proof)

    def add_routes(self, app: web.Application, store: Store, clock: Clock) -> None:
        """GET leads on to the login page. HEAD is not answered: who only looks has not opened it."""

        async def lead_on(request: web.Request) -> web.Response:
            invitation_id = self.invitation_of(request.match_info["proof"])
            if invitation_id is None:
                return web.Response(status=404, text="There is no such page.", headers=HEADERS)
            try:
                async with store.transaction() as tx:
                    login_url = await tx.invitations.login_opened(invitation_id, clock.now())
            except StoreUnavailable:
                log.warning("login.not_noted")
                text = "Please try again in a moment, or use the address in the message."
                return web.Response(status=503, text=text, headers=HEADERS)
            if login_url is None:
                return web.Response(status=404, text="There is no such page any more.", headers=HEADERS)
            return web.Response(status=302, headers={**HEADERS, "Location": login_url})

        app.router.add_get(PATH, lead_on, allow_head=False)
