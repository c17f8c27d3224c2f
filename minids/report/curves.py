"""What was logged on the way: GRPO iteration by iteration, the losses, and how evenly the experts were used.

Each function takes a `report.data.Run` and returns a section of HTML, "" where the run holds nothing for it.
"""

import math

from minids.report import page, plots
from minids.report.data import Run
from minids.report.page import figure, paragraph
from minids.run.stages import STAGES, is_rl

TROUBLES = {
    "zero_variance": ("groups that teach nothing", "f0"),
    "truncated": ("cut off", "f1"),
    "empty_think": ("empty thought", "f2"),
}
RL_INTRO = (
    "In each iteration the model answers a batch of questions in groups, the answers are checked, and a few "
    "small steps are taken towards the better ones. These are training questions; the tables above are of "
    "other, held-out ones."
)
LOSS_INTRO = (
    "The loss is how surprised the model is by the next token of its training text; 0 would be certainty. "
    "It cannot reach 0, since the questions in the text are random."
)
EXPERTS_INTRO = (
    "In the MoE layers a router sends each token to a few experts. Training stays efficient only if all are "
    "used. DeepSeek-V3 moves a bias a little towards experts that get too few tokens, once a step (arXiv "
    "2412.19437 §2.1.2)."
)
ACCURACY = "On each iteration's questions, sampled at the training temperature. Look at which family rises last."
REWARD = (
    "What GRPO maximises: the check of the answer, and a smaller part for the form. Faint: every iteration; "
    "solid: a running mean."
)
ENTROPY = (
    "How undecided the model is at a token. It falls as the model settles on a way to think; at 0 it would explore "
    "no more."
)
WASTE = (
    "Where all answers of a group are right, or all wrong, none is better than its group, so it teaches "
    "nothing: this share rises as the task is solved."
)
LANGUAGE = (
    "Thoughts of the cold start mix two scripts. Look whether the reward for one script (R1's language consistency, "
    "arXiv 2501.12948 §2.3.2) brings this to 1."
)
KL = "How far the policy has moved from the model that GRPO began with; a sudden jump would be a sign of trouble."


# -- GRPO ----------------------------------------------------------------------------------------------------


def reinforcement(run: Run) -> str:
    """The section of RL: reward, accuracy, length and the like over the iterations, for each stage of RL; "" without
    one."""
    sections = []
    for stage in STAGES.values():
        if is_rl(stage.name) and (section := _reinforcement(run, stage, first=not sections)):
            sections.append(section)
    return "".join(sections)


def _reinforcement(run, stage, first):
    lines = [_flat(line) for line in run.lines.get(stage.name, [])]
    if not plots.points(lines, "step"):
        return ""
    drawings = [
        _accuracy(run, lines, control=first),
        _curve("Reward", lines, "reward", "mean reward", REWARD),
        _curve("Length of an answer", lines, "length", "tokens", length_caption(lines)),
        _curve("Entropy", lines, "entropy", "nats per token", ENTROPY),
        _troubles(lines),
        _curve("Distance from where RL started", lines, "kl", "KL estimate (nats per token)", KL),
        _curve("Words in one script", lines, "language", "share of words", LANGUAGE) if _mixed(lines) else "",
    ]
    gaps = [gap for _, gap in plots.points(lines, "logp_gap")]
    note = ""
    if gaps and max(gaps) > 0:
        note = paragraph(
            "Checked in every iteration: the log-probabilities of the sampler and those of the training "
            "step differ by at most "
            f"{max(gaps):.1g}.",
            "small",
        )
    title = f"<h2>Learning to think: {stage.title}, iteration by iteration</h2>"
    intro = paragraph(RL_INTRO) if first else ""
    return title + intro + page.grid(*filter(None, drawings)) + note


def _mixed(lines):
    """Whether any answer mixed scripts."""
    return any(y < 1 for _, y in plots.points(lines, "language"))


