"""Plots as inline SVG, drawn by hand: lines, intervals, bars, heat maps.

    page position = left + (value - low) / (high - low) * width          log axes: the same on log10

Why no plotting library: the report needs four kinds of plot, must be one file without scripts, and has to
follow the reader's light or dark mode. SVG whose colours are CSS variables does that; a figure rendered
beforehand has its colours baked in. It is also some 3 kB a plot instead of 30, its text can be selected, and
a run needs no plotting library to end in a report.

Every function returns a string of SVG with a viewBox of 440 units across, so that a plot shrinks to a phone
and its text stays legible. Values that are not finite numbers are left out. Colours are names of CSS
variables ("sft" -> var(--sft)). Left out: axes with dates, zooming, animation.
"""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from html import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 440, 66, 14, 12, 48


def number(value: object) -> float | None:
    """The value if it is a number that a float can hold, else None; true and false are no numbers."""
    ok = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return value if ok else None


def points(lines: Iterable[dict], y: str, x: str = "step") -> list[tuple[float, float]]:
    """(x, y) pairs from dicts, those without either left out."""
    pairs = ((number(line.get(x)), number(line.get(y))) for line in lines)
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def smooth(pairs: Sequence[tuple[float, float]], window: int) -> list[tuple[float, float]]:
    """The centred mean over `window` points; shorter at the ends."""
    half = window // 2
    out = []
    for i, (x, _) in enumerate(pairs):
        near = [y for _, y in pairs[max(0, i - half) : i + half + 1]]
        out.append((x, sum(near) / len(near)))
    return out


def text_of(value: float) -> str:
    """A tick's label: 0.05, 1.5, 200, 20k, 3M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):g}{unit}"
    return f"{value:.6g}"


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from low to high: 1, 2 or 5 times a power of ten apart."""
    raw = (high - low) / max(1, count)
    if raw <= 0:
        return [low]
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten; more of them on a short axis, only powers of ten where that would be
    crowded."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    marks = (1, 2, 3, 5, 7) if high / low < 8 else (1, 2, 5) if high / low < 2000 else (1,)
    return [m * 10.0**p for p in powers for m in marks if low * 0.999 <= m * 10.0**p <= high * 1.001]


class Axis:
    """Maps values onto [start, end] of the page."""

    def __init__(
        self,
        low: float,
        high: float,
        start: float,
        end: float,
        log: bool = False,
        ticks: list[float] | None = None,
        form: Callable[[float], str] = text_of,
    ):
        if log:
            low, high = max(low, 1e-12), max(high, 1e-12)
        if not high > low:
            low, high = (low / 1.5, high * 1.5) if log else (low - 0.5, high + 0.5)
        self.low, self.high, self.start, self.end, self.log, self.form = low, high, start, end, log, form
        self.ticks = ticks or (log_ticks(low, high) if log else nice_ticks(low, high))

    def __call__(self, value):
        if self.log:
            share = (math.log10(max(value, 1e-12)) - math.log10(self.low)) / (
                math.log10(self.high) - math.log10(self.low)
            )
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.02, max(-0.02, share)) * (self.end - self.start)


def percent(value: float) -> str:
    """0.931 -> "93.1%", for the ticks of an axis."""
    return f"{100 * value:.3g}%"


def svg(height: float, label: str, body: str) -> str:
    """A drawing of WIDTH x height; `label` is read out to those who do not see it, `body` is SVG."""
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{body}</svg>'


def text(x: float, y: float, content: object, anchor: str = "middle", kind: str = "", turn: float | None = None) -> str:
    """Text in a drawing at (x, y): `anchor` start, middle or end, a class of the page's style, `turn` in degrees."""
    rotate = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{rotate}'
    return f"<text {place}>{escape(str(content))}</text>"


def dot(x: float, y: float, color: str, tip: str, radius: float = 5.0) -> str:
    """A point with a note that appears when the mouse rests on it."""
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius}" style="fill:var(--{color})"'
    return f"<circle {place}><title>{escape(tip)}</title></circle>"


def _frame(x, y, height, x_label, y_label):
    """Grid lines, tick labels and axis titles."""
    out = []
    for tick in y.ticks:
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        out.append(text(LEFT - 7, y(tick) + 4.5, y.form(tick), "end", "tick"))
    for tick in x.ticks:
        out.append(text(x(tick), height - BOTTOM + 17, x.form(tick), "middle", "tick"))
    out.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height - BOTTOM}" y2="{height - BOTTOM}"/>')
    out.append(text((LEFT + WIDTH - RIGHT) / 2, height - 10, x_label, "middle", "label"))
    out.append(text(13, (TOP + height - BOTTOM) / 2, y_label, "middle", "label", turn=-90))
    return "".join(out)


