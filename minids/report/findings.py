"""What a run shows: sharpening or something new, thoughts before and after, longer problems, and the two
controls.

Each function takes a `report.data.Run` and returns a section of HTML, "" where the run holds nothing for it.
"""

import shlex
from typing import NamedTuple

from minids.report import page, plots, thoughts
from minids.report.data import Run, colour, title
from minids.report.page import escape, figure, paragraph, plain, share, signed, span, table
from minids.run import controls as control_stages
from minids.run.stages import STAGES

UNITS = {"add": "digits", "chain": "numbers", "word": "numbers"}
PASS_AT_K = (
    "pass@k is the share of problems that at least one of k samples solves. If a model before RL already "
    "reaches with many samples what the model after RL does with one, RL has made a rare habit common: "
    "sharpening. If the curve after RL ends higher, it solves problems that were out of reach within that "
    "many tries."
)


# -- sharpening, or something new ----------------------------------------------------------------------------


def sharpening(run: Run) -> str:
    """The section on pass@k: whether RL made the right answer likelier, or brought new ones within reach; "" without
    curves."""
    drawings = [d for f in ["all", *run.families] if (d := _pass_at_k(run, f))]
    if not drawings:
        return ""
    sentence = verdict(run)
    box = f'<div class="verdict">{escape(sentence)}</div>' if sentence else ""
    return "<h2>Sharpening, or something new?</h2>" + paragraph(PASS_AT_K) + box + page.grid(*drawings)


def _pass_at_k(run, family):
    curves = {s: c for s in ("base", "start", "sft", run.after) if (c := run.curve(s, family))}
    if not curves:
        return ""
    series = [
        {"name": title(s), "color": colour(s), "points": c, "dots": True, "spread": _spread(run, s, family)}
        for s, c in curves.items()
    ]
    legend = [(title(s), colour(s)) for s in curves]
    caption = "Look at both ends: k = 1 is how often it is right, the largest k is what lies within reach."
    if any(s["spread"] for s in series):
        caption += " Bars: 95 % intervals over problems."
    guess = next((c for s in curves if (c := run.curve(s, family, "guess_at")) and _enough(run, s)), [])
    if guess:
        series.append({"name": "blind guess", "color": "soft", "points": guess, "dash": True})
        legend.append(("blind guess", "soft", "dashed"))
        caption += " Blind guess: the k most frequent answers of the family, without reading the question."
    drawing = plots.line_chart(
        f"pass@k, {family}",
        series,
        "k, number of samples at T=1 (log scale)",
        "solved by one of k (%)",
        y_range=(0, 1),
        log_x=True,
        x_ticks=[k for k, _ in series[0]["points"]],
        form=plots.percent,
    )
    return figure("All families" if family == "all" else family, drawing, caption, legend)


def _spread(run, stage, family):
    values = run.row(stage, family).get("pass_at_ci")
    values = values if isinstance(values, dict) else {}
    return [(int(k), *ci) for k, ci in values.items() if str(k).isdecimal() and page.span(ci)]


def _enough(run, stage, problems=500):
    """Among few problems every answer is "frequent", and the guesser's line would say nothing."""
    return all((run.value(stage, "n", f) or 0) >= problems for f in run.families)


class Outcome(NamedTuple):
    """What RL did to the curves of pass@k.

    kind    a key of SAID: pass@1 has "no gain", or the curve ends "lower", "no higher", higher only "within the noise",
            or "higher"
    first   pass@1 before and after, where both are known
    k       the largest that the stages share
    best    the earlier stage that is best at k, and p its pass@k
    q       pass@k after RL
    n       problems
    noise   of q - p
    """

    kind: str
    first: tuple[float, float] | None
    k: int
    best: str
    p: float
    q: float
    n: float
    noise: float


SAID = {
    "no gain": "That is no gain beyond the noise, so there is nothing to call sharpening or new ability.",
    "lower": "so GRPO found nothing that {k} samples could not find before, and its curve even ends lower: "
    "it has given up answers that many tries used to reach. This is sharpening, at a price.",
    "no higher": "so {k} samples before reached what GRPO solves: this is sharpening, not new ability.",
    "within the noise": "so the curves meet within the noise: this looks like sharpening, "
    "and new ability is not shown.",
    "higher": "so GRPO also solves problems that {k} samples before it did not; more samples might still "
    "close the gap, which this run did not measure.",
}


