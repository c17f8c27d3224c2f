"""Folders of strangers: whatever is in them, a command does its work or says in one message what is wrong.
None of them can run code, read other files, or take memory and time without end."""

import json
import shutil

import pytest

from minids import cli
from minids.reason import environments, user
from minids.ship import folders


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
    opened, init = [], user.User.__init__
    monkeypatch.setattr(user.User, "__init__", lambda self, name: opened.append(name) or init(self, name))
    environments._make.cache_clear()
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
    from minids.ship import chat

    family, ran = trap
    edit(model / "minids.json", families=[family, "add"])
    assert "as in" in chat.greeting(folders.open_folder(model)) and not ran
    edit(model / "minids.json", families=[family])
    assert "maker's own" in chat.greeting(folders.open_folder(model)) and not ran


@pytest.mark.parametrize("command", ["import", "export"])
def test_what_names_code_or_files_is_not_passed_on(command, model, trap, capsys, tmp_path):
    family, ran = trap
    edit(model / "minids.json", families=[family, "add"], more={"auto_map": "evil"})
    edit(model / "config.json", auto_map={"AutoModelForCausalLM": "evil--evil.Model"}, _name_or_path="/home/evil")
    edit(
        model / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]}, name_or_path="/home/evil",
        tokenizer_file="/home/evil/tokenizer.json",
    )  # fmt: skip
    (model / "evil.py").write_text("raise SystemExit", encoding="utf-8")
    assert said(capsys, command, model, tmp_path / "out")[0] == 0
    written = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    assert set(written) == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "minids.json"
    }  # fmt: skip
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
    for name, bad in (("families", "add"), ("families", [3]), ("processes", 10**6), ("processes", "2"),
                      ("threads", 0), ("model", []), ("config", 3)):  # fmt: skip
        edit(about, **{name: bad})
        assert said(capsys, "replay", run, 1, 0)[0] == 2


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
    assert [environments.get(name).verifier is not None for name in ran] == [False, False, True]
    for bad in ("user:@", "user:p.jsonl@", f"{file}@", f"{file}@{home}", "user:@x.py:f"):
        assert said(capsys, *one, bad)[0] == 2
