"""What `minids replay` prints: an answer's tokens, how sure the policy was of each, and what each one taught.

In a terminal the answer is one text, coloured by the probability of its tokens; elsewhere a line per token, which other
programs can cut apart. Control characters of a token are shown as escapes, so that no answer can steer a terminal.
"""

import math
import sys

COLOURS = ((0.95, "dim"), (0.7, "green"), (0.3, "yellow"), (0.0, "bold red"))  # from this probability on
MOST = 8  # tokens listed in a terminal: those that taught most


def shown(text: str) -> str:
    """Printable, with line breaks kept."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def text(found: dict) -> str:
    """Everything, without colours."""
    tokens = found["tokens"]
    width = max([5, *(len(_word(t["text"])) for t in tokens)])
    lines = [*_head(found), "", shown(found["text"]), "", f"{'':>5}  {'token':<{width}}  log-prob  share of gradient"]
    lines += [
        f"{i:>5}  {_word(t['text']):<{width}}  {t['logp']:>8.4f}  {_percent(share)}"
        for i, (t, share) in enumerate(zip(tokens, found["shares"]))
    ]
    return "\n".join(lines)


def show(found: dict) -> None:
    """Prints it: coloured where stdout is a terminal and rich is installed, else as `text` gives it."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        Console = None
    if Console is None or not sys.stdout.isatty():
        print(text(found))
        return
    console, answer, legend = Console(highlight=False), Text(), Text("probability: ")
    for token in found["tokens"]:
        answer.append(shown(token["text"]), style=colour(token["logp"]))
    for least, style in COLOURS:
        legend.append(f" above {least:.0%} ", style=style)
    for line in _head(found):
        console.print(Text(line))
    console.print(Text("\n"), answer, Text("\n"), legend, sep="")
    order = sorted(range(len(found["shares"])), key=lambda i: -abs(found["shares"][i]))[:MOST]
    if any(found["shares"]):
        console.print(Text("\nThe tokens that taught most (place, log-probability, share of the iteration's gradient)"))
        for i in order:
            token = found["tokens"][i]
            console.print(
                Text(
                    f"{i:>5}  {_word(token['text']):<16} {token['logp']:>8.4f}  {_percent(found['shares'][i])}",
                    style=colour(token["logp"]),
                )
            )


def colour(logp: float) -> str:
    """The style of a token by its log-probability: dim where it was likely, red where it was not."""
    return next(style for least, style in COLOURS if math.exp(logp) >= least)


def _head(found):
    size = len(found["group_rewards"])
    parts = ", ".join(f"{k} {v:g}" for k, v in {**found["parts"], **found["paid"]}.items())
    rest = " ".join(f"{r:g}" for r in found["group_rewards"])
    kind = "a coin's reward" if found["random_reward"] else "reward"
    begin = "the stage's start" if not found["from_step"] else f"the snapshot of iteration {found['from_step']}"
    lines = [
        f"{found['stage']}, iteration {found['step']}, sample {found['sample']}: answer {found['sample'] % size} of "
        f"{size} to question {found['group']}, replayed from {begin}",
        found["note"],
        "",
        f"question   {shown(found['question'])}",
        f"expected   {shown(found['expected'])}",
        f"thought    {shown(found['thought'] if found['thought'] is not None else '(none)')}",
        f"answer     {shown(found['answer'] if found['answer'] is not None else '(none that can be read)')}"
        + ("" if found["finished"] else "   (cut off)"),
        f"reward     {found['reward']:g} ({parts}; as {kind})" + (f"   {found['failure']}" if found["failure"] else ""),
        f"group      {rest}",
        f"advantage  {found['advantage']:+.4f}" + ("" if found["informative"] else "  (all rewards equal: left out)"),
    ]
    if not found["iteration_gradient_norm"]:
        return [*lines, "taught     nothing: no group of this iteration had different rewards"]
    cosine = "" if found["cosine"] is None else f", cosine {found['cosine']:+.2f}"
    return [
        *lines,
        f"taught     {found['weight']:.2%} of the weight |A| of the iteration's tokens; {found['share']:+.2%} of its "
        f"gradient (norm {found['gradient_norm']:.3g} of {found['iteration_gradient_norm']:.3g}{cosine})",
    ]


def _word(token):
    return shown(token).replace("\n", "\\n").replace(" ", "␣")


def _percent(share):
    return f"{100 * share:+.3f} %"
