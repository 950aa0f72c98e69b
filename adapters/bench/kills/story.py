"""The story of a rollout, told by people who wait for nothing but what they can see."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic

from adapters.bench.kills.colleagues import ANSWER, INVITATION, PROBLEM, REMINDER, SAVED, Colleague
from adapters.bench.kills.ledger import Ledger
from adapters.bench.kills.supervised import SupervisedBot

PATIENCE = 0.6  # seconds without an answer, after which one clicks again
TRIES = 40
LOOK = 0.02  # seconds between two looks at the screen
SETTLED_WITHIN = 40.0  # seconds
ACCESS = "I can see my organizations"

Plan = Mapping[str, tuple[str, ...]]  # the points at which the bot dies, one after the other, by act


class Story:
    """One admin, their invitees, and a bot that may die at any moment."""

    def __init__(
        self,
        bot: SupervisedBot,
        ledger: Ledger,
        admin: Colleague,
        invitees: Sequence[Colleague],
        settled_within: float = SETTLED_WITHIN,
    ) -> None:
        self._settled_within = settled_within
        self._bot = bot
        self._ledger = ledger
        self.admin = admin
        self._invitees = invitees

    async def told(self, group: str, plan: Plan) -> None:
        """From setting up until everybody is done; the bot dies in each act as planned.

        The last invitee needs a reminder, and has a problem.
        """
        *ready, late = self._invitees
        await self._act(plan, "set up", self.set_up)
        await self._act(plan, "look up", lambda: self.look_up(group))
        await self._act(plan, "invite", self.invite)
        await self.confirm(*(each for each in ready if each.messages(INVITATION)))
        await self._act(plan, "remind", self.reminded)
        await self._act(plan, "report", lambda: self.report(late))
        await self._act(plan, "answer", lambda: self.answer(late))
        await self._act(plan, "confirm", lambda: self.confirm(*self._invitees))

    async def _act(self, plan: Plan, name: str, act: Callable[[], Awaitable[None]]) -> None:
        deaths, points = self._bot.deaths, plan.get(name, ())
        if points:
            await self._bot.dies_at(*points)
        await act()
        await self.settled()
        reached = await self.happens(lambda: self._bot.deaths == deaths + len(points))
        assert reached, f"{name}: {self._bot.deaths - deaths} deaths at {points}; {self._bot.mishaps}"

    async def set_up(self) -> None:
        """The dialog, from the first step to the last."""
        await self.fills_in(self.admin, lambda: self.admin.says("setup"), lambda: self.admin.messages(SAVED))

    async def look_up(self, group: str) -> None:
        """The admin gets the list of those who would be written to."""
        admin = self.admin
        await self.insists(lambda: admin.says(f"invite {group}"), lambda: admin.may_press("Send to "))

    async def invite(self) -> None:
        """The admin agrees, and the messages go out."""
        admin = self.admin
        await self.insists(
            admin.agrees,
            lambda: not admin.may_press("Send to ") or any(each.messages(INVITATION) for each in self._invitees),
        )

    async def arrives(self, done: Callable[[], object]) -> None:
        """Wait for what others than oneself bring about."""
        async with asyncio.timeout(self._settled_within):
            while not done():  # noqa: ASYNC110  # a screen tells nobody that it has changed
                await asyncio.sleep(LOOK)

    async def confirm(self, *people: Colleague) -> None:
        """They can see their organizations."""
        for who in people:
            await self.insists(partial(who.presses, ACCESS), partial(_pressed, who))

    async def reminded(self) -> None:
        """The policy is changed, and days pass, until everybody who has not confirmed has a reminder."""
        await self._ledger.policy_changed()
        waiting = [each for each in self._invitees if not each.messages(INVITATION) or each.may_press(ACCESS)]
        await self.days_pass(lambda: all(each.messages(REMINDER) for each in waiting))

    async def days_pass(self, done: Callable[[], object]) -> None:
        """A third of a day after the other, each in peace, until this has come true."""
        for _ in range(3 * 10):
            if done():
                return
            self._bot.move(timedelta(hours=8))
            await self.settled()
        raise AssertionError("ten days have passed, and it has not come true")

    async def report(self, who: Colleague) -> None:
        """They report a problem."""
        begin, passed_on = lambda: who.presses("I have a problem"), lambda: self.admin.messages(PROBLEM)
        await self.fills_in(who, begin, passed_on)

    async def answer(self, who: Colleague) -> None:
        """An admin answers it, and the answer arrives."""
        await self.fills_in(self.admin, lambda: self.admin.presses("Answer"), lambda: who.messages(ANSWER))

    async def settled(self) -> None:
        """Nothing is on its way any more, and every message shows what is true."""
        deadline = monotonic() + self._settled_within
        while monotonic() < deadline:
            await self._bot.up.wait()
            if not await self._ledger.on_its_way(self._bot.now(), unknown=False):
                if not await self._ledger.on_its_way(self._bot.now(), unknown=self._bot.can_find):
                    return
                self._bot.move(timedelta(minutes=2))  # the grace
            await asyncio.sleep(LOOK)
        raise AssertionError(f"not settled: {await self._ledger.states()}; {self._bot.mishaps}")

    async def fills_in(
        self, who: Colleague, begin: Callable[[], Awaitable[None]], done: Callable[[], object]
    ) -> None:
        """A dialog, begun again as often as it takes."""

        async def go_on() -> None:
            if not who.has_form():
                await begin()
                await self.happens(who.has_form)
            while who.has_form() and not done():
                deaths = self._bot.deaths
                await who.sends_form()
                if self._bot.deaths != deaths or not self._bot.up.is_set():
                    return
                await asyncio.sleep(LOOK)

        await self.insists(go_on, done)

    async def insists(self, act: Callable[[], Awaitable[None]], done: Callable[[], object]) -> None:
        """Do it, and do it again when nothing comes of it."""
        for _ in range(TRIES):
            await self._bot.up.wait()
            await act()
            if await self.happens(done):
                return
        raise AssertionError(f"nothing came of it in {TRIES} tries")

    async def happens(self, done: Callable[[], object]) -> bool:
        """Whether it does within one's patience, counted anew when the bot comes back."""
        deadline, deaths = monotonic() + PATIENCE, self._bot.deaths
        while monotonic() < deadline:
            if done():
                return True
            await asyncio.sleep(LOOK)
            if self._bot.deaths != deaths or not self._bot.up.is_set():
                await self._bot.up.wait()
                deadline, deaths = monotonic() + PATIENCE, self._bot.deaths
        return bool(done())


def _pressed(who: Colleague) -> bool:
    return not who.may_press(ACCESS)
