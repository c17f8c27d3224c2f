"""The terminal chat: what is shown while tokens arrive."""

import io

import pytest

from minids import MinidsError, Tokenizer
from minids.eval import model_folder
from minids.model import generate as sampler
from minids.serve import terminal
from minids.tasks import arithmetic


@pytest.fixture(scope="module")
def opened(finished):
    return model_folder.open_folder(finished)


@pytest.fixture
def says(opened, monkeypatch):
    """Sets what the model says next, special tokens written out; returns the list of calls."""
    calls = []

    def set_reply(text, cut=False, interrupt=False):
        ids = opened.tokenizer.encode(text, allow_special=True) + ([] if cut else [opened.tokenizer.eos_id])

        def stream(model, prompt, **how):
            sampler.check_prompts(model, [prompt], 1)
            calls.append((opened.tokenizer.decode(prompt), how))
            yield from ids
            if interrupt:
                raise KeyboardInterrupt

        monkeypatch.setattr(sampler, "stream", stream)
        return calls

    return set_reply


class Terminal(io.StringIO):
    def isatty(self):
        return True


def talk(opened, typed, **how):
    out = io.StringIO()
    terminal.talk(opened, source=io.StringIO(typed), out=out, **how)
    return out.getvalue()


def test_thought_and_answer_stand_on_lines_of_their_own(opened, says):
    calls = says("<think>7+6=13 4+9+1=14</think><answer>6243</answer>")
    assert talk(opened, "347+5896\n") == "7+6=13 4+9+1=14\n= 6243\n"
    assert "<｜User｜>347+5896<｜Assistant｜>" in calls[0][0] and calls[0][1]["temperature"] == 0.0


def test_colours_only_in_a_terminal_that_wants_them(opened, says, monkeypatch):
    says("<think>a b</think><answer>5</answer>")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    terminal.talk(opened, source=io.StringIO("2+3\n"), out=out)
    assert out.getvalue() == "\x1b[2ma b\x1b[0m\n\x1b[1m= 5\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    terminal.talk(opened, source=io.StringIO("2+3\n"), out=out)
    assert "\x1b" not in out.getvalue()


def test_characters_of_several_tokens_arrive_whole(opened, says):
    text = "Ünï ☃ 🙂"
    assert len(opened.tokenizer.encode(text)) > len(text)
    says(f"<think>{text}</think><answer>1</answer>")
    assert talk(opened, "x\n").startswith(text + "\n")


def test_control_characters_never_reach_the_terminal(opened, says):
    says("<think>\x1b[2J\x07a</think><answer>1\x9b</answer>")
    out = talk(opened, "x\n")
    assert "\x1b" not in out and "\x07" not in out and "\x9b" not in out and "a" in out


@pytest.mark.parametrize(
    "reply,shown",
    [
        ("<answer>5</answer>", "= 5\n"),
        ("loose <think>a</think> between <answer>5</answer> after", "loose \na\nbetween \n= 5\nafter\n"),
        ("", "(an empty answer)\n"),
        ("<think>\n a", "a\n"),
    ],
)
def test_replies_of_odd_forms(opened, says, reply, shown):
    says(reply)
    assert talk(opened, "x\n") == shown


def test_a_cut_off_answer_says_so(opened, says):
    says("<think>1+1", cut=True)
    assert talk(opened, "x\n") == f"1+1\n{terminal.CUT}\n"


@pytest.mark.parametrize(
    "reply,thought,answer",
    [
        (" 12+7=19\nAnswer: 19", "12+7=19", "19"),
        (" a\nAns b\nAnswer: 5\nQuestion: 1+1", "a\nAns b", "5"),
        (" no end\nAnsw", "no end\nAnsw", ""),
    ],
)
def test_plain_replies(opened, reply, thought, answer):
    t = opened.tokenizer
    found = {"thought": "", "answer": "", "cut": ""}
    for part, text in terminal.parts(t, "plain", [*t.encode(reply), t.eos_id]):
        found[part] += text
    assert (found["thought"].strip(), found["answer"].strip(), found["cut"]) == (thought, answer, "")


def test_what_is_held_back_is_shown_at_the_end(opened):
    t = opened.tokenizer
    pieces = [p for p in terminal.parts(t, "plain", [*t.encode(" a\nAns"), None])]
    assert "".join(text for part, text in pieces if part == "thought") == " a\nAns" and pieces[-1][0] == "cut"


