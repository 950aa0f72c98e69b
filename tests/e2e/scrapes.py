"""GET /metrics as Prometheus reads it."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.office import Office


async def exposition(office: Office) -> str:
    """What the bot answers, as text."""
    async with aiohttp.ClientSession() as session, session.get(f"{office.url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


class Scrape:
    """What was found, by name and labels."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self._samples = [sample for family in self.families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels; 0 when there are none."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self) -> set[str]:
        """Every value of every label."""
        return {value for sample in self._samples for value in sample.labels.values()}


async def scraped(office: Office) -> Scrape:
    """The metrics now."""
    return Scrape(await exposition(office))
