"""The closing report as one HTML file that needs nothing else: figures and charts, and nobody's name but the admins'.

The charts are drawn in one colour each, on light and dark paper, with every value written beside its mark, so that
they can be read in print and by whoever does not see colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape

from bot.conversations.finish_messages import step_line
from bot.figures import Figures, duration
from bot.finishing import FinishItem, FinishStep, Handout, StepState, steps_of
from bot.messages import Day, Text, When, text
from bot.model import Person, Rollout
from bot.ports import Store
from bot.readers import reader_of
from bot.texts import Markup, Reader, say

WIDTH, HEIGHT = 640, 180  # of the chart over time, in its own units
Said = Callable[[Text], str]
HTML = Markup(
    escape=escape,
    bold=lambda words: f"<b>{words}</b>",
    code=lambda words: f"<code>{words}</code>",
    link=lambda url, label: f'<a href="{escape(url)}">{label}</a>',
)
_STYLE = """
:root { --paper: #fff; --ink: #1d2733; --soft: #5b6b7c; --line: #d9e0e7; --all: #a9b8c6; --done: #126ed3 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14191f; --ink: #e6ebf0; --soft: #9aa8b6; --line: #313a44; --all: #566676; --done: #5aa2f0 }
}
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 44rem;
  margin: 3rem auto; padding: 0 1.25rem }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem }
p.sub { color: var(--soft); margin: 0 }
dl.figures { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 1.5rem 0 0 }
dl.figures dt { color: var(--soft); font-size: .85rem }
dl.figures dd { margin: 0; font-size: 1.5rem; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 400; padding: .3rem .75rem .3rem 0; width: 45% }
td { padding: .3rem 0 } td.n { text-align: right; width: 4rem; font-variant-numeric: tabular-nums }
.bar { height: .7rem; border-radius: 0 4px 4px 0; background: var(--done); min-width: 1px }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: var(--soft) }
ul { padding-left: 1.2rem } li { margin: .3rem 0 } footer { margin-top: 3rem; color: var(--soft); font-size: .85rem }
"""


@dataclass(frozen=True)
class Ended:
    """What the report is about. `people` are the admins that it names, by person id."""

    rollout: Rollout
    figures: Figures
    items: Mapping[FinishStep, FinishItem]
    people: Mapping[str, Person]


async def report(store: Store, handout: Handout, now: datetime) -> str:
    """The report on the handout's rollout, in the language of whoever it is for."""
    async with store.transaction() as tx:
        rollout = await tx.rollouts.rollout(handout.rollout_id)
        if rollout is None:
            raise LookupError(handout.rollout_id)
        figures = rollout.figures or await tx.erasing.figures(rollout.id)
        items = {item.step: item for item in await tx.finishing.items(rollout.id)}
        named = {rollout.created_by, handout.person_id, *(item.owner for item in items.values())}
        people = {each.id: each for each in await tx.people.by_ids(named)}
    who = people.get(handout.person_id)
    reader = reader_of(who) if who else Reader()
    return draw(Ended(rollout, figures, items, people), reader, now)


def draw(ended: Ended, reader: Reader, now: datetime) -> str:
    """The page."""
    rollout, figures = ended.rollout, ended.figures

    def said(sentence: Text) -> str:
        return say(sentence, reader, HTML)

    title = said(text("report.title", enterprise=rollout.name))
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="sub">{said(_when(rollout, ended.people))}</p>',
        _headline(figures, rollout, said),
        _section(said(text("report.funnel")), _bars(_funnel(figures, rollout), figures.invited, said)),
        _section(said(text("report.over_time")), _over_time(ended, said)),
        _section(
            said(text("report.problems")), _bars(_problems(figures), max(figures.problems.values(), default=0), said)
        )
        if figures.problems
        else "",
        _section(said(text("report.left")), _left(ended, said)),
        f"<footer>{said(text('report.made', at=When(now)))}</footer>",
    ]
    return (
        f'<!doctype html>\n<html lang="{escape(reader.locale)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{_STYLE}</style>\n'
        f"</head>\n<body>\n{''.join(parts)}\n</body>\n</html>\n"
    )


def _when(rollout: Rollout, people: Mapping[str, Person]) -> Text:
    """Who began it, and from when to when."""
    by = people.get(rollout.created_by)
    begun = When(rollout.created_at, "date")
    if rollout.finished_at is None:
        return text("report.running", by=by.name if by else "", since=begun)
    days = max((rollout.finished_at - rollout.created_at).days, 1)
    ended = When(rollout.finished_at, "date")
    if by is None:
        return text("report.finished", since=begun, until=ended, count=days)
    return text("report.finished_by", by=by.name, since=begun, until=ended, count=days)


def _headline(figures: Figures, rollout: Rollout, said: Said) -> str:
    share = f"{100 * figures.done // figures.invited} %" if figures.invited else "0 %"
    pairs = [
        (text("status.invited"), said(text("number", n=figures.invited))),
        (text("status.done"), f"{said(text('number', n=figures.done))} · {share}"),
        (text("status.open"), said(text("number", n=figures.still_open))),
    ]
    pairs += [(text("status.exempt"), said(text("number", n=figures.exempt)))] if figures.exempt else []
    pairs += [(text("status.reminders"), said(text("number", n=figures.reminders)))]
    if figures.median_hours is not None:
        pairs.append((text("report.median"), said(duration(figures.median_hours))))
    if figures.slowest_tenth_hours is not None:
        pairs.append((text("report.slowest"), said(duration(figures.slowest_tenth_hours))))
    if rollout.former_sign_in:
        pairs.append((text("report.may_go"), said(text("number", n=figures.may_go))))
    cells = "".join(f"<div><dt>{said(name)}</dt><dd>{value}</dd></div>" for name, value in pairs)
    return f'<dl class="figures">{cells}</dl>'


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{heading}</h2>{body}</section>"