def outcome(run: Run) -> Outcome | None:
    """Sharpening or new ability, by the largest k that the stages share -> Outcome, or None without the curves."""
    after = dict(run.curve(run.after))
    earlier = {s: dict(run.curve(s)) for s in ("base", "start", "sft") if run.curve(s)}
    common = set(after).intersection(*earlier.values()) if earlier else set()
    if not common:
        return None
    k, n = max(common), max(1, run.value(run.after, "sampled_n") or 1)
    best = max(earlier, key=lambda s: earlier[s][k])
    p, q = earlier[best][k], after[k]
    noise = _noise(p, q, n)
    start = earlier.get(run.before, {}).get(1)
    first = (start, after[1]) if start is not None and 1 in after else None
    if first and first[1] - first[0] <= _noise(*first, n):
        kind = "no gain"
    elif p - q > noise:
        kind = "lower"
    elif p >= q:
        kind = "no higher"
    else:
        kind = "within the noise" if q - p <= noise else "higher"
    return Outcome(kind, first, k, best, p, q, n, noise)


def verdict(run: Run) -> str:
    """The sentence on sharpening against new ability; "" without the curves."""
    o = outcome(run)
    if o is None:
        return ""
    first = f"pass@1 went from {share(o.first[0])} to {share(o.first[1])}. " if o.first else ""
    end = SAID[o.kind].format(k=o.k) + (_rose(run, o.best, o.k) if o.kind == "higher" else "")
    if o.kind == "no gain":
        return first + end
    doubt = f"(these {o.n:,.0f} problems resolve about ± {100 * o.noise:.0f} points)"
    return f"{first}pass@{o.k} is {share(o.p)} for the {title(o.best)} and {share(o.q)} after GRPO {doubt}, {end}"


def _noise(p, q, n):
    """1.96 standard errors of the difference of two means over n problems. A problem's pass@k lies between 0
    and 1, so its variance is at most p (1 - p); where p is 0 or 1, n problems still leave 3/n."""
    return max(1.96 * (max(0, p * (1 - p) + q * (1 - q)) / n) ** 0.5, 3 / n)


def _rose(run, before, k):
    gains = {f: (dict(run.curve(before, f)).get(k), dict(run.curve(run.after, f)).get(k)) for f in run.families}
    gains = {f: pair for f, pair in gains.items() if None not in pair}
    if not gains:
        return ""
    most = max(gains, key=lambda f: gains[f][1] - gains[f][0])
    return f" It rose most in {most}: from {share(gains[most][0])} to {share(gains[most][1])}."


# -- thoughts ------------------------------------------------------------------------------------------------


def samples(run: Run, per_family: int = 2) -> str:
    """The same questions before and after RL, side by side: those that became right, and one that became
    wrong."""
    before = {e["question"]: e for e in _examples(run, run.before)}
    pairs = [(before[e["question"]], e) for e in _examples(run, run.after) if e["question"] in before]
    if not pairs:
        return ""
    better = [p for p in pairs if not p[0].get("right") and p[1].get("right")]
    worse = [p for p in pairs if p[0].get("right") and not p[1].get("right")]
    same = len(pairs) - len(better) - len(worse)
    intro = (
        f"Greedy answers to the same {len(pairs)} questions: {len(better)} became right by GRPO, "
        f"{len(worse)} became wrong, {same} stayed as they were. Steps that do not add up are underlined."
    )
    out = ["<h2>Thoughts before and after</h2>", paragraph(intro)]
    shown = []
    for pair in sorted(better, key=lambda p: -len(str(p[1].get("text", "")))):  # long thoughts show more
        if sum(p[1].get("family") == pair[1].get("family") for p in shown) < per_family:
            shown.append(pair)
    if not shown:
        out.append(paragraph("None of them became right; here are the first ones as they are."))
        shown = pairs[:2]
    order = [id(p) for p in pairs]
    out += [_side_by_side(run, *p) for p in sorted(shown, key=lambda p: order.index(id(p)))]
    if worse:
        out += ["<h3>One that became wrong</h3>", _side_by_side(run, *worse[0])]
    return "".join(out)


def _examples(run, stage):
    rows = run.examples.get(stage)
    rows = rows if isinstance(rows, list) else []
    return [e for e in rows if isinstance(e, dict) and isinstance(e.get("question"), str)]


