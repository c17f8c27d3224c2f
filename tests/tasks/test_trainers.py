"""Environments where others train: TRL's GRPOTrainer, verl's signature."""

import inspect
import json
import pickle

import pytest

from minids import MinidsError, Tokenizer
from minids.tasks import registry, trainers
from minids.tasks.reward import Reward

pytest.importorskip("reasoning_gym")
NAMES = ["add", "gym:gcd", "gym:number_sorting", "gym:lcm", "countdown"]


def tagged(answer):
    return f"<think>so</think><answer>{answer}</answer>"


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_data_and_give_the_problem_back(name):
    rows = json.loads(json.dumps(trainers.dataset(name, 12, "rl", seed=3)))
    assert len({r["question"] for r in rows}) == 12 and all(r["prompt"] == r["question"] for r in rows)
    assert {r["family"] for r in rows} == {name}
    assert set(rows[0]) == {"prompt", "answer", "question", "family", "problem"}
    tested = trainers.dataset(name, 12, "test", seed=3)
    assert not {r["question"] for r in rows} & {r["question"] for r in tested}
    for r in rows:
        p = registry.get(name).restore(r["question"], r["answer"], json.loads(r["problem"]))
        assert (p.question, p.answer, p.split) == (r["question"], r["answer"], "rl")
    talk = trainers.dataset(name, 1, chat=True)[0]["prompt"]
    assert talk[0]["role"] == "user" and talk[0]["content"]


def called(reward, rows, completions, **more):
    """As GRPOTrainer calls it: every other column of the data set as a list, and some things of its own."""
    columns = {k: [r[k] for r in rows] for k in rows[0] if k != "prompt"}
    return reward(
        prompts=[r["prompt"] for r in rows],
        completions=completions,
        completion_ids=[[1]] * len(rows),
        **columns,
        trainer_state=None,
        log_extra=print,
        log_metric=print,
        **more,
    )


@pytest.mark.parametrize("name", NAMES)
def test_texts_and_messages_are_graded(name):
    rows = trainers.dataset(name, 4)
    reward = pickle.loads(pickle.dumps(trainers.trl_reward(name)))  # TRL may send it to another process
    said = [tagged(rows[0]["answer"]), tagged("9**9**9"), rows[2]["answer"], tagged(rows[3]["answer"]) + " or 5"]
    assert called(reward, rows, said) == [1.0, 0.0, 0.0, 0.0]
    assert called(reward, rows, [[{"role": "assistant", "content": text}] for text in said]) == [1.0, 0.0, 0.0, 0.0]
    assert called(trainers.trl_reward(name, format=0.5), rows, said) == [1.5, 0.5, 0.0, 0.0]
    plain = trainers.trl_reward(name, style="plain_direct")
    assert called(plain, rows, [rows[0]["answer"], "", "\n", tagged(rows[3]["answer"])]) == [1.0, 0.0, 0.0, 0.0]
    assert trainers.trl_reward(name).__name__.isidentifier()