def _funnel(figures: Figures, rollout: Rollout) -> Sequence[tuple[Text, int]]:
    checks = [(text(f"status.confirmed.{kind}"), figures.confirmed.get(kind.value, 0)) for kind in rollout.needs]
    return [
        (text("status.invited"), figures.invited),
        (text("status.reached"), figures.reached),
        *checks,
        (text("status.done"), figures.done),
    ]


def _problems(figures: Figures) -> Sequence[tuple[Text, int]]:
    """Most frequent first."""
    return [
        (text(f"problem.{problem}"), number)
        for problem, number in sorted(figures.problems.items(), key=lambda item: (-item[1], item[0]))
    ]


def _bars(rows: Sequence[tuple[Text, int]], whole: int, said: Said) -> str:
    """A bar for each row, its value beside it."""
    lines = "".join(
        f'<tr><th scope="row">{said(name)}</th><td class="n">{said(text("number", n=number))}</td>'
        f'<td style="padding-left:1rem"><div class="bar" style="width:{100 * number / whole if whole else 0:.1f}%">'
        f"</div></td></tr>"
        for name, number in rows
    )
    return f"<table>{lines}</table>"


def _over_time(ended: Ended, said: Said) -> str:
    """Two lines that only rise: how many were invited, and how many of them were done."""
    figures = ended.figures
    days = sorted({*figures.invited_on, *figures.done_on})
    if not days:
        return f"<p>{said(text('report.nobody'))}</p>"
    first, last = days[0], days[-1]
    if ended.rollout.finished_at is not None:
        last = max(last, ended.rollout.finished_at.date())
    invited, done = _steps(figures.invited_on, first, last), _steps(figures.done_on, first, last)
    most = max(invited[-1], done[-1], 1)
    label = said(text("report.over_time.label", done=done[-1], invited=invited[-1]))
    return (
        f'<svg viewBox="0 0 {WIDTH + 150} {HEIGHT + 30}" role="img" aria-label="{label}">'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}" stroke="var(--line)"/>'
        f"{_line(invited, most, 'all')}{_line(done, most, 'done')}"
        f"{_end(invited[-1], most, said(text('status.invited')), above=True)}"
        f"{_end(done[-1], most, said(text('status.done')), above=invited[-1] - done[-1] > most * 0.12)}"
        f'<text x="0" y="{HEIGHT + 20}">{said(text("report.day", on=Day(first)))}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 20}" text-anchor="end">{said(text("report.day", on=Day(last)))}</text></svg>'
    )


def _steps(on: Mapping[date, int], first: date, last: date) -> list[int]:
    """How many there were at each day's end, with a day of nothing before the first."""
    total, sums = 0, [0]
    for day in range((last - first).days + 1):
        total += on.get(first + timedelta(days=day), 0)
        sums.append(total)
    return sums


def _line(sums: Sequence[int], most: int, colour: str) -> str:
    across = WIDTH / (len(sums) - 1)
    points = " ".join(f"{number * across:.1f},{_height(value, most):.1f}" for number, value in enumerate(sums))
    return f'<polyline points="{points}" fill="none" stroke="var(--{colour})" stroke-width="2.5"/>'


def _end(value: int, most: int, name: str, *, above: bool) -> str:
    """What the line is, and its last value, at its end; below the line where another label stands there already."""
    y = _height(value, most) + (4 if above else 18)
    return f'<text x="{WIDTH + 8}" y="{y:.1f}">{name}: {value}</text>'


def _height(value: int, most: int) -> float:
    return HEIGHT - (HEIGHT - 12) * value / most


def _left(ended: Ended, said: Said) -> str:
    """The steps of finishing with who did them, then people who did not get there, and why."""
    figures = ended.figures
    lines = [_step(step, ended) for step in steps_of(ended.rollout)]
    if figures.still_open:
        lines.append(text("report.still_open", count=figures.still_open))
    lines += [
        text("status.reason", count=number, reason=text(f"reason.{reason}"))
        for reason, number in sorted(figures.unreachable.items())
    ]
    return f"<ul>{''.join(f'<li>{said(line)}</li>' for line in lines)}</ul>"


def _step(step: FinishStep, ended: Ended) -> Text:
    what, item = text(f"finish.step.{step}"), ended.items.get(step)
    if item is None:  # nobody touched it, or the rollout's people are erased and only the state is known
        state = ended.figures.steps.get(step.value, StepState.OPEN.value)
        return text("report.step", what=what, state=text(f"finish.state.{state}"))
    line = step_line(item, {key: person.name for key, person in ended.people.items()})
    admins = tuple(f"{key}: {who}" if key else who for key, who in item.admins.items())
    proof = "; ".join((*admins, *item.proof.splitlines()))
    return text("report.with_proof", line=line, proof=proof) if proof else line
