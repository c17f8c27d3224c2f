"""Results and metrics of a made-up run, as `minids run` would leave them, and a checker of pages."""

import json
import re
from html.parser import HTMLParser

from minids.model.config import ModelConfig

EVIL = '<script>alert("x")</script><img src=http://evil.example/x onerror=alert(1)>'
VOID = {"meta", "br", "img", "link", "input", "hr"}
FAMILIES = ("add", "chain")


class Checker(HTMLParser):
    """Balanced tags, and what the page would load or run."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.loads, self.text = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "xlink:href") or name.startswith("on"):
                self.loads.append((tag, name, value))
            if name == "href" and tag != "a":
                self.loads.append((tag, name, value))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def check(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert checker.loads == []
    assert not checker.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert "@import" not in style and "url(" not in style
    assert "default-src 'none'" in page
    assert "NaN" not in page and "nan" not in re.sub(r"<[^>]*>", " ", page).split()
    return " ".join(" ".join(checker.text).replace("\u00a0", " ").split())


def row(stage, family, pass1, top=None, n=1000):
    out = {
        "stage": stage,
        "family": family,
        "n": n,
        "greedy": min(1, pass1 + 0.02),
        "pass1": pass1,
        "ci": [max(0, pass1 - 0.02), min(1, pass1 + 0.02)],
        "format": 0.9,
        "length": 40.0,
        "truncated": 0.01,
        "empty_think": 0.0,
    }
    if top is not None:
        out |= {
            "pass_at": {"1": pass1, "4": (pass1 + top) / 2, "16": top},
            "maj_at": {"1": pass1, "16": pass1},
            "sampled_n": 300,
            "guess_at": {"1": 0.01, "4": 0.04, "16": 0.1},
        }
    return out


def results(**changes):
    levels = {
        "base": (0.4, 0.97),
        "direct": (0.1, None),
        "sft": (0.3, 0.95),
        "grpo": (0.95, 0.97),
        "random_reward": (0.3, None),
    }
    answers = {
        "sft": ("<think>347+5896=6244</think><answer>6244</answer><｜end▁of▁sentence｜>", False),
        "grpo": ("<think>7+6=13 4+9+1=14 3+8+1=12 5+1=6</think><answer>6243</answer><｜end▁of▁sentence｜>", True),
    }
    config = ModelConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=64,
        moe_intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=4,
        kv_lora_rank=8,
        q_lora_rank=None,
        qk_rope_head_dim=4,
        qk_nope_head_dim=8,
        v_head_dim=6,
        n_routed_experts=8,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
        first_k_dense_replace=1,
    )
    stages = [
        {
            "name": "tokenizer",
            "vocab_size": 300,
            "documents": 100,
            "tokens": 6000,
            "seconds": 1.0,
            "evaluation_seconds": 0.0,
        },
        {"name": "pretrain", "tokens": 90000, "seconds": 100.0, "steps": 30, "evaluation_seconds": 5.0},
        {"name": "sft", "tokens": 9000, "seconds": 10.0, "steps": 10, "evaluation_seconds": 5.0},
        {
            "name": "grpo",
            "tokens": 9000,
            "seconds": 50.0,
            "steps": 9,
            "sampling": 30.0,
            "update": 19.0,
            "evaluation_seconds": 5.0,
        },
        {"name": "direct", "tokens": 9000, "seconds": 50.0, "evaluation_seconds": 1.0, "control": True},
        {"name": "random_reward", "tokens": 9000, "seconds": 50.0, "evaluation_seconds": 1.0, "control": True},
    ]
    return {
        "recipe": "tiny",
        "seed": 0,
        "versions": {"minids": "0.1.0"},
        "seconds": 176.0,
        "peak_bytes": 2**30,
        "hardware": {"device": "cpu", "processes": 2, "cpu": "a CPU", "cores": 2},
        "stages": stages,
        "model": {"config": config.to_dict(), "parameters": 916448, "active": 621540},
        "evals": [row(s, f, *level) for s, level in levels.items() for f in (*FAMILIES, "all")],
        "beyond": [
            {
                "stage": "grpo",
                "family": "add",
                "size": 6,
                "n": 100,
                "greedy": 0.4,
                "ci": [0.3, 0.5],
                "length": 70.0,
                "truncated": 0.0,
            }
        ],
        "examples": {
            s: [{"family": "add", "question": "347+5896", "answer": "6243", "text": t, "right": ok}]
            for s, (t, ok) in answers.items()
        },
        **changes,
    }


def metrics():
    lines = []
    for step in range(10, 50, 10):
        lines.append(
            {
                "stage": "pretrain",
                "step": step,
                "loss": 6 / step,
                "load_max": 1.2,
                "expert_load": [[1.2, 0.8], [0.5, 1.5]],
            }
        )
    lines.append({"stage": "sft", "step": 10, "loss": 0.4, "expert_load": [[1.2, 0.8], [0.5, 1.5]]})
    for step in range(1, 13):
        line = {
            "stage": "grpo",
            "step": step,
            "reward": step / 13,
            "accuracy": step / 14,
            "length": 30.0 + step,
            "entropy": 0.2,
        }
        lines.append(
            {
                **line,
                "zero_variance": 0.1,
                "truncated": 0.0,
                "empty_think": 0.0,
                "kl": 0.01,
                "logp_gap": 3e-6,
                "families": {"add": step / 14, "chain": step / 15},
            }
        )
        lines.append({**line, "stage": "random_reward", "accuracy": 0.3})
    return lines


def put(folder, results, metrics=(), tail=""):
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    if metrics is not None:
        (folder / "metrics.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in metrics) + tail, encoding="utf-8"
        )
    return folder
