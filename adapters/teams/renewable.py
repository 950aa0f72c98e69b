import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Clock = Callable[[], float]


@dataclass(frozen=True)
class Lease(Generic[T]):
    """A fetched value and how long it is good for, in seconds from now.

    After `renew_after` a new one is wanted, but the old one still serves; after `expires_after` it must not.
    """

    value: T
    renew_after: float
    expires_after: float


class Renewable(Generic[T]):
    """One value that is fetched over the network and kept: signing keys, an access token.

    At most one fetch is under way, however many callers wait for it. After a failed fetch nothing is asked for
    during `pause` seconds, so that a service that is down is not made busier by us and callers are answered at
    once instead of each waiting for its own time-out.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Lease[T]]], *, pause: float, clock: Clock) -> None:
        self._fetch = fetch
        self._pause = pause
        self._clock = clock
        self._lease: Lease[T] | None = None
        self._fetched_at = 0.0
        self._failure: Exception | None = None
        self._failed_at = 0.0
        self._task: asyncio.Task[T] | None = None

    @property
    def age(self) -> float:
        """Seconds since the last fetch that succeeded; only to be asked after a get()."""
        return self._clock() - self._fetched_at

    async def get(self) -> T:
        """The value. Waits only when there is none that may still be used; raises what the fetch raised."""
        lease, age = self._lease, self.age
        if lease is None or age >= lease.expires_after:
            return await self.renew()
        if age >= lease.renew_after and not self._paused():
            self._start()
        return lease.value

    async def renew(self) -> T:
        """A value fetched now, or by the fetch that is under way. Raises what the fetch raised."""
        if self._task is None and self._failure is not None and self._paused():
            raise self._failure.with_traceback(None)
        # One caller giving up must not take the value away from the others.
        return await asyncio.shield(self._start())

    def forget(self) -> None:
        """Drop the value: the other side no longer accepts it."""
        self._lease = None

    def _paused(self) -> bool:
        return self._failure is not None and self._clock() - self._failed_at < self._pause

    def _start(self) -> asyncio.Task[T]:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            # A renewal in the background has nobody who waits for it: its failure is kept for the next caller.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._task

    async def _run(self) -> T:
        try:
            lease = await self._fetch()
        except Exception as error:
            self._failure, self._failed_at = error, self._clock()
            raise
        else:
            self._lease, self._fetched_at, self._failure = lease, self._clock(), None
            return lease.value
        finally:
            self._task = None
