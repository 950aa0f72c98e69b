"""What a click on "Send", "Pause" or "Cancel the rest" leaves to be done, however many people it is about: in the
background, some at a time.

Each step is one transaction that takes people off the wave's list, so that a crash between two steps loses nothing
and repeats nothing, and sending starts with the first ones.
"""

from __future__ import annotations

import structlog

from bot import faultpoints
from bot.effects import notice
from bot.model import RolloutState, Wave, WaveStage
from bot.planned_waves import held_message, is_to_wait, moments
from bot.ports import Clock, StaleWrite, Store, StoreUnavailable, Transaction

AT_ONCE = 150  # people in one transaction: so that neither the event loop nor anybody's click is kept waiting
IDLE = 0.5

log = structlog.get_logger(__name__)


class WaveWorker:
    """`run_once` does everything that is to be done; `run` repeats it until cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Store and withdraw as admins decide."""
        while True:
            try:
                await self.run_once()
            except (StoreUnavailable, StaleWrite) as failure:
                log.warning("wave.put_off", why=type(failure).__name__)
            except Exception:
                log.exception("wave.failed")
            await self._clock.sleep(IDLE)

    async def run_once(self) -> int:
        """Returns how many steps were done. Waves take turns: a large one does not keep a small one waiting."""
        done = 0
        while True:
            async with self._store.transaction() as tx:
                waves = await tx.rollouts.waves_to_work_on(self._clock.now())
                rollouts = await tx.deliveries.hold_tasks()
            advanced = [wave for wave in waves if await self._step(wave)]
            advanced += [rollout for rollout in rollouts if await self._hold(rollout)]
            done += len(advanced)
            if not advanced:
                return done

    async def _step(self, wave_id: str) -> bool:
        """False when there is nothing to do, or somebody else does it."""
        async with self._store.transaction() as tx:
            wave = await tx.rollouts.claim_wave(wave_id)
            if wave is None:
                return False
            advanced = await self._advance(tx, wave)
            faultpoints.reach("wave.before_commit")
        faultpoints.reach("wave.after_commit")
        return advanced

    async def _hold(self, rollout_id: str) -> bool:
        """Hold or release some of a rollout's many messages. What is not held yet is put off as it comes to its turn
        (bot/settling.py), so this only makes it quick.
        """
        async with self._store.transaction() as tx:
            rollout = await tx.rollouts.hold_still(rollout_id)
            if rollout is not None and rollout.state is RolloutState.ACTIVE:
                moved = await tx.deliveries.release(rollout_id, self._clock.now(), AT_ONCE)
            else:
                moved = await tx.deliveries.hold(rollout_id, AT_ONCE)
            if moved < AT_ONCE:
                await tx.deliveries.held_all(rollout_id)
        return moved == AT_ONCE

    async def _advance(self, tx: Transaction, wave: Wave) -> bool:
        match wave.stage:
            case WaveStage.STORING:
                return await self._store_some(tx, wave)
            case WaveStage.CANCELLED if wave.finished_at is None:
                return await _withdraw(tx, wave)
            case _:  # somebody else was faster
                return False

    async def _store_some(self, tx: Transaction, wave: Wave) -> bool:
        rollout = await tx.rollouts.hold_still(wave.rollout_id)
        if rollout is None or rollout.state is RolloutState.FINISHED:
            await _count(tx, wave, stage=WaveStage.CANCELLED)
            return True
        if wave.starts_at is not None and (rollout.state is RolloutState.PAUSED or await self._is_held(tx, wave)):
            return False
        taken = await tx.lists.take(wave.list_id, AT_ONCE)
        if not taken:
            await tx.lists.drop(wave.list_id)  # who was left out
            await _count(tx, wave, stage=WaveStage.SENDING)
            return True
        people = await tx.people.by_ids(taken)
        now = self._clock.now()
        at = moments(wave, rollout.policy, people, now)
        new = await tx.invitations.invite(rollout, wave, people, now, at, found_in=taken)
        await _count(tx, wave, size=wave.size - (len(taken) - new))  # others were invited by somebody else meanwhile
        return True

    async def _is_held(self, tx: Transaction, wave: Wave) -> bool:
        """Stop it, and tell the admin, when too many of the wave before it have problems."""
        before = await tx.cases.results_before(wave)
        if not is_to_wait(wave, before):
            return False
        await _count(tx, wave, stage=WaveStage.HELD)
        admin = await tx.people.person(wave.created_by)
        if admin is not None:
            message = held_message(wave, before)
            key = f"{wave.id}:held:{wave.version}"
            await tx.deliveries.enqueue([notice(key, admin, message, wave.rollout_id, self._clock.now())])
        return True


async def _withdraw(tx: Transaction, wave: Wave) -> bool:
    """Also called when nothing is left: what is just being sent may come back as ready."""
    not_stored = await tx.lists.drop(wave.list_id)
    gone, messages = await tx.invitations.withdraw(wave.id, AT_ONCE)
    if not_stored or gone:
        await _count(tx, wave, withdrawn=wave.withdrawn + not_stored + gone)
    return bool(not_stored or gone or messages)


async def _count(tx: Transaction, wave: Wave, **changes: object) -> None:
    after = wave.model_copy(update=changes)
    await tx.rollouts.count_wave(wave.id, size=after.size, withdrawn=after.withdrawn, stage=after.stage)
