"""`usher bench soak` for two minutes: what was left open, what failed and what was shown twice is none; what the
process takes is told by the bench itself, after thirty.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.bench.soak import soaked

MINUTES = 2.0
GROWTH = 1.1  # caches are still filling; half an hour has to stay within 1.05


@pytest.mark.timeout(240)
async def test_two_minutes_of_work_while_both_platforms_fail(postgresql_url: str, tmp_path: Path) -> None:
    figures = [each async for each in soaked(postgresql_url, tmp_path / "bot.log", MINUTES)]
    memory, *others = figures
    assert memory.ratio is not None
    assert memory.ratio < GROWTH, memory
    assert len(others) == 5
    assert all(each.ok for each in others), others
