"""The picture at the top of the README: the whole way, with the accuracies that runs recorded, and one reply.

Drawn from results.json of the runs of `tiny`: no number in it is typed.
"""

from html import escape

INK, DIM, LINE = "#1f2933", "#616e7c", "#cbd2d9"
STAGES = (
    ("base", "pretraining", "worked solutions as text", "#56b4e9"),
    ("sft", "cold start", "<think> … </think>", "#e69f00"),
    ("grpo", "GRPO", "only right answers pay", "#009e73"),
)


def way(runs: list[dict]) -> str:
    """SVG, 860 x 300: text → tokenizer → three stages with their accuracy at temperature 1 → an answer."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 300" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">',
        f"<title>{escape(_spoken(runs))}</title>",
        '<rect width="860" height="300" rx="12" fill="#ffffff"/>',
        _box(20, "text", "sums, chains, stories", LINE),
        _box(160, "tokenizer", "byte-level BPE", LINE),
    ]
    for i, (stage, name, about, colour) in enumerate(STAGES):
        x = 300 + 190 * i
        shares = [next(r["pass1"] for r in run["evals"] if (r["stage"], r["family"]) == (stage, "all")) for run in runs]
        mean, height = sum(shares) / len(shares), 110 * sum(shares) / len(shares)
        parts += [
            _box(x, name, about, colour, 160),
            _text(x + 80, 260 - height - 8, f"{100 * mean:.0f} %", INK, "bold"),
            f'<rect x="{x + 50}" y="{260 - height:.1f}" width="60" height="{height:.1f}" rx="4" fill="{colour}"/>',
        ]
        for share in shares:  # a tick for each seed
            y = 260 - 110 * share
            parts.append(f'<path d="M{x + 42} {y:.1f}h76" stroke="{INK}" stroke-width="1" opacity="0.5"/>')
    parts += [f'<path d="M{x} 60h16" stroke="{DIM}" marker-end="url(#a)"/>' for x in (142, 282, 462, 652)]
    parts += [
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0l8 4-8 4z" fill="{DIM}"/></marker></defs>',
        f'<path d="M300 260h540" stroke="{LINE}"/>',
        _text(
            570, 284, "right when it samples (T=1), on problems that it never saw; a line for each seed", DIM, size=13
        ),
        *_reply(runs[0]),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(x, name, about, colour, width=120):
    return (
        f'<rect x="{x}" y="32" width="{width}" height="56" rx="8" fill="{colour}" opacity="0.25"/>'
        + _text(x + width / 2, 56, name, INK, "bold")
        + _text(x + width / 2, 75, about, DIM, size=11)
    )


def _text(x, y, words, colour, weight="normal", size=14, anchor="middle"):
    style = f'fill="{colour}" font-weight="{weight}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(words)}</text>'


def _reply(run):
    """A question, the thought and the answer, of the first right reply that is long enough to be one and fits."""
    for example in run["examples"].get("grpo", []):
        thought, _, rest = example["text"].partition("</think>")
        thought, answer = (
            thought.replace("<think>", "").strip(),
            rest.partition("<answer>")[2].partition("</answer>")[0],
        )
        if example["right"] and example["family"] == "add" and 25 < len(thought) < 60:
            words = thought.split(" ")
            lines = [" ".join(words[k : k + 3]) for k in range(0, len(words), 3)]
            mono = "ui-monospace, monospace"
            out = [
                f'<g font-family="{mono}">',
                _text(20, 135, f"> {example['question']}", INK, size=15, anchor="start"),
            ]
            out += [_text(20, 160 + 20 * i, line, DIM, size=13, anchor="start") for i, line in enumerate(lines)]
            return [*out, _text(20, 168 + 20 * len(lines), answer, INK, "bold", 15, "start"), "</g>"]
    return []


def _spoken(runs):
    shares = {}
    for stage, *_ in STAGES:
        of = [next(r["pass1"] for r in run["evals"] if (r["stage"], r["family"]) == (stage, "all")) for run in runs]
        shares[stage] = 100 * sum(of) / len(of)
    said = ", ".join(f"{shares[stage]:.0f} % after {name}" for stage, name, *_ in STAGES)
    return f"From text to a model that reasons: right at temperature 1, {said}."
