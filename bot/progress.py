"""The admin's progress message, updated in place while direct messages go out."""

from __future__ import annotations

from collections.abc import Mapping

from bot.conversations.invite_messages import progress_message
from bot.model import DeliveryState, Platform, Wave
from bot.ports import ChatPlatform, Clock, NeverLeft, Sent, Store, Throttled, Unclear

UNSETTLED = (DeliveryState.READY, DeliveryState.SENDING)


async def show_progress(store: Store, platforms: Mapping[Platform, ChatPlatform], clock: Clock) -> int:
    """Update the progress message of every wave whose counts have changed. Returns how many were updated."""
    async with store.transaction() as tx:
        waves = [(wave, await tx.deliveries.of_wave(wave.id)) for wave in await tx.rollouts.running_waves()]
    updated = 0
    for wave, counts in waves:
        shown = ",".join(f"{state}:{counts[state]}" for state in sorted(counts)) or "nobody"
        if shown != wave.shown and await _update(store, platforms, wave, counts):
            await _remember(store, clock, wave, shown, finished=_settled(platforms, wave, counts))
            updated += 1
    return updated


def _settled(platforms: Mapping[Platform, ChatPlatform], wave: Wave, counts: Mapping[DeliveryState, int]) -> bool:
    """Whether nothing will change any more by itself. What is unclear will, where the platform can be asked."""
    platform = platforms.get(Platform(wave.workspace_id.split(":", maxsplit=1)[0]))
    can_find = platform is not None and platform.can_find
    changing = (*UNSETTLED, DeliveryState.UNKNOWN) if can_find else UNSETTLED
    return not any(counts.get(state) for state in changing)


async def _update(
    store: Store, platforms: Mapping[Platform, ChatPlatform], wave: Wave, counts: Mapping[DeliveryState, int]
) -> bool:
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
    outcome = await platform.update(workspace, person, where, progress_message(wave, counts))
    return not isinstance(outcome, Throttled | NeverLeft | Unclear)


async def _remember(store: Store, clock: Clock, wave: Wave, shown: str, *, finished: bool) -> None:
    changes = {"shown": shown, "version": wave.version + 1, "finished_at": clock.now() if finished else None}
    async with store.transaction() as tx:
        await tx.save(wave.model_copy(update=changes))
