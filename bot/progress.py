"""The admin's progress message, updated in place while direct messages go out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.conversations.scene import PER_MINUTE
from bot.conversations.wave_messages import estimated_seconds, progress_message, waiting_of
from bot.messages import Message
from bot.model import DeliveryState, Platform, Rollout, RolloutState, Wave, WaveStage
from bot.ports import ChatPlatform, Clock, NeverLeft, Sent, Store, Throttled, Unclear, WaveCounts

UNSETTLED = (DeliveryState.READY, DeliveryState.SENDING)
WINDOW = timedelta(minutes=2)  # the pace is that of the last two minutes


class Pace:
    """How fast waves have lately been sent, as this process has seen it: after a restart it is measured anew."""

    def __init__(self, per_minute: Mapping[Platform, float]) -> None:
        self._per_minute = per_minute  # until it has been seen
        self._seen: dict[str, deque[tuple[datetime, int]]] = {}

    @classmethod
    def allowed_by(cls, platforms: Mapping[Platform, ChatPlatform]) -> Pace:
        """Nothing has been seen yet: what the platforms' limits allow, where one is configured here."""
        limits = {platform: each.limits.per_second * 60 for platform, each in platforms.items()}
        return cls({**PER_MINUTE, **limits})

    def expected_end(self, wave: Wave, rollout: Rollout, counts: WaveCounts, now: datetime) -> datetime | None:
        """When the last message goes out; None when nothing is waiting or it is paused."""
        waiting = waiting_of(wave, counts)
        if not waiting or rollout.state is not RolloutState.ACTIVE:
            self._seen.pop(wave.id, None)
            return None
        settled = counts.total - sum(counts.states.get(state, 0) for state in UNSETTLED)
        seen = self._seen.setdefault(wave.id, deque())
        seen.append((now, settled))
        while now - seen[0][0] > WINDOW:
            seen.popleft()
        since, before = seen[0]
        seconds = (now - since).total_seconds()
        if seconds > 0 and settled > before:
            return now + timedelta(seconds=waiting * seconds / (settled - before))
        return now + timedelta(seconds=estimated_seconds({wave.workspace_id: waiting}, self._per_minute))


async def show_progress(
    store: Store, platforms: Mapping[Platform, ChatPlatform], clock: Clock, pace: Pace | None = None
) -> int:
    """Update the progress message of every wave whose counts have changed. Returns how many were updated."""
    pace = pace or Pace.allowed_by(platforms)
    async with store.transaction() as tx:
        waves = [
            (wave, await tx.rollouts.rollout(wave.rollout_id), await tx.deliveries.of_wave(wave.id))
            for wave in await tx.rollouts.running_waves()
        ]
    updated = 0
    for wave, rollout, counts in waves:
        if rollout is None:
            continue
        ends_at = pace.expected_end(wave, rollout, counts, clock.now())
        shown = _shown(wave, rollout, counts)
        message = progress_message(wave, rollout, counts, ends_at)
        if shown != wave.shown and await _update(store, platforms, wave, message):
            finished_at = clock.now() if _settled(platforms, wave, counts) else None
            async with store.transaction() as tx:
                await tx.rollouts.showed_progress(wave, shown, finished_at)
            updated += 1
    return updated


def _shown(wave: Wave, rollout: Rollout, counts: WaveCounts) -> str:
    """What the message depends on, in short."""
    states = ",".join(f"{state}:{counts.states[state]}" for state in sorted(counts.states)) or "nobody"
    return f"{states};{wave.stage}:{wave.size}:{wave.withdrawn};{rollout.state};{counts.failed}"


def _settled(platforms: Mapping[Platform, ChatPlatform], wave: Wave, counts: WaveCounts) -> bool:
    """Whether nothing will change any more by itself. What is unclear will, where the platform can be asked."""
    if wave.stage in (WaveStage.STORING, WaveStage.HELD) or waiting_of(wave, counts):
        return False
    platform = platforms.get(Platform(wave.workspace_id.split(":", maxsplit=1)[0]))
    return platform is None or not platform.can_find or not counts.looked_up


async def _update(store: Store, platforms: Mapping[Platform, ChatPlatform], wave: Wave, message: Message) -> bool:
    """False when it should be tried again."""
    async with store.transaction() as tx:
        workspace = await tx.people.workspace(wave.workspace_id)
        person = await tx.people.person(wave.created_by)
    if workspace is None or person is None or not wave.message_id:
        return True
    platform = platforms.get(workspace.platform)
    if platform is None:
        return True
    where = Sent(wave.channel_id, wave.message_id)
    outcome = await platform.update(workspace, person, where, message)
    return not isinstance(outcome, Throttled | NeverLeft | Unclear)
