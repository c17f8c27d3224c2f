"""The report's page: its style sheet, and the few pieces of HTML that it is made of. Everything that comes
from a file is escaped here.

A page loads nothing: no script, no font, no image, and its policy forbids them. Colours are variables with a
light and a dark set.
"""

from collections.abc import Sequence
from html import escape

from minids.report import plots

STYLE = """
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1b1f24;--soft:#59616b;--line:#e3e4e0;
--grid:#ececea;--good:#0b7a5b;--bad:#b3261e;
--base:#6b7280;--direct:#b9660a;--sft:#2b63d9;--grpo:#0a8a66;--random_reward:#9a3d93;--total:#1b1f24;
--f0:#4f46e5;--f1:#c2570c;--f2:#be185d;--f3:#0e7490;--f4:#854d0e;--f5:#4d7c0f;--f6:#7e22ce;--hot:#d9560b;--cold:#2b63d9;--tint:#eef3f1}
@media (prefers-color-scheme:dark){:root{--page:#121417;--card:#1a1d21;--ink:#e8eaed;--soft:#a2a9b2;
--line:#2e3338;--grid:#2a2e33;--good:#46d1a4;--bad:#ff8a80;
--base:#9aa2ad;--direct:#eba348;--sft:#7ba7ff;--grpo:#35cfa0;--random_reward:#de8fd6;--total:#e8eaed;
--f0:#9d97ff;--f1:#f29a5b;--f2:#f57fae;--f3:#5cc8dc;--f4:#d9b26a;--f5:#a3d65c;--f6:#c99bff;--hot:#ff9a56;--cold:#6a9bff;--tint:#1e2725}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:44px}
p,ul{max-width:46rem;margin:.6em 0}
h1{font-size:clamp(1.7rem,4.6vw,2.6rem);line-height:1.15;margin:.2em 0 .4em;letter-spacing:-.02em;
max-width:24em;text-wrap:balance}
h2{font-size:1.35rem;letter-spacing:-.01em;margin:2.6em 0 .3em;padding-top:1.1em;
border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.7em 0 .5em}
figure h3{margin:0 0 .5em}
.kicker{color:var(--soft);font-size:.9rem;margin:0}
.lead{font-size:1.1rem}
.soft,figcaption,.small{color:var(--soft)}
figcaption,.small{font-size:.88rem;line-height:1.45}
a{color:var(--sft)}
code,.thought{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;
font-size:.92em}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-x:auto;
margin:.8em 0}
.facts{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);
border-radius:10px;overflow:hidden;margin:1.4em 0}
.facts div{flex:1 1 150px;background:var(--card);padding:12px 14px}
.facts b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums;letter-spacing:-.01em;
line-height:1.25}
.facts span{color:var(--soft);font-size:.85rem;line-height:1.35;display:block}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:16px;margin:1.2em 0}
.card,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0;
min-width:0}
.alone{max-width:560px;margin:1.2em 0}
figure svg{display:block;width:100%;height:auto}
figcaption{margin-top:.5em}
.beside{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:32px;align-items:start;
margin:1em 0 2em}
@media (max-width:820px){.beside{grid-template-columns:minmax(0,1fr);gap:16px}}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:.86rem;color:var(--soft);margin:-.2em 0 .4em}
.legend i{display:inline-block;width:16px;border-top:4px solid;vertical-align:middle;margin-right:6px}
.legend .dashed{border-top-style:dotted}
.scroll{overflow-x:auto;margin:1em 0;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.94rem}
th,td{text-align:right;padding:8px 12px;border-top:1px solid var(--line);white-space:nowrap;
vertical-align:top}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.86rem;vertical-align:bottom}
th:first-child,td:first-child,.words{text-align:left}
tbody th{font-weight:500;position:sticky;left:0;background:var(--card)}
td small{display:block;color:var(--soft);font-size:.8rem}
tr.main td,tr.main th{font-weight:600}
tr.main td small{font-weight:400}
.verdict{border-left:4px solid var(--grpo);background:var(--tint);border-radius:0 8px 8px 0;
padding:12px 16px;margin:1em 0;max-width:46rem}
.example{margin:14px 0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:14px}
.pair h4{margin:0 0 .4em;font-size:.88rem;font-weight:600}
.question{font-size:1.05rem;margin:0 0 .7em}
.thought{line-height:1.6;overflow-wrap:anywhere}
.thought .mark{color:var(--soft);opacity:.75;font-size:.82em;overflow-wrap:normal}
.thought .steps{display:flex;flex-wrap:wrap;gap:0 1.4ch;margin:0 0 0 2ch}
.thought .steps span{white-space:pre}
.thought .said{white-space:pre-wrap;margin-left:2ch}
.wrong,.slip{color:var(--bad)}
.slip{text-decoration:underline wavy 1px;text-underline-offset:4px}
.right{color:var(--good)}
details{margin:1em 0}
summary{cursor:pointer;color:var(--soft)}
footer{padding-top:32px;padding-bottom:56px}
svg text{fill:var(--ink);font-size:12px;font-family:inherit}
svg .tick,svg .label,svg .note{fill:var(--soft)}
svg .note{font-size:11.5px}
svg .name,svg .value{font-size:12.5px;font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--grid);stroke-width:1}
svg .axis,svg .box{stroke:var(--line);stroke-width:1;fill:none}
svg .mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
svg .line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
svg .faint{stroke-width:1.1;stroke-opacity:.3}
svg .interval{stroke-width:7;stroke-opacity:.38;stroke-linecap:round}
svg .stem{stroke-width:1.2;stroke-opacity:.45}
svg .cellvalue{font-size:11.5px}
@media (max-width:560px){main,header,footer{padding-left:14px;padding-right:14px}header{padding-top:26px}
.card,figure{padding:12px}
svg text{font-size:14.5px}svg .note,svg .cellvalue{font-size:13px}svg .name,svg .value{font-size:14.5px}
th,td{padding:7px 9px}tbody th{white-space:normal;min-width:6.2em}h2{margin-top:2em}}
@media print{body{background:#fff}.card,figure{break-inside:avoid}}
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, body: str) -> str:
    """A whole page in one file, which loads nothing; its policy forbids scripts. `body` is HTML."""
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def paragraph(content: str, kind: str = "") -> str:
    """Text as a paragraph, of a class of STYLE or of none."""
    return f"<p{_kind(kind)}>{escape(content)}</p>"


def figure(title: str, drawing: str, caption: str, legend: Sequence[tuple] = ()) -> str:
    """A plot, its title above and a caption below; nothing without a drawing. legend: (name, color[, "dashed"])."""
    if not drawing:
        return ""
    keys = "".join(
        f'<span><i{_kind("".join(how))} style="color:var(--{color})"></i>{escape(name)}</span>'
        for name, color, *how in legend
    )
    return (
        f"<figure><h3>{escape(title)}</h3>"
        + (f'<div class="legend">{keys}</div>' if keys else "")
        + drawing
        + f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def grid(*pieces: str) -> str:
    """Pieces of HTML side by side where there is room; "" without any."""
    pieces = [p for p in pieces if p]
    if not pieces:
        return ""
    return f'<div class="grid">{"".join(pieces)}</div>' if len(pieces) > 1 else f'<div class="alone">{pieces[0]}</div>'


def beside(words: str, drawing: str) -> str:
    """HTML and a figure, side by side where there is room."""
    return f'<div class="beside"><div>{words}</div>{drawing}</div>' if drawing else words


def table(head: Sequence[str], rows: Sequence[Sequence], main: Sequence[int] = ()) -> str:
    """Cells are text or (text, small text below); rows whose number is in `main` are bold; the first cell of
    a row is its heading."""
    top = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    out = []
    for k, row in enumerate(rows):
        cells = [f'<th scope="row">{escape(str(row[0]))}</th>'] + [f"<td>{_cell(c)}</td>" for c in row[1:]]
        out.append(f"<tr{_kind('main' if k in main else '')}>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{"".join(out)}</tbody></table></div>'


def _cell(cell):
    if isinstance(cell, tuple):
        return escape(str(cell[0])) + (f"<small>{escape(str(cell[1]))}</small>" if cell[1] else "")
    return escape(str(cell))


def _kind(kind):
    return f' class="{kind}"' if kind else ""


def facts(items: Sequence[tuple]) -> str:
    """Tiles: (large text, what it is)."""
    return (
        '<div class="facts">'
        + "".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for v, k in items if v)
        + "</div>"
    )


# -- numbers as people read them; "–" for what is not there --------------------------------------------------


def share(value: object, digits: int = 1) -> str:
    """0.9312 -> "93.1 %"."""
    value = plots.number(value)
    return "–" if value is None else f"{100 * value:.{digits}f}\u00a0%"


def span(ci: object) -> str:
    """ "93.1 to 95.6" of an interval of shares."""
    if not isinstance(ci, list | tuple) or len(ci) != 2 or None in map(plots.number, ci):
        return ""
    return f"{100 * ci[0]:.1f} to {100 * ci[1]:.1f}"


def signed(value: float) -> str:
    """A difference of shares in points: 0.648 -> +64.8."""
    return f"{100 * value:+.1f}".replace("-", "−")


def plain(value: object, form: str = ",.0f") -> str:
    """A number in Python's format, by default whole with commas: 12345.6 -> "12,346"."""
    value = plots.number(value)
    return "–" if value is None else format(value, form)


def duration(seconds: object) -> str:
    """Seconds as people say them: 95 -> "1 min 35 s"."""
    seconds = plots.number(seconds)
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60) if seconds >= 6000 else int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if seconds >= 6000 else f"{minutes} min {seconds % 60:.0f} s"


def size(value: object) -> str:
    """Bytes in MiB or GiB, "" for none."""
    value = plots.number(value)
    if not value:
        return ""
    return f"{value / 2**30:.2f} GiB" if value >= 2**30 else f"{value / 2**20:.0f} MiB"
