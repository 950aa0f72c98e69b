"""For `make mutants`, where every test runs a thousand times: a mutant is best killed by a test that takes no time.

A pytest plugin that mutmut's settings in pyproject.toml name.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

# The same examples each time, and those that one mutant failed with tell nothing about the next.
settings.register_profile("mutants", deadline=None, derandomize=True, database=None)

# These read the bot's source, which holds all mutants at once.
READS_THE_SOURCE = ("test_every_sentence", "test_the_samples_show_every_sentence")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs no database goes first; what needs PostgreSQL, or reads the source, does not go at all."""
    left_out = [each for each in items if "postgresql" in each.name or each.name.startswith(READS_THE_SOURCE)]
    items[:] = sorted((each for each in items if each not in left_out), key=_needs_a_database)
    config.hook.pytest_deselected(items=left_out)


def _needs_a_database(item: pytest.Item) -> bool:
    return "database_url" in getattr(item, "fixturenames", ())
