"""Folders of strangers: whatever is in them, a command does its work or says in one message what is wrong.
None of them can run code, read other files, or take memory and time without end."""

import io
import json
import os
import random
import shutil
import time
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from minids import MinidsError, ModelConfig, Transformer, cli, memory
from minids.eval import model_folder
from minids.model import generate as sampler
from minids.model import hf
from minids.model.speculative import speculative_greedy
from minids.rl import replay, rollout
from minids.serve import terminal
from minids.tasks import registry, user_file


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def model(run):
    return run / "model"


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Problems and a verifier in the current folder; -> (family, a list of the names that were opened)."""
    monkeypatch.chdir(tmp_path)
    opened, init = [], user_file.User.__init__
    monkeypatch.setattr(user_file.User, "__init__", lambda self, name: opened.append(name) or init(self, name))
    registry._make.cache_clear()
    text = "def verify(question, answer, reply):\n    return 1.0\n"
    (tmp_path / "evil.py").write_text(text, encoding="utf-8")
    lines = [json.dumps({"question": f"what is {i} and 1", "answer": str(i + 1)}) for i in range(200)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return "user:p.jsonl@evil.py:verify", opened


def edit(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def said(capsys, *arguments):
    """(exit code, stderr) of a command; never a traceback."""
    capsys.readouterr()
    code = cli.main([str(a) for a in arguments])
    err = capsys.readouterr().err
    assert "Traceback" not in err and "defect" not in err and code in (0, 2), err
    return code, err


# -- code --------------------------------------------------------------------------------------------------------------


def test_a_model_folder_runs_nobodys_python(run, model, trap, capsys, tmp_path):
    family, ran = trap
    edit(model / "minids.json", families=[family, "add"])
    one = ("--workers", 1, "--seed", 3)
    assert said(capsys, "eval", run, *one)[0] == 0 and not ran
    edit(model / "minids.json", families=[family])
    code, err = said(capsys, "eval", run, *one)
    assert code == 2 and "--families" in err and not ran
    problems = tmp_path / "one.jsonl"
    problems.write_text('{"question": "2+2", "answer": "4"}\n', encoding="utf-8")
    assert said(capsys, "eval", model, "--problems", problems)[0] == 0 and not ran
    # it runs for whoever names it, and for nobody else
    assert said(capsys, "eval", run, *one, "--families", family)[0] == 0 and ran == [family]


def test_a_chat_runs_nobodys_python(model, trap, capsys, monkeypatch):
    family, ran = trap
    edit(model / "minids.json", families=[family, "add"])
    assert "as in" in terminal.greeting(model_folder.open_folder(model)) and not ran
    edit(model / "minids.json", families=[family])
    assert "maker's own" in terminal.greeting(model_folder.open_folder(model)) and not ran


@pytest.mark.parametrize("command", ["import", "export"])
def test_what_names_code_or_files_is_not_passed_on(command, model, trap, capsys, tmp_path):
    family, ran = trap
    edit(model / "minids.json", families=[family, "add"], more={"auto_map": "evil"})
    edit(model / "config.json", auto_map={"AutoModelForCausalLM": "evil--evil.Model"}, _name_or_path="/home/evil")
    edit(
        model / "tokenizer_config.json",
        auto_map={"AutoTokenizer": ["evil.T", None]},
        name_or_path="/home/evil",
        tokenizer_file="/home/evil/tokenizer.json",
    )
    (model / "evil.py").write_text("raise SystemExit", encoding="utf-8")
    assert said(capsys, command, model, tmp_path / "out")[0] == 0
    written = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    assert set(written) == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "minids.json",
    }
    assert not any(b"evil" in data for data in written.values()) and not ran
    assert json.loads(written["minids.json"]) == {"style": "tags", "families": ["add"]}


def test_a_replay_runs_nobodys_python(run, trap, capsys):
    family, ran = trap
    about = run / "checkpoints" / "grpo" / "replay" / "run.json"
    edit(about, families=[family])
    code, err = said(capsys, "replay", run, 1, 0)
    assert code == 2 and f"--families {family}" in err and not ran
    said(capsys, "replay", run, 1, 0, "--families", family)
    assert ran == [family]
    for name, bad in (
        ("families", "add"),
        ("families", [3]),
        ("processes", 10**6),
        ("processes", "2"),
        ("threads", 0),
        ("model", []),
        ("config", 3),
    ):
        edit(about, **{name: bad})
        assert said(capsys, "replay", run, 1, 0)[0] == 2


def test_a_family_named_often_is_evaluated_once(model):
    edit(model / "minids.json", families=["add"] * 100_000)
    assert model_folder.open_folder(model).families == ["add"]


# -- paths -------------------------------------------------------------------------------------------------------------


def test_an_at_sign_in_a_path(run, trap, capsys, tmp_path):
    ran = trap[1]
    home = tmp_path / "me@home"
    home.mkdir()
    run = run.rename(home / "run@2")
    for name in ("p.jsonl", "evil.py"):
        (tmp_path / name).rename(home / name)
    shutil.copy(home / "p.jsonl", home / "p@evil.py:verify")
    one = ("eval", run, "--workers", 1, "--families")
    file = f"user:{home / 'p.jsonl'}"
    for good in (file, f"user:{home / 'p@evil.py:verify'}", f"{file}@{home / 'evil.py'}:verify"):
        assert said(capsys, *one, good)[0] == 0
    assert [registry.get(name).verifier is not None for name in ran] == [False, False, True]
    for bad in ("user:@", "user:p.jsonl@", f"{file}@", f"{file}@{home}", "user:@x.py:f"):
        assert said(capsys, *one, bad)[0] == 2


# -- weights -----------------------------------------------------------------------------------------------------------

KEY = "model.layers.1.self_attn.o_proj.weight"


def refused(folder, *words):
    with pytest.raises(MinidsError) as error:
        model_folder.open_folder(folder)
    for word in words:
        assert word in str(error.value), (word, str(error.value))
    assert len(str(error.value)) < 1000


def damage(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_weights_that_are_no_numbers_are_refused_by_name(model, bad, dtype):
    hf.save_model(Transformer.from_pretrained(model).to(dtype), model)
    keys = list(load_file(model / "model.safetensors"))
    shutil.copy(model / "model.safetensors", model / "kept")
    for key in [*keys[::5], "model.layers.1.mlp.gate.e_score_correction_bias", "lm_head.weight", "model.norm.weight"]:
        shutil.copy(model / "kept", model / "model.safetensors")
        damage(model, lambda t, key=key: t[key].view(-1)[-1].fill_(bad))
        refused(model, key, "NaN" if bad != bad else "infinity", "model.safetensors")


def test_float8_weights_and_scales_that_are_no_numbers(model):
    scale = KEY + "_scale_inv"

    def as_float8(t):
        t[KEY], t[scale] = t[KEY].to(torch.float8_e4m3fn), torch.ones(1, 1)

    edit(model / "config.json", quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]})
    damage(model, as_float8)
    model_folder.open_folder(model)
    shutil.copy(model / "model.safetensors", model / "kept")
    for change, words in (
        (lambda t: t[scale].fill_(float("nan")), [scale, "NaN"]),
        (lambda t: t[scale].fill_(-float("inf")), [scale]),
        (lambda t: t[KEY].view(torch.uint8)[3].fill_(0x7F), [KEY, "NaN"]),
        (lambda t: (t[scale].fill_(3e38), t[KEY].copy_(torch.full(t[KEY].shape, 400.0))), [KEY, "infinity"]),
        (lambda t: t.update({scale: torch.ones(1, 1, dtype=torch.int8)}), [scale, "int8"]),
        (lambda t: t.update({scale: torch.ones(2, 1)}), [scale, "[2, 1]"]),
        (lambda t: t.pop(scale), [scale]),
    ):
        shutil.copy(model / "kept", model / "model.safetensors")
        damage(model, change)
        refused(model, *words)
    shutil.copy(model / "kept", model / "model.safetensors")
    for block in (128, [128], [0, 0], [128, -1], [1.5, 2], ["128", 128], [True, 1], {}, "x", [2**70, 1]):
        edit(model / "config.json", quantization_config={"quant_method": "fp8", "weight_block_size": block})
        refused(model, "config.json", "weight_block_size")
    for method in ("gptq", 3, [], {"quant_method": ["fp8"]}, {"quant_method": None}, {}):
        edit(model / "config.json", quantization_config=method)
        if method not in ([], {}):
            refused(model, "config.json", "quantization_config")


def test_a_narrower_type_that_cannot_hold_a_weight(model):
    damage(model, lambda t: t[KEY].fill_(1e30))
    with pytest.raises(MinidsError, match="float16.*infinity"):
        Transformer.from_pretrained(model, dtype=torch.float16)
    Transformer.from_pretrained(model, dtype=torch.bfloat16)


def sharded(model):
    hf.save_model(Transformer.from_pretrained(model), model, max_shard_bytes=20_000)
    index = model / "model.safetensors.index.json"
    return index, json.loads(index.read_text(encoding="utf-8"))["weight_map"]


@pytest.mark.parametrize(
    "name", ["../x.safetensors", "/etc/passwd", "a/b", "a\\b", "C:x", "", ".", "..", "a\0b", 3, None, ["x"], {}]
)
def test_an_index_that_names_other_folders(model, name):
    index, files = sharded(model)
    shutil.copy(model / files["lm_head.weight"], model.parent / "x.safetensors")
    index.write_text(json.dumps({"weight_map": {**files, "lm_head.weight": name}}), encoding="utf-8")
    refused(model, "index.json", "lm_head.weight")


NAMES = ["config.json", "tokenizer.json", "minids.json", "generation_config.json", "model.safetensors"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", [*NAMES, "shard", "model.safetensors.index.json", "tokenizer_config.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link out", "link to nothing", "link to itself"])
def test_what_is_no_file_in_the_place_of_one(model, name, kind, tmp_path, capsys):
    if name in ("shard", "model.safetensors.index.json"):
        _, files = sharded(model)
        name = files["lm_head.weight"] if name == "shard" else name
    (model / "generation_config.json").write_text("{}", encoding="utf-8")
    path = model / name
    if kind == "link out":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind.startswith("link to"):
        path.symlink_to(path if kind == "link to itself" else tmp_path / "nothing")
    nowhere = kind.startswith("link to") and name in ("minids.json", "generation_config.json", "tokenizer_config.json")
    code, err = said(capsys, "export", model, tmp_path / "out")
    assert code == 2 or nowhere or (name == "tokenizer.json" and kind.startswith("link to")), err
    if name != "tokenizer_config.json":
        code, err = said(capsys, "eval", model, "--problems", problems(tmp_path))
        assert code == 2 or nowhere, err


def problems(folder):
    path = folder / "one.jsonl"
    path.write_text('{"question": "2+2", "answer": "4"}\n', encoding="utf-8")
    return path


def test_links_within_the_folder_and_in_hugging_faces_cache_are_followed(model, tmp_path):
    for path in (model / "model.safetensors", model / "config.json"):
        path.rename(model / f"other-{path.name}")
        path.symlink_to(f"other-{path.name}")
    model_folder.open_folder(model)
    cache = tmp_path / "hub" / "models--a--b"
    shutil.copytree(model, cache / "snapshots" / "abc")
    (cache / "blobs").mkdir()
    for i, path in enumerate(sorted((cache / "snapshots" / "abc").iterdir())):
        shutil.move(path, cache / "blobs" / str(i))
        path.symlink_to(f"../../blobs/{i}")
    model_folder.open_folder(cache / "snapshots" / "abc")
    (tmp_path / "linked").symlink_to(model)
    model_folder.open_folder(tmp_path / "linked")


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values, words",
    [
        ({"num_hidden_layers": 10**9}, ["num_hidden_layers"]),
        ({"num_hidden_layers": 9_000}, ["missing", "9000"]),
        ({"n_routed_experts": 60_000}, ["asks for [60000, 32]"]),
        ({"vocab_size": 10**9}, ["asks for [1000000000, 32]"]),
        ({"hidden_size": 10**12}, ["parameters"]),
        ({"hidden_size": 2**60}, ["hidden_size"]),
        ({"max_position_embeddings": 10**40}, ["max_position_embeddings"]),
    ],
)
def test_sizes_that_the_files_do_not_have(model, values, words):
    began = time.monotonic()
    edit(model / "config.json", **values)
    refused(model, *words)
    assert time.monotonic() - began < 30


def test_a_context_without_end_takes_no_memory(model, tmp_path, capsys, monkeypatch):
    edit(model / "config.json", max_position_embeddings=10**13)
    assert said(capsys, "eval", model, "--problems", problems(tmp_path))[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("2+2\n"))
    code, err = said(capsys, "chat", model, "--max-new-tokens", 10**12)
    assert "GiB" in err and "fewer" in err
    opened = model_folder.open_folder(model)
    for call in (generate, speculative):
        with pytest.raises(MinidsError, match="GiB"):
            call(opened.model, 10**12)
    assert generate(opened.model, 3)


def generate(model, most):
    return sampler.generate(model, [[5]], max_new_tokens=most)


def speculative(model, most):
    return speculative_greedy(model, [5], most)


def test_a_model_larger_than_memory_is_refused_before_it_is_built():
    with pytest.raises(MinidsError, match="GiB of memory"):
        Transformer(ModelConfig())
    with torch.device("meta"):
        Transformer(ModelConfig(num_hidden_layers=2))


def test_a_folder_larger_than_memory_is_refused_before_it_is_read(model, monkeypatch):
    monkeypatch.setattr(memory, "total", lambda device="cpu": 1000)
    refused(model, "GiB of memory")


# -- bytes changed at random -------------------------------------------------------------------------------------------


def odd_value(rng, old):
    return rng.choice(
        [
            None,
            True,
            False,
            0,
            1,
            -1,
            2**31,
            2**63,
            10**30,
            0.5,
            -1e300,
            1e-300,
            "",
            "x",
            "1",
            [],
            [1],
            [[]],
            {},
            {"a": 1},
            [old],
            {"x": old},
            old,
        ]
    )


def swapped(rng, value):
    """The same JSON value with something in it replaced, removed, doubled or renamed."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        how = rng.random()
        if how < 0.15:
            return {k: v for k, v in value.items() if k != key}
        if how < 0.25:
            return {(rng.choice(["", "X", k + "s", "auto_map"]) if k == key else k): v for k, v in value.items()}
        return {**value, key: swapped(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        i = rng.randrange(len(value))
        how = rng.random()
        if how < 0.2:
            return value[:i] + value[i + 1 :]
        if how < 0.3:
            return value[: i + 1] + value[i:]
        return [*value[:i], swapped(rng, value[i]), *value[i + 1 :]]
    return odd_value(rng, value)


def broken(rng, data):
    """Bytes flipped, cut off, put in or taken out."""
    data, how = bytearray(data), rng.random()
    at = rng.randrange(len(data))
    if how < 0.4:
        for _ in range(rng.choice([1, 1, 3, 20])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how < 0.6:
        del data[at:]
    elif how < 0.8:
        del data[at : at + rng.choice([1, 5, 100])]
    else:
        data[at:at] = rng.choice([b"\0", b"[", b"{", b'"', b"9" * 50, b"\xff", b"NaN", b"-", data[:100]])
    return bytes(data)


def header_broken(rng, data):
    """A safetensors file whose header says other things than its tensors are."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(swapped(rng, json.loads(data[8 : 8 + size])), default=str).encode()
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


@pytest.mark.parametrize("seed", range(4))
def test_folders_changed_at_random(seed, run, tmp_path):
    """Every change ends in a model that answers or in a MinidsError; never in another exception, never in NaN."""
    rng, model = random.Random(seed), run / "model"
    (model / "generation_config.json").write_text(
        json.dumps({"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 5, "eos_token_id": [1, 2]}),
        encoding="utf-8",
    )
    _, files = sharded(model)
    edit(
        model / "config.json",
        rope_scaling={
            "type": "yarn",
            "factor": 4.0,
            "original_max_position_embeddings": 64,
            "mscale": 1.0,
            "mscale_all_dim": 1.0,
        },
        quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]},
    )
    names = [
        "config.json",
        "config.json",
        "tokenizer.json",
        "model.safetensors.index.json",
        "minids.json",
        "generation_config.json",
        files["lm_head.weight"],
        "../recipe.json",
        "tokenizer_config.json",
    ]
    kept = {name: (model / name).read_bytes() for name in names}
    opened = 0
    for round in range(120):
        name = rng.choice(names)
        data = kept[name]
        if name.endswith(".safetensors"):
            data = rng.choice([broken, header_broken])(rng, data)
        elif rng.random() < 0.6:
            value = json.loads(data)
            for _ in range(rng.choice([1, 1, 2])):
                value = swapped(rng, value)
            data = json.dumps(value).encode()
        else:
            data = broken(rng, data)
        (model / name).write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                used(model_folder.open_folder(run))
                model_folder.copy_tokenizer(model, tmp_path)
            opened += 1
        except MinidsError as error:
            assert str(error) and len(str(error)) < 2000
        except BaseException as error:
            error.add_note(f"seed {seed}, round {round}: {name} = {data[:3000]}")
            raise
        finally:
            (model / name).write_bytes(kept[name])
    assert 10 < opened < 115


def used(opened):
    """What the commands do with a model that was opened."""
    prompt = rollout.prompt_of(opened.tokenizer, "2+2", opened.style)
    ids = sampler.generate(opened.model, [prompt], max_new_tokens=3, temperature=0).ids[0]
    assert opened.tokenizer.decode(ids) is not None
    terminal.greeting(opened)
    terminal.talk(opened, max_new_tokens=2, source=io.StringIO("2+2\n"), out=io.StringIO())
    hf.save_model(opened.model, opened.folder / "again")
    shutil.rmtree(opened.folder / "again")


def test_a_replay_of_a_run_changed_at_random(run):
    rng, folder = random.Random(0), run / "checkpoints" / "grpo" / "replay"
    paths = sorted(p for p in folder.rglob("*.json*") if p.name != "rollouts.jsonl" and p.name[0] != ".")
    kept, same = {path: path.read_bytes() for path in paths}, 0
    for round in range(40):
        path = rng.choice(paths)
        if rng.random() < 0.7:
            path.write_text(json.dumps(swapped(rng, json.loads(kept[path]))), encoding="utf-8")
        else:
            path.write_bytes(broken(rng, kept[path]))
        try:
            same += replay.replay(run, 2, 0)["same"] is True
        except MinidsError as error:
            assert len(str(error)) < 2000
        except BaseException as error:
            error.add_note(f"round {round}: {path} = {path.read_bytes()[:3000]}")
            raise
        finally:
            path.write_bytes(kept[path])
    assert 5 < same < 38
