"""Draws the ratios of one session as an SVG: a row per program, a dot per implementation, on a logarithmic axis.

It is written by hand, without a plotting library, so that the committed picture changes only where a number changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from statistics import median

from programs import GROWTH, SPEED, Program
from report import BASE, LIMIT, Session, mean_ratio, measured, others, ratios

COLOURS = {"uvloop": "#0072b2", "trio-asyncio": "#d55e00", "trioasync": "#009e73"}
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32)
LABELS, PLOT, ROW, HEAD, FOOT = 270, 560, 22, 56, 34  # pixels
FONT = 'font-family="sans-serif" font-size="12"'
MARGIN = 1.15  # the axis ends this much beyond the outermost ratio
MEAN = "geometric mean"

Row = tuple[str, dict[str, float]]


def rows(session: Session) -> list[Row]:
    """Return the title and the median ratios of each program; the geometric mean follows those it is taken of."""

    def of_programs(programs: list[Program]) -> list[Row]:
        found = []
        for program in measured(session, programs):
            per_round = {name: ratios(session, program.name, name) for name in others(session)}
            found.append((program.title, {name: median(values) for name, values in per_round.items() if values}))
        return found

    means = {name: mean_ratio(session, name)[0] for name in others(session)}
    mean_row = (MEAN, {name: mean for name, mean in means.items() if not math.isnan(mean)})
    return [*of_programs(SPEED), mean_row, *of_programs(GROWTH)]


def text(x: float, y: float, content: str, extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(content)}</text>'


class Axis:
    """Places a ratio on the logarithmic axis, in pixels from the left edge."""

    def __init__(self, drawn: list[Row]) -> None:
        values = [ratio for _, by_name in drawn for ratio in by_name.values()] + [1.0, LIMIT]
        self.least, self.greatest = min(values) / MARGIN, max(values) * MARGIN

    def __call__(self, ratio: float) -> float:
        return LABELS + PLOT * math.log(ratio / self.least) / math.log(self.greatest / self.least)

    def ticks(self) -> list[float]:
        return [tick for tick in TICKS if self.least <= tick <= self.greatest]


def grid(axis: Axis, bottom: float) -> Iterator[str]:
    for tick in axis.ticks():
        yield f'<path d="M{axis(tick):.1f} {HEAD - 8}V{bottom:.1f}" stroke="{"#333" if tick == 1 else "#ddd"}"/>'
        yield text(axis(tick), bottom + 16, f"{tick:g} ×", 'text-anchor="middle"')
    yield f'<path d="M{axis(LIMIT):.1f} {HEAD - 8}V{bottom:.1f}" stroke="#c00" stroke-dasharray="4 3"/>'
    yield text(axis(LIMIT) + 3, HEAD - 10, f"{LIMIT:g}", 'fill="#c00"')


def dots(axis: Axis, drawn: list[Row]) -> Iterator[str]:
    for index, (title, by_name) in enumerate(drawn):
        y = HEAD + ROW * (index + 0.5)
        weight = 'font-weight="bold"' if title == MEAN else ""
        yield text(LABELS - 12, y + 4, title, f'text-anchor="end" {weight}')
        for name, ratio in by_name.items():
            circle = f'<circle cx="{axis(ratio):.1f}" cy="{y:.1f}" r="5" fill="{COLOURS[name]}" fill-opacity="0.85">'
            yield f"{circle}<title>{escape(f'{title}, {name}: {ratio:.2f}')}</title></circle>"


def legend(names: list[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        x = LABELS + 110 * index
        yield f'<circle cx="{x}" cy="{HEAD - 34}" r="5" fill="{COLOURS[name]}"/>'
        yield text(x + 10, HEAD - 30, name)


def picture(session: Session) -> str:
    """Return the SVG of `session`: time as a multiple of asyncio's, less is better."""
    drawn = rows(session)
    axis = Axis(drawn)
    bottom = HEAD + ROW * len(drawn)
    width, height = LABELS + PLOT + 30, bottom + FOOT
    heading = text(12, 20, f"Python {session['python']}", 'font-weight="bold"') + text(12, 36, f"time, {BASE} = 1")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {FONT}>',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            heading,
            *legend(others(session)),
            *grid(axis, bottom),
            *dots(axis, drawn),
            "</svg>\n",
        ]
    )
