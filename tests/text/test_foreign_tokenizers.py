"""Files of other tokenizers: a setting that would change ids or text is refused by its name, and what is accepted gives
what the `tokenizers` library gives."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Rust
from tricky import TRICKY

from minids.errors import MinidsError
from minids.text import chat
from minids.text.tokenizer import DEFAULT_SPECIALS, EOS, Tokenizer


@pytest.fixture(scope="module")
def small():
    return Tokenizer.train("one and two and three, the other hello 123 4567 naïve é ü <a> " * 30, 330)


def read(folder, content):
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return Tokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    "where, key, value",
    [
        ("model", "ignore_merges", True),
        ("model", "end_of_word_suffix", "</w>"),
        ("model", "dropout", 0.1),
        ("model", "continuing_subword_prefix", "##"),
        ("model", "dropout", True),
        ("model", "new_setting", 1),
        ("model", "ignore_merges", "yes"),
        ("added", "lstrip", True),
        ("added", "rstrip", True),
        ("added", "single_word", True),
        ("added", "new_flag", True),
        ("file", "new_part", {}),
        ("file", "truncation", {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}),
        ("file", "padding", {"strategy": {"Fixed": 9}}),
        ("file", "decoder", None),
        ("file", "decoder", {"type": "Metaspace"}),
        ("file", "decoder", {"type": "Fuse"}),
        ("file", "post_processor", {"type": "BertProcessing", "sep": ["a", 1], "cls": ["b", 2]}),
        ("file", "normalizer", {"type": "NFKC"}),
        ("file", "normalizer", {"type": "Sequence", "normalizers": [{}]}),
        ("file", "pre_tokenizer", {"type": "Whitespace"}),
    ],
)
def test_settings_that_change_ids_are_refused_by_name(small, tmp_path, where, key, value):
    content = json.loads(small.to_json())
    {"model": content["model"], "added": content["added_tokens"][3], "file": content}[where][key] = value
    with pytest.raises(MinidsError, match="another way" if key in ("normalizer", "pre_tokenizer") else key) as error:
        read(tmp_path, content)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    "where, key, value",
    [
        ("model", "unk_token", "<unk>"),
        ("model", "fuse_unk", True),
        ("model", "byte_fallback", True),
        ("model", "continuing_subword_prefix", ""),
        ("model", "end_of_word_suffix", ""),
        ("model", "dropout", 0.0),
        (
            "file",
            "post_processor",
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        ),
        (
            "file",
            "decoder",
            {
                "type": "Sequence",
                "decoders": [
                    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
                ],
            },
        ),
    ],
)
def test_settings_that_cannot_matter_are_let_through(small, tmp_path, where, key, value):
    content = json.loads(small.to_json())
    {"model": content["model"], "file": content}[where][key] = value
    ours, theirs = read(tmp_path, content), Rust.from_file(str(tmp_path / "tokenizer.json"))
    for text in TRICKY[:-1]:
        assert ours.encode(text, allow_special=True) == theirs.encode(text, add_special_tokens=False).ids


WORDS = [
    "<a>",
    "a",
    "b<",
    "<",
    "é",
    "Ġx",
    "the",
    "1",
    "ab c",
    "\n",
    "> ",
    "<think",
    "think>",
    "<|end|>",
    "中",
    "",
    "naïve",
]
TOKENS = st.fixed_dictionaries(
    {
        "content": st.sampled_from(WORDS),
        "normalized": st.booleans(),
        "special": st.booleans(),
        "single_word": st.sampled_from([False] * 9 + [True]),
        "lstrip": st.sampled_from([False] * 9 + [True]),
        "rstrip": st.sampled_from([False] * 9 + [True]),
        "at": st.integers(0, 9),
        "shift": st.sampled_from([0] * 9 + [1]),
    }
)
TEXTS = st.lists(
    st.sampled_from([*WORDS, *DEFAULT_SPECIALS, " ", "  ", "one", "and two", "347", "1234567", "\r\n", "ü", "🙂", "'s"])
    | st.text(max_size=6),
    max_size=8,
).map("".join)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    more=st.lists(TOKENS, max_size=4),
    drop=st.integers(0, 9),
    texts=st.lists(TEXTS, min_size=3, max_size=6),
    order=st.randoms(use_true_random=False),
    change=st.sampled_from([None, "shuffle", "vocab", "merge", "twice"]),
)
def test_what_is_accepted_gives_the_ids_and_the_text_of_tokenizers(
    small, tmp_path_factory, more, drop, texts, order, change
):
    content = json.loads(small.to_json())
    added, vocab, merges = content["added_tokens"], content["model"]["vocab"], content["model"]["merges"]
    for token in added[drop:]:  # they leave the vocabulary for ids behind it, as in DeepSeek's file
        del vocab[token["content"]]
    vocab = content["model"]["vocab"] = {text: i for i, text in enumerate(vocab)}
    if change == "vocab":
        vocab["zq"] = len(vocab)  # cannot be reached by any merge
    if change == "merge":
        merges.append(["z", "q"])
        vocab["zq"] = len(vocab)
    if change == "twice":
        merges.append(merges[0])
    for token in more:
        added.insert(min(token["at"], len(added)), {k: v for k, v in token.items() if k not in ("at", "shift")})
    if change == "shuffle":
        order.shuffle(added)
    following = len(vocab)
    for token in added:
        token["id"] = vocab.get(token["content"], following)
        following += token["content"] not in vocab
    for token, (_, shift) in zip(added, [(t, t["shift"]) for t in more]):
        token["id"] += shift
    folder = tmp_path_factory.mktemp("foreign")
    try:
        ours = read(folder, content)
    except MinidsError:
        return
    theirs = Rust.from_file(str(folder / "tokenizer.json"))
    assert ours.vocab_size == theirs.get_vocab_size()
    for text in texts:
        ids = theirs.encode(text, add_special_tokens=False).ids
        assert ours.encode(text, allow_special=True) == ids
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)
        assert ours.encode_batch([text], allow_special=True)[0] == ids
        assert ours.decode(ours.encode(text)) == text
    ours.save_pretrained(folder / "again")
    again = Tokenizer.from_pretrained(folder / "again")
    assert [again.encode(t, allow_special=True) for t in texts] == [ours.encode(t, allow_special=True) for t in texts]


# -- the exported chat template ----------------------------------------------------------------------------------------

ODD = ["", " ", "\n", "2", " 2 ", "\n2\n", "\t2 \u00a0", "2\n3", "\u2028x", "a  b", "é\r\n"]
REPLIES = [
    "{}",
    "<answer>{}</answer>",
    "<think>\neasy\n</think>\n<answer>{}</answer>",
    "<think>x</think>{}",
    " <think></think> <answer>{}</answer> ",
    "<think>a</think>\n\n<answer>{}</answer>\n",
    "<answer>1</answer><answer>{}",
    "<think>a</think>b</think><answer>{}</answer> and more",
    "</think></answer>{}",
    "<answer><answer>{}</answer></answer>",
]


@pytest.fixture(scope="module")
def theirs(small, tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("exported")
    small.save_pretrained(folder)
    return transformers.AutoTokenizer.from_pretrained(folder)


def messages(turns, question):
    pairs = [({"role": "user", "content": q}, {"role": "assistant", "content": a}) for q, a in turns]
    return [m for pair in pairs for m in pair] + [{"role": "user", "content": question}]


@settings(max_examples=100, deadline=None)
@given(
    question=st.sampled_from(ODD) | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    turns=st.lists(st.tuples(st.sampled_from(ODD), st.sampled_from(REPLIES), st.sampled_from(ODD)), max_size=3),
)
def test_the_template_renders_the_text_of_prompt_ids(small, theirs, question, turns):
    turns = [(asked, reply.format(answer)) for asked, reply, answer in turns]
    rendered = theirs.apply_chat_template(messages(turns, question), tokenize=False, add_generation_prompt=True)
    ids = chat.prompt_ids(small, question, [(asked, chat.earlier(reply)) for asked, reply in turns])
    assert rendered.encode() == small.decode_bytes(ids)
    texts = [question, *(asked for asked, _ in turns), *(chat.earlier(reply) for _, reply in turns)]
    if not any(mark in text for text in texts for mark in DEFAULT_SPECIALS):
        assert theirs.apply_chat_template(messages(turns, question), add_generation_prompt=True)["input_ids"] == ids


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("answer", ODD)
def test_an_earlier_answer_is_the_one_that_is_read(reply, answer):
    """Where a reply is well formed, what the next prompt repeats is what `parse` read."""
    text = reply.format(answer)
    read = chat.parse(text)
    if read.well_formed:
        assert chat.earlier(text) == read.answer
    assert chat.earlier(chat.earlier(text)) == chat.earlier(text)


def test_a_document_of_two_turns_is_the_template_of_its_messages(small, theirs):
    turns = [("1+1?", "<think>\neasy\n</think>\n<answer>2</answer>"), ("2+2?", "<answer>4</answer>")]
    rendered = theirs.apply_chat_template(messages(turns, "x")[:-1], tokenize=False)
    assert rendered == small.decode(chat.prompt_ids(small, "", [("1+1?", "2"), ("2+2?", "4")])).removesuffix(
        "<｜User｜><｜Assistant｜>"
    )
    assert rendered.endswith(EOS)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {"role": "assistant", "content": None},
        {"role": "user", "content": 3},
    ],
    ids=str,
)
def test_messages_that_the_template_has_no_place_for_are_refused(theirs, message):
    with pytest.raises(Exception, match="minids has"):
        theirs.apply_chat_template([message], tokenize=False)