def _flat(line):
    """The line with its families beside the other numbers: "right add": 0.9."""
    families = line.get("families")
    return {**line, **{f"right {f}": v for f, v in families.items()}} if isinstance(families, dict) else line


def _smooth(lines, key, color, **more):
    """A running mean over about a twelfth of the run, as a list of no or one series."""
    pairs = plots.points(lines, key)
    return [{"color": color, "points": plots.smooth(pairs, max(1, len(pairs) // 12) | 1), **more}] if pairs else []


def _curve(title, lines, key, y_label, caption):
    faint = [{"color": "grpo", "points": pairs, "faint": True}] if (pairs := plots.points(lines, key)) else []
    drawing = plots.line_chart(title, _smooth(lines, key, "grpo") + faint, "GRPO iteration", y_label)
    return figure(title, drawing, caption)


def _accuracy(run, lines, control):
    families = list(dict.fromkeys(key[6:] for line in lines for key in line if key.startswith("right ")))
    colors = {f: f"f{i % 7}" for i, f in enumerate(families)}
    series = [s for f in families for s in _smooth(lines, f"right {f}", colors[f])] + _smooth(
        lines, "accuracy", "total"
    )
    legend = [(f, colors[f]) for f in families] + [("all", "total")]
    coins = run.lines.get("random_reward", []) if control else []
    control = _smooth(coins, "accuracy", "random_reward", dash=True)
    if control:
        legend.append(("all, random reward", "random_reward", "dashed"))
    title = "Right answers while it learns"
    drawing = plots.line_chart(
        title, series + control, "GRPO iteration", "right answers (%)", y_range=(0, 1), form=plots.percent
    )
    return figure(title, drawing, ACCURACY, legend)


def _troubles(lines):
    series = [s for key, (_, color) in TROUBLES.items() for s in _smooth(lines, key, color)]
    legend = [TROUBLES[key] for key in TROUBLES if plots.points(lines, key)]
    title = "Wasted or broken answers"
    drawing = plots.line_chart(title, series, "GRPO iteration", "share (%)", y_range=(0, 1), form=plots.percent)
    return figure(title, drawing, WASTE, legend)


def length_caption(lines: list[dict]) -> str:
    """One sentence on how the answers' length changed, from the first tenth of the lines to the last."""
    pairs = plots.points(lines, "length")
    if not pairs:
        return ""
    tenth = max(1, len(pairs) // 10)
    first, last = (sum(y for _, y in part) / len(part) for part in (pairs[:tenth], pairs[-tenth:]))
    accuracy = [y for _, y in plots.points(lines, "accuracy")] or [0.0]
    word = "Length hardly changed"
    if last > 1.1 * first:
        better = sum(accuracy[-tenth:]) / tenth > sum(accuracy[:tenth]) / tenth + 0.1
        word = "The model found by itself that writing more pays" if better else "Answers became longer"
    elif last < 0.9 * first:
        word = "Answers became shorter"
    change = f"{first:.0f} tokens in the first tenth of the iterations, {last:.0f} in the last"
    return f"{word}: {change}. Nothing rewards length."


# -- losses --------------------------------------------------------------------------------------------------


def losses(run: Run) -> str:
    """The section of losses over the steps of pretraining and fine-tuning; "" without any."""
    vocabulary = plots.number(run.records.get("tokenizer", {}).get("vocab_size")) or 0
    drawings = []
    for stage in STAGES.values():
        pairs = plots.points(run.lines.get(stage.name, []), "loss")
        if not pairs:
            continue
        title = f"Control: {stage.title}" if stage.control else stage.title[0].upper() + stage.title[1:]
        caption = f"From {pairs[0][1]:.3g} to {pairs[-1][1]:.3g}; look whether it has flattened."
        if len(pairs) == 1:
            caption = f"A single point was logged: {pairs[0][1]:.3g}."
        marks = []
        if len(stage.passes) > 1:
            caption += " This loss is the distance from the probabilities of its teacher."
        if vocabulary > 1 and stage.name == "pretrain":
            marks = [(math.log(vocabulary), f"{math.log(vocabulary):.2f} = ln {vocabulary:.0f}: knows nothing")]
            caption += " Usually form is learned where it falls fast, arithmetic where it falls slowly."
        series = [{"color": "total", "points": pairs}]
        drawing = plots.line_chart(
            f"Loss, {title}", series, "optimizer step", "loss (nats per token, log scale)", log_y=True, marks=marks
        )
        drawings.append(figure(title, drawing, caption))
    if not drawings:
        return ""
    return "<h2>Learning to write: the losses</h2>" + paragraph(LOSS_INTRO) + page.grid(*drawings)


# -- experts -------------------------------------------------------------------------------------------------


def experts(run: Run) -> str:
    """The section of the experts' loads; "" for a model without experts."""
    drawings = [
        _last_load(run, "pretrain", "the end of pretraining"),
        _last_load(run, "sft", "the end of the cold start"),
        _load_over_time(run),
        _busiest(run),
    ]
    if not any(drawings):
        return ""
    return "<h2>Inside: do all experts work?</h2>" + paragraph(EXPERTS_INTRO) + page.grid(*drawings)


def _loads(run, stage):
    """[(step, load of each layer's experts over their mean)] of the lines that have it."""
    out = []
    for line in run.lines.get(stage, []):
        load, step = line.get("expert_load"), plots.number(line.get("step"))
        if step is not None and isinstance(load, list) and load and all(isinstance(r, list) and r for r in load):
            out.append((step, [[plots.number(x) for x in row] for row in load]))
    return out


def _last_load(run, stage, when):
    loads = _loads(run, stage)
    if not loads:
        return ""
    load, wide = loads[-1][1], max(map(len, loads[-1][1]))
    names = [f"layer {i + 1}" if len(load) < 8 else str(i + 1) for i in range(len(load))]
    ticks = [(j, str(j)) for j in range(wide) if wide <= 16 or j % 8 == 0]
    drawing = plots.heat_map(
        f"Expert load at {when}", load, "expert", "", x_ticks=ticks, show_values=wide <= 8, row_names=names
    )
    caption = (
        "Tokens that an expert received, over the mean of its layer: 1 is even. Orange is busier, blue is "
        "idler; look for experts near 0."
    )
    return figure(f"Load at {when}", drawing, caption)


def _load_over_time(run, columns=48):
    loads = _loads(run, "pretrain")
    if len(loads) < 3 or sum(map(len, loads[0][1])) > 64:
        return ""
    chosen = [loads[i] for i in sorted({round(k * (len(loads) - 1) / (columns - 1)) for k in range(columns)})]
    places = [(i, j) for i, row in enumerate(chosen[0][1]) for j in range(len(row))]
    rows = [[_at(load, i, j) for _, load in chosen] for i, j in places]
    names = [f"{i + 1}.{j}" if j % 4 == 0 else "" for i, j in places]
    last = len(chosen) - 1
    ticks = [(k, plots.text_of(chosen[k][0])) for k in sorted({0, last // 2, last})]
    title = "Load over pretraining"
    drawing = plots.heat_map(title, rows, "optimizer step", "MoE layer . expert", x_ticks=ticks, row_names=names)
    return figure(
        title, drawing, "Each row is an expert. Rows should fade towards neutral as the router's biases do their work."
    )


def _at(load, i, j):
    return load[i][j] if i < len(load) and j < len(load[i]) else None


def _busiest(run):
    pairs = plots.points(run.lines.get("pretrain", []), "load_max")
    if len(pairs) < 3:
        return ""
    drawing = plots.line_chart(
        "The busiest expert",
        [{"color": "hot", "points": pairs}],
        "optimizer step",
        "busiest expert / mean",
        marks=[(1.0, "1 = even")],
    )
    caption = (
        f"It ends at {pairs[-1][1]:.2f} times the mean of its layer. Look whether it falls towards 1: that "
        "is what the biases are for."
    )
    return figure("The busiest expert", drawing, caption)
