"""generation_config.json: what the makers of a model say about how it is sampled.

    eos_token_id                        more tokens that end a text, beside those of config.json: all of them stop
    do_sample, temperature, top_k,      how `minids chat` samples where the command says nothing; without do_sample the
    top_p, max_new_tokens               likeliest token is taken, as transformers does

Evaluation measures at temperature 0 and 1 whatever a folder says, and functions (`generate`, `stream`) have defaults of
their own. A key that is missing is off; transformers would cut to the 50 likeliest tokens where top_k is missing.

Left out: every other way to choose tokens (beams, penalties, min_p). A file that asks for one is read without it, and
says so.
"""

import warnings
from dataclasses import replace
from pathlib import Path

from minids.errors import MinidsError
from minids.files import brief, load_json
from minids.model.sampling import check_settings, whole

NAME = "generation_config.json"
# What the others have to be to change nothing.
OFF = {
    "repetition_penalty": 1,
    "encoder_repetition_penalty": 1,
    "no_repeat_ngram_size": 0,
    "num_beams": 1,
    "typical_p": 1,
    "num_beam_groups": 1,
    "penalty_alpha": 0,
    "min_p": 0,
    "epsilon_cutoff": 0,
    "eta_cutoff": 0,
    "diversity_penalty": 0,
    "bad_words_ids": None,
    "force_words_ids": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "sequence_bias": None,
    "stop_strings": None,
    "min_length": 0,
    "min_new_tokens": 0,
    "guidance_scale": 1,
}


def read(folder):
    """-> {"temperature", "top_k", "top_p", "max_new_tokens" (None: not said), "stop_ids", "left_out": keys of OFF that
    ask for something}. MinidsError names the file."""
    path = Path(folder) / NAME
    values = load_json(path, "Copy it again, or delete it.") if path.exists() else {}
    said = {key: value for key, value in values.items() if value is not None}
    most, stop = said.get("max_new_tokens"), said.get("eos_token_id", [])
    try:
        if not isinstance(said.get("do_sample", False), bool):
            raise MinidsError(f"do_sample must be true or false, got {brief(said['do_sample'])}")
        temperature, top_k, top_p = said.get("temperature", 1.0), said.get("top_k", 0), said.get("top_p", 1.0)
        check_settings(temperature, top_k, top_p, greedy=True)
        if most is not None and (not whole(most) or most < 1):
            raise MinidsError(f"max_new_tokens must be a whole number above 0, got {brief(most)}")
        stop = stop if isinstance(stop, list) else [stop]
        if not all(map(whole, stop)):
            raise MinidsError(f"eos_token_id must be an integer or a list of some, got {brief(said['eos_token_id'])}")
    except MinidsError as error:
        raise MinidsError(f"{path}: {error}. Mend it, or delete the file.") from None
    return {
        "temperature": temperature if said.get("do_sample", False) else 0.0,
        "top_k": top_k,
        "top_p": top_p,
        "max_new_tokens": most,
        "stop_ids": stop,
        "left_out": sorted(k for k in OFF.keys() & said if said[k] != OFF[k]),
    }


def with_stop_ids(config, folder):
    """The model's config with the stop tokens of the folder's file among its own. Raises MinidsError for stop tokens
    that are no ids of the model."""
    stop = read(folder)["stop_ids"]
    more = [token for token in dict.fromkeys(stop) if token not in config.stop_ids]
    if not more:
        return config
    own = config.eos_token_id if isinstance(config.eos_token_id, list) else sorted(config.stop_ids)
    try:
        return replace(config, eos_token_id=[*own, *more])
    except MinidsError as error:
        raise MinidsError(f"{Path(folder) / NAME}: {error}") from None


def for_chat(folder):
    """The settings of `read` that a chat takes; notes what it cannot do."""
    found = read(folder)
    if found["left_out"]:
        warnings.warn(
            f"{Path(folder) / NAME}: {', '.join(found['left_out'])} asked for, which minids does not do; sampled "
            "without.",
            stacklevel=2,
        )
    return {key: found[key] for key in ("temperature", "top_k", "top_p", "max_new_tokens")}