def odd_completions(answer):
    """Completions as trainers and servers have them, and what each should earn."""
    text = tagged(answer)
    said = {"role": "assistant", "content": text}
    parts = [{"type": "text", "text": text[:9]}, {"type": "text", "text": text[9:]}]
    return [
        (said, 1.0),
        ([said], 1.0),
        (({"role": "user", "content": "?"}, said), 1.0),
        ({"content": text}, 1.0),
        ([{"role": "assistant", "content": parts}], 1.0),
        (parts, 1.0),
        ([text], 1.0),
        ({"type": "text", "text": text}, 1.0),
        ([{"role": "assistant", "content": f"<answer>{answer}</answer>", "reasoning_content": "so"}], 1.0),
        ([said, {"role": "tool", "content": tagged("no")}], 1.0),
        (f"so</think><answer>{answer}</answer>", 1.0),
        ([{"role": "assistant", "content": f"so</think>\n<answer>{answer}</answer>"}], 1.0),
        (None, 0.0),
        ([], 0.0),
        ((), 0.0),
        ({}, 0.0),
        ([None], 0.0),
        ([[]], 0.0),
        ("", 0.0),
        (5, 0.0),
        (b"5", 0.0),
        ([{"role": "assistant", "content": None, "tool_calls": []}], 0.0),
        ([{"role": "assistant"}], 0.0),
        ([{"role": "user", "content": text}], 0.0),
        ([{"type": "image", "image": None}], 0.0),
        (float("nan"), 0.0),
        (f"so</think><answer>{answer}</answer><answer>{answer}</answer>", 0.0),
        (f"so</think>{answer}", 0.0),
        (f"</think></think><answer>{answer}</answer>", 0.0),
        (f"so</think><answer>{answer}", 0.0),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_completions_in_every_form_are_read_or_earn_nothing(name):
    row = trainers.dataset(name, 1)[0]
    extra = {"question": row["question"], "problem": row["problem"]}
    reward = trainers.trl_reward(name)
    for completion, earned in odd_completions(row["answer"]):
        assert called(reward, [row], [completion]) == [earned], completion
        assert trainers.compute_score(name, completion, row["answer"], extra_info=extra) == earned, completion


def test_a_template_that_opens_the_thought_costs_no_form():
    row = trainers.dataset("add", 1)[0]
    text = f"so\n</think>\n<answer>{row['answer']}</answer>"
    assert called(trainers.trl_reward("add", format=0.5), [row], [text]) == [1.5]
    assert called(trainers.trl_reward("add", format=0.5, style="opened"), [row], [text]) == [1.5]
    assert called(trainers.trl_reward("add", format=0.5), [row], ["so " + text + " x"]) == [0.0]


def test_columns_that_are_not_there_are_named():
    row = trainers.dataset("add", 1)[0]
    reward = trainers.trl_reward("add")
    with pytest.raises(MinidsError, match="no column 'question', 'problem'"):
        reward(prompts=[row["prompt"]], completions=[""], answer=[row["answer"]])
    for extra in (None, {}, {"question": row["question"]}, {"question": row["question"], "problem": None}):
        with pytest.raises(MinidsError, match="extra_info holds no .*'problem'"):
            trainers.compute_score("add", "", row["answer"], extra_info=extra)
    # a row of another task in a mixed data set: None, which TRL leaves out
    foreign = {**row, "answer": None, "question": None, "problem": None}
    assert called(reward, [row, foreign], [tagged(row["answer"])] * 2) == [1.0, None]


def test_a_row_that_another_version_made_is_refused():
    rows = trainers.dataset("gym:gcd", 1)
    reward = trainers.trl_reward("gym:gcd")
    other = '{"size": 2, "index": 5}'
    for change in ({"answer": "7777"}, {"problem": "{}"}, {"problem": other}, {"question": "gcd 1 1"}):
        with pytest.raises(MinidsError, match="Make (it|the data set) again"):
            called(reward, [{**rows[0], **change}], [tagged(5)])
    with pytest.raises(MinidsError, match="not one of"):
        trainers.trl_reward("poetry")


def test_the_signature_that_verl_documents():
    """docs/preparation/reward_function.rst of verl: (data_source, solution_str, ground_truth, extra_info=None), and its
    reward managers pass them by name."""
    parameters = inspect.signature(trainers.compute_score).parameters
    assert list(parameters) == ["data_source", "solution_str", "ground_truth", "extra_info"]
    assert parameters["extra_info"].default is None
    for name in NAMES:
        for row in trainers.dataset(name, 3):
            extra = {"question": row["question"], "problem": row["problem"], "index": 5, "num_turns": 2}
            for text, score in ((tagged(row["answer"]), 1.0), (tagged(row["answer"] + "1"), 0.0), ("", 0.0)):
                given = trainers.compute_score(
                    data_source=name, solution_str=text, ground_truth=row["answer"], extra_info=extra
                )
                assert given == score and type(given) is float


OPENS = (
    "{% for m in messages %}<｜User｜>{{ m['content'] }}{% endfor %}<｜Assistant｜>"
    "{% if add_generation_prompt %}<think>\n{% endif %}"
)


@pytest.mark.slow
@pytest.mark.parametrize("chat", [False, True])
def test_trl_trains_on_an_environment(tmp_path, chat):
    """Two steps of TRL's own GRPOTrainer: a tiny random Llama, our tokenizer, our data set, our reward. As texts, and
    as messages in a template that opens <think>."""
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    transformers = pytest.importorskip("transformers")
    datasets = pytest.importorskip("datasets")
    name, seen = "gym:gcd", []
    Tokenizer.train(["gcd 12 18 0123456789"] * 3, 275, digits="single").save_pretrained(tmp_path / "tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "tokenizer")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    if chat:
        tokenizer.chat_template = OPENS
    transformers.set_seed(0)
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    before = model.lm_head.weight.detach().clone()

    class Watched(trainers.TRLReward):
        def __call__(self, prompts, completions, **columns):
            given = super().__call__(prompts, completions, **columns)
            assert given == [0.0] * len(completions)  # an untrained model says nothing in the right form
            # the right answer, as this model would say it, in the place of its own
            right = [f"so</think><answer>{a}</answer>" for a in columns["answer"]]
            right = [[{**c[-1], "content": r}] if chat else r for c, r in zip(completions, right)]
            assert super().__call__(prompts, right, **columns) == [1.0] * len(completions)
            # a fraction of a point that differs makes a gradient
            given = [value + 0.01 * (len(trainers.said(c)) % 7) for value, c in zip(given, completions)]
            seen.append((completions, columns, given))
            return given

    settings = trl.GRPOConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=2,
        per_device_train_batch_size=4,
        num_generations=4,
        learning_rate=1e-2,
        max_completion_length=8,
        use_cpu=True,
        bf16=False,
        report_to=[],
        logging_steps=1,
        save_strategy="no",
        disable_tqdm=True,
    )
    rows = datasets.Dataset.from_list(trainers.dataset(name, 16, chat=chat))
    reward = Watched(name, Reward(format=0.0))
    trainer = trl.GRPOTrainer(
        model=model, reward_funcs=reward, args=settings, train_dataset=rows, processing_class=tokenizer
    )
    trainer.train()
    assert len(seen) == 2 and all(len(given) == 4 for _, _, given in seen)
    for completions, columns, _ in seen:
        assert all(isinstance(c, list if chat else str) for c in completions)
        assert set(columns["question"]) <= set(rows["question"]) and len(set(columns["question"])) == 1
        assert {"completion_ids", "trainer_state", "log_extra"} <= columns.keys()
        assert all(isinstance(i, int) for ids in columns["completion_ids"] for i in ids)
    logged = [row[f"rewards/{reward.__name__}/mean"] for row in trainer.state.log_history if "reward" in row]
    assert logged == pytest.approx([sum(given) / 4 for _, _, given in seen], abs=1e-6)
    assert not (model.lm_head.weight == before).all()


def test_what_the_guide_shows_runs(tmp_path, monkeypatch):
    import re
    from pathlib import Path

    from minids.tasks import verifier

    guide = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\S+)( check.py)?\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec("\n".join(body for kind, file, body in blocks if kind == "python" and not file), names)  # noqa: S102
    row, text = names["rows"][0], "<think>so</think><answer>{}</answer>"
    columns = {k: [row[k]] for k in row if k != "prompt"}
    assert names["reward"](prompts=[row["prompt"]], completions=[text.format(row["answer"])], **columns) == [1.1]
    Path("check.py").write_text("\n".join(body for _, file, body in blocks if file), encoding="utf-8")
    for name in ("verify", "reward"):
        verify = verifier.Verifier(f"check.py:{name}", seconds=10)
        assert [verify("q", "42", said, text.format(said)) for said in ("42", "43")] == [(1.0, ""), (0.0, "")]
        verify.close()
    line = next(body for kind, _, body in blocks if kind == "json")
    Path("sums.jsonl").write_text(line, encoding="utf-8")
    assert registry.get("user:sums.jsonl@check.py:verify").styles