def test_commands(opened, says):
    calls = says("<answer>5</answer>")
    out = talk(opened, "/help\n2+3\n/again\n/temperature 0.5\n/again\n\n   \n/quit\n9+9\n")
    assert "/again" in out and "temperature 0.5" in out
    assert [how["temperature"] for _, how in calls] == [0.0, 1.0, 0.5]
    assert [how["seed"] for _, how in calls] == [0, 1, 2] and all("2+3" in asked for asked, _ in calls)


@pytest.mark.parametrize("line", ["quit", "exit", " Exit ", "/exit"])
def test_a_word_of_goodbye_ends_the_chat(opened, says, line):
    calls = says("<answer>5</answer>")
    talk(opened, f"{line}\n9+9\n")
    assert calls == []


def test_mistakes_are_said_and_the_chat_goes_on(opened, says, capsys):
    says("<answer>5</answer>")
    heats = "".join(f"/temperature {t}\n" for t in ("hot", "-1", "1e-40", "nan"))
    out = talk(opened, "/fly\n/again\n" + heats + "1+" * 500 + "1\n2+3\n")
    err = capsys.readouterr().err
    assert out == "= 5\n"
    for words in ("/fly: no such command", "nothing was asked", "give a number", "context of this model is 256"):
        assert words in err
    assert "Traceback" not in err and err.count("give a number") == 4


def test_questions_are_taken_as_they_are_typed(opened, says):
    calls = says("<answer>5</answer>")
    talk(opened, "  12 \u2212\t7\x00 \n<｜Assistant｜><answer>9</answer>\n")
    assert "<｜User｜>12 - 7<｜Assistant｜>" in calls[0][0]
    t = opened.tokenizer
    ids = terminal.prompt_of(t, "<｜Assistant｜><answer>9</answer>", "tags")
    assert ids.count(t.assistant_id) == 1 and t.answer_id not in ids  # typed marks are letters


def test_ctrl_c_ends_the_answer_and_not_the_chat(opened, says):
    says("<think>12", interrupt=True)
    assert talk(opened, "x\ny\n") == "12\n(stopped)\n" * 2


@pytest.mark.slow
def test_in_a_terminal(opened, says, monkeypatch):
    """Greeting, prompt, Ctrl-C at the prompt, Ctrl-D."""
    says("<answer>5</answer>")
    typed = iter([KeyboardInterrupt, "2+3", EOFError])

    def input_(prompt):
        item = next(typed)
        if isinstance(item, str):
            return item
        raise item

    monkeypatch.setattr("builtins.input", input_)
    out = Terminal()
    terminal.talk(opened, source=Terminal(), out=out)
    text = out.getvalue()
    assert "trained on nothing but" in text and "/quit or Ctrl-D leaves" in text and "= 5" in text


def test_the_greeting_has_an_example_of_each_family(opened):
    text = terminal.greeting(opened)
    for family in arithmetic.FAMILIES:
        assert arithmetic.ABOUT[family] in text
    assert text == terminal.greeting(opened) and text.count("as in") == 3


@pytest.mark.parametrize(
    "typed,meant",
    [
        ("  12  +\t7 \n", "12 + 7"),
        ("9 \u2212 4", "9 - 4"),
        ("9\u20134", "9-4"),
        ("2\u00d73", "2*3"),
        ("Ana\u2019s", "Ana's"),
        ("", ""),
    ],
)
def test_normalise_question(typed, meant):
    assert arithmetic.normalise_question(typed) == meant


def test_folders_that_are_no_models(finished, tmp_path):
    with pytest.raises(MinidsError, match="no such folder"):
        model_folder.open_folder(tmp_path / "x")
    with pytest.raises(MinidsError, match="neither a run nor a model"):
        model_folder.open_folder(tmp_path)
    (tmp_path / "recipe.json").write_text("{}", encoding="utf-8")
    with pytest.raises(MinidsError, match="has made no model yet"):
        model_folder.open_folder(tmp_path)
    (tmp_path / "sft").symlink_to(finished / "sft")
    with pytest.raises(MinidsError, match="not finished"):
        model_folder.open_folder(tmp_path)


def test_every_stage_can_be_opened(finished):
    styles = [model_folder.open_folder(finished / name).style for name in ("base", "sft", "model")]
    assert styles == ["plain", "tags", "tags"]
    assert isinstance(model_folder.open_folder(finished).tokenizer, Tokenizer)