def _side_by_side(run, before, after):
    sides = []
    for name, e in ((title(run.before), before), (title(run.after), after)):
        word = "right" if e.get("right") else "wrong"
        heading = f'<h4>{escape(name)}: <span class="{word}">{word}</span></h4>'
        sides.append(f"<div>{heading}{thoughts.reply(e.get('text', ''), bool(e.get('right')))}</div>")
    solution = f'<span class="soft">(right: {escape(str(after.get("answer", "?")))})</span>'
    question = f'<p class="question">{escape(before["question"][:1000])} {solution}</p>'
    return f'<div class="card example">{question}<div class="pair">{"".join(sides)}</div></div>'


# -- longer problems -----------------------------------------------------------------------------------------


def longer(run: Run) -> str:
    """The section on sizes that no training problem had; "" without any."""
    rows = [r for r in run.results["beyond"] if plots.number(r.get("greedy")) is not None]
    if not rows:
        return ""
    body, trained = [], []
    for r in rows:
        family, within = str(r.get("family")), run.value(str(r.get("stage")), "greedy", str(r.get("family")))
        body.append(
            [
                f"{family}, {r.get('size')} {UNITS.get(family, '')}",
                (share(r["greedy"]), span(r.get("ci"))),
                share(within),
                plain(r.get("length")),
                share(r.get("truncated")),
                plain(r.get("n")),
            ]
        )
        trained.append(within or 0.0)
    mean, known = sum(r["greedy"] for r in rows) / len(rows), sum(trained) / len(rows)
    if known < 0.5:
        word = "It does not master the sizes that it was trained on either, so this says little."
    elif mean >= 0.5:
        word = "The model carries over to longer problems to a good part."
    elif mean >= 0.05:
        word = "What it learned carries over only in part."
    else:
        word = "It does not carry over: the model learned the sizes that it practised, no general procedure."
    intro = f"Sizes that no training problem had, neither in pretraining nor in RL; greedy answers. {word}"
    head = ["family and size", "right, greedy", "in trained sizes", "tokens per answer", "cut off", "problems"]
    return "<h2>Longer problems than any it was trained on</h2>" + paragraph(intro) + table(head, body)


# -- controls ------------------------------------------------------------------------------------------------


def controls(run: Run) -> str:
    """The section on the controls: no thought, and rewards by chance; "" without RL."""
    if not run.after:
        return ""
    asked = f"not run (minids run {shlex.quote(run.recipe)} --controls)."
    direct, thinking = run.value("direct", "greedy"), run.value(run.after, "greedy")
    if direct is None or thinking is None:
        first = f"The same architecture, trained to answer without a thought: {asked}"
    else:
        word = "so most of the ability is in the written thought"
        if max(direct, thinking) < 0.1:
            word = "too little of either to compare"
        elif direct > thinking / 2:
            word = "so the written thought is not what decides here"
        first = (
            "The same architecture, trained for as many steps to answer without a thought, gets "
            f"{share(direct)} right (greedy). With thoughts, after GRPO, it is {share(thinking)}, {word}."
        )
    coin, real = run.gain(after="random_reward"), run.gain()
    if run.after != run.first_rl:  # several stages of RL: the coin replaced the first
        real = run.gain(after=run.first_rl)
    if coin is None or real is None:
        second = f"The same GRPO with coin flips as rewards: {asked}"
    else:
        word = "within its interval of no change"
        if abs(coin[0]) > coin[1]:
            word = "a gain that the answers cannot explain" if coin[0] > 0 else "a loss"
        second = (
            f"The same GRPO with coin flips as rewards changes pass@1 by {signed(coin[0])} ± "
            f"{100 * coin[1]:.1f} points: {word}. With real rewards it changes by {signed(real[0])} ± "
            f"{100 * real[1]:.1f}."
        )
    return (
        "<h2>Controls</h2>"
        + f"<p><b>Is it the thinking?</b> {escape(first)}</p>"
        + f"<p><b>Is it the reward?</b> {escape(second)}</p>"
        + _others(run)
    )


def _others(run):
    """The other controls that a recipe names, a sentence each."""
    out = ""
    for stage in STAGES.values():
        gain = run.gain(after=stage.rows) if stage.control and stage.name not in control_stages.CLASSIC else None
        if gain is not None:
            what = stage.label[0].upper() + stage.label[1:]
            said = f"{what} changes pass@1 by {signed(gain[0])} ± {100 * gain[1]:.1f} points."
            out += f"<p><b>{escape(stage.about)}</b> {escape(said)}</p>"
    return out