def line_chart(
    label: str,
    series: Sequence[dict],
    x_label: str,
    y_label: str,
    *,
    y_range: tuple[float, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    x_ticks: Sequence[float] | None = None,
    form: Callable[[float], str] = text_of,
    marks: Sequence[tuple] = (),
    height: float = 240,
) -> str:
    """Lines over a shared x axis.

    series    dicts: points [(x, y)], color, and if wanted: name, faint, dash, dots, spread [(x, low, high)]
    marks     (y, text) pairs: dashed horizontal lines with a note
    """
    xs = [x for s in series for x, _ in s["points"]]
    ys = [y for s in series for _, y in s["points"] if not log_y or y > 0]
    if not xs or not ys:
        return ""
    low, high = y_range or (min(ys), max(ys))
    marks = [m for m in marks if y_range is None or low <= m[0] <= high]
    if y_range is None:
        low, high = min([low, *(m[0] for m in marks)]), max([high, *(m[0] for m in marks)])
        if high == low and low >= 0:
            low, high = (low / 1.5, low * 1.5) if log_y else (0.0, 2 * low or 1.0)
        room = 0.06 * (high - low)
        low, high = (low / 1.15, high * 1.15) if log_y else (0.0 if 0 <= low < 0.5 * high else low - room, high + room)
    x = Axis(min(xs), max(xs), LEFT + 6, WIDTH - RIGHT - 6, log_x, x_ticks)
    x.ticks = [tick for tick in x.ticks if float(tick).is_integer()]  # x counts steps or samples
    y = Axis(low, high, height - BOTTOM, TOP, log_y, form=form)
    body = [_frame(x, y, height, x_label, y_label)]
    for value, note in marks:
        body.append(f'<line class="mark" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        dy = 14 if y(value) < TOP + 16 else -5
        first, last = (abs(y(s["points"][end][1]) - y(value)) for s in series[:1] for end in (0, -1))
        at, anchor = (
            (LEFT + 5, "start") if first > last else (WIDTH - RIGHT - 3, "end")
        )  # where the line is farther away
        body.append(text(at, y(value) + dy, note, anchor, "note"))
    for s in series:
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in s["points"] if not log_y or b > 0)
        style = f"stroke:var(--{s['color']})" + (";stroke-dasharray:5 4" if s.get("dash") else "")
        kind = "line faint" if s.get("faint") else "line"
        body.append(f'<polyline class="{kind}" style="{style}" points="{path}"/>')
        for a, below, above in s.get("spread", ()):
            place = f'x1="{x(a):.1f}" x2="{x(a):.1f}" y1="{y(below):.1f}" y2="{y(above):.1f}"'
            body.append(f'<line style="stroke:var(--{s["color"]});stroke-width:5;stroke-opacity:.28" {place}/>')
        if s.get("dots") or len(s["points"]) == 1:
            for a, b in s["points"]:
                tip = f"{s.get('name', '')} {x.form(a)}: {form(b)}".strip()
                body.append(dot(x(a), y(b), s["color"], tip, radius=3.5))
    return svg(height, label, "".join(body))


def intervals(label: str, rows: Sequence[tuple], x_label: str) -> str:
    """Dots with intervals on an axis from 0 to 100 %: rows (title, [(name, color, value, low, high)])."""
    if not rows:
        return ""
    gap, pad = 15, 16
    left = max(74, 18 + 8 * max(len(title) for title, _ in rows))
    height = TOP + BOTTOM + sum(gap * len(items) + pad for _, items in rows)
    x = Axis(0.0, 1.0, left, WIDTH - RIGHT - 12, ticks=[0, 0.25, 0.5, 0.75, 1], form=percent)
    body, at = [], TOP
    for tick in x.ticks:
        body.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        body.append(text(x(tick), height - BOTTOM + 17, x.form(tick), "middle", "tick"))
    for title, items in rows:
        size = gap * len(items) + pad
        body.append(text(left - 12, at + size / 2 + 4.5, title, "end", "name"))
        for k, (name, color, value, low, high) in enumerate(items):
            y = at + pad / 2 + gap * (k + 0.5)
            for kind, begin, end in (("stem", 0, value), ("interval", low, high)):
                ends = f'x1="{x(begin):.1f}" x2="{x(end):.1f}" y1="{y:.1f}" y2="{y:.1f}"'
                body.append(f'<line {ends} style="stroke:var(--{color})" class="{kind}"/>')
            tip = f"{title}, {name}: {percent(value)} ({percent(low)} to {percent(high)})"
            body.append(dot(x(value), y, color, tip))
        at += size
        if at < height - BOTTOM - 1:
            body.append(f'<line class="grid" x1="0" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
    body.append(text((left + WIDTH - RIGHT) / 2, height - 10, x_label, "middle", "label"))
    return svg(height, label, "".join(body))


def bars(label: str, rows: Sequence[tuple], x_label: str, form: Callable[[float], str] = text_of) -> str:
    """Horizontal stacked bars: rows (title, [(name, color, value)], faded)."""
    totals = [sum(v for _, _, v in parts) for _, parts, _ in rows]
    if not rows or max(totals) <= 0:
        return ""
    each, left = 30, 124
    height = TOP + BOTTOM + each * len(rows)
    x = Axis(0.0, max(totals) * 1.36, left, WIDTH - RIGHT)
    body = []
    for tick in x.ticks:
        body.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        body.append(text(x(tick), height - BOTTOM + 17, x.form(tick), "middle", "tick"))
    for k, ((title, parts, faded), total) in enumerate(zip(rows, totals)):
        y, at = TOP + each * k + 6, 0.0
        body.append(text(left - 8, y + 13.5, title, "end", "name"))
        for name, color, value in parts:
            begin, end = x(at), x(at + value)
            place = f'x="{begin:.1f}" y="{y}" width="{max(0.5, end - begin):.1f}" height="18"'
            paint = f"fill:var(--{color}){';fill-opacity:.45' if faded else ''}"
            tip = escape(f"{title}, {name}: {form(value)}")
            body.append(f'<rect {place} style="{paint}"><title>{tip}</title></rect>')
            at += value
        body.append(text(x(total) + 6, y + 13.5, form(total), "start", "value"))
    body.append(text((left + WIDTH - RIGHT) / 2, height - 10, x_label, "middle", "label"))
    return svg(height, label, "".join(body))


def heat_map(
    label: str,
    rows: Sequence[Sequence],
    x_label: str,
    y_label: str,
    *,
    x_ticks: Sequence[tuple] = (),
    show_values: bool = False,
    row_names: Sequence[str] = (),
) -> str:
    """Cells coloured by load over the mean: 1 is neutral, above is `hot`, below is `cold`; a factor of 2
    saturates.

    rows: equally long lists of numbers (or None); x_ticks: (column, text) pairs.
    """
    columns = max((len(r) for r in rows), default=0)
    if not columns:
        return ""
    high = max(12, min(34, 300 / len(rows)))
    height = TOP + BOTTOM + high * len(rows)
    wide = (WIDTH - LEFT - RIGHT) / columns
    body = []
    for i, row in enumerate(rows):
        y = TOP + i * high
        if i < len(row_names) and row_names[i] != "":
            body.append(text(LEFT - 7, y + high / 2 + 4.5, row_names[i], "end", "tick"))
        for j, load in enumerate(row):
            load = number(load)
            if load is None:
                continue
            strength = 0.8 * min(1.0, abs(math.log2(max(load, 1e-3))))  # numbers stay legible on it
            place = f'x="{LEFT + j * wide:.2f}" y="{y:.1f}" width="{wide:.2f}" height="{high:.1f}"'
            paint = f"fill:var(--{'hot' if load > 1 else 'cold'});fill-opacity:{strength:.2f}"
            body.append(f'<rect class="cell" {place} style="{paint}"><title>{load:.2f} × the mean</title></rect>')
            if show_values:
                body.append(text(LEFT + (j + 0.5) * wide, y + high / 2 + 4.5, f"{load:.2f}", "middle", "cellvalue"))
    body.append(
        f'<rect class="box" x="{LEFT}" y="{TOP}" width="{wide * columns:.1f}" height="{high * len(rows):.1f}"/>'
    )
    for column, note in x_ticks:
        body.append(text(LEFT + (column + 0.5) * wide, height - BOTTOM + 17, note, "middle", "tick"))
    body.append(text((LEFT + WIDTH - RIGHT) / 2, height - 10, x_label, "middle", "label"))
    body.append(text(13, (TOP + height - BOTTOM) / 2, y_label, "middle", "label", turn=-90))
    return svg(height, label, "".join(body))
