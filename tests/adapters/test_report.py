"""The closing report: everything in one file, nothing from elsewhere, nobody's words as markup."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from adapters.report import Ended, draw
from bot.conversations.problem import PROBLEMS
from bot.figures import Figures
from bot.finishing import FinishItem, FinishStep, StepState
from bot.model import RolloutState
from bot.ports import Reason
from bot.texts import Reader
from tests.builders import ADA, DAY, NOON, rollout

OVER = rollout(state=RolloutState.FINISHED, finished_at=NOON + 20 * DAY, created_at=NOON)
DAYS = [(NOON + number * DAY).date() for number in range(21)]
FIGURES = Figures(
    invited=120,
    reached=118,
    done=100,
    exempt=4,
    still_open=16,
    reminders=230,
    confirmed={"access": 110, "tasks": 104, "token": 101},
    invited_on={DAYS[0]: 20, DAYS[5]: 100},
    done_on=dict.fromkeys(DAYS[1:21], 5),
    median_hours=30.4,
    slowest_tenth_hours=200.0,
    problems={"forbidden": 3, "tile": 9},
    unreachable={"blocked": 2},
    steps={"tokens": "skipped"},
)


def drawn(figures: Figures = FIGURES, items: dict[FinishStep, FinishItem] | None = None, **changes: object) -> str:
    of = OVER.model_copy(update=changes)
    return draw(Ended(of, figures, items or {}, {ADA.id: ADA}), Reader(), NOON)


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("</style>")[1])))


def test_the_report_says_who_when_how_long_and_what_is_left() -> None:
    said = words(drawn())
    for told in (
        "Acme's move to SSO: closing report",
        "Run by Ada, 3 March 2026 to 23 March 2026: 20 days.",
        "100 · 83 %",
        "Half were done after 30 hours",
        "Nine in ten after 8 days",
        "16 people have not confirmed everything.",
        "CI uses Scoped Organization Tokens: Skipped anyway",
    ):
        assert told in said


def test_problems_are_listed_most_frequent_first() -> None:
    said = words(drawn())
    assert said.index(" 9 ") < said.index(" 3 ", said.index("Problems that people reported"))


def test_the_report_needs_nothing_from_elsewhere() -> None:
    page = drawn()
    assert not re.findall(r"(?:src|href|url|@import)\s*[=(]", page)
    assert "http" not in page.replace("http-equiv", "")


def test_the_charts_are_well_formed_and_rise() -> None:
    (chart,) = re.findall(r"<svg.*?</svg>", drawn(), re.DOTALL)
    lines = ET.fromstring(chart).findall("polyline")
    assert len(lines) == 2
    for line in lines:
        heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
        assert heights == sorted(heights, reverse=True), "upwards is less in SVG"


def test_steps_are_named_with_whoever_did_them() -> None:
    item = FinishItem.untouched(OVER.id, FinishStep.ADMINISTER).model_copy(
        update={"state": StepState.DONE, "owner": ADA.id, "changed_at": NOON, "proof": "TICKET-1"}
    )
    assert "☑ An SSO account has Administer Enterprise · Ada, 3 March 2026 (TICKET-1)" in words(
        drawn(items={FinishStep.ADMINISTER: item})
    )


def test_a_rollout_without_anybody_has_a_report() -> None:
    assert "Nobody was invited." in words(drawn(Figures()))
    assert "not finished yet" in words(drawn(Figures(), finished_at=None))


def test_every_problem_and_reason_has_words() -> None:
    every = Figures(
        problems=dict.fromkeys(PROBLEMS, 1), unreachable=dict.fromkeys((each.value for each in Reason), 1)
    )
    assert not re.findall(r"\b(problem|reason)\.\w+", words(drawn(every)))


@given(st.text())
def test_nobodys_words_become_markup(name: str) -> None:
    page = drawn(name=f"<script>{name}</script>")
    assert "<script" not in page


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 999), max_size=9))
def test_any_course_of_a_rollout_can_be_drawn(course: dict[int, int]) -> None:
    on = {(NOON + timedelta(days=day)).date(): number for day, number in course.items()}
    assert "</html>" in drawn(Figures(invited=sum(on.values()), invited_on=on))
