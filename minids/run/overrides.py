"""`--set section.key=value`: one change of a recipe. The value is TOML or JSON, or a plain word.

    grpo.steps=40                       a number; true and false; none (or null) where a setting may be None
    rl_from=base                        a text needs no quotes
    "families=['add', 'chain']"         a list or a table as TOML or JSON has it, quoted for the shell (see QUOTING)
    grpo.reward.format=0.1              one key of a table; the others stay as they are

Left out: keys with a dot in them; give the whole table instead.
"""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import fields

from minids.errors import MinidsError, did_you_mean
from minids.run import stages
from minids.settings import Settings, default_of, described, former_names, kinds_of

QUOTING = "put double quotes around the whole and single quotes inside, as in --set \"families=['add', 'chain']\""


def apply(values: dict, text: str, classes: Callable[[str], list[type]], sections: Sequence[str]) -> None:
    """Changes the values of a recipe as one `--set` says.

    classes     the classes whose fields are the keys of a section ("" for the keys above all sections)
    sections    the names of the sections that there are

    Raises MinidsError for a text without "=", a key that is none, and a value that is neither TOML nor JSON.
    """
    path, equals, value = text.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or not all(keys):
        raise MinidsError(f"--set {text!r}: write section.key=value, for example grpo.steps=40.")
    section = keys.pop(0) if len(keys) > 1 else ""
    known = {f.name: f for cls in classes(section) for f in fields(cls)}
    former = former_names(cls for cls in classes(section) if issubclass(cls, Settings))
    key = former.get(keys[0], keys[0])
    if len(keys) > 1:
        _check_table(text, section, key, known)
    try:
        new = _value(value, known.get(key) if len(keys) == 1 else None)
    except ValueError as error:
        raise MinidsError(f"--set {text!r}: the value is neither TOML nor JSON ({error}); {QUOTING}.") from None
    table = values if not section else _section(values, text, section, sections)
    if len(keys) == 1:
        table[key] = new
        return
    table[key] = _table(values, section, key, known[key])
    table = table[key]
    for name in keys[1:-1]:
        table[name] = dict(table[name]) if isinstance(table.get(name), dict) else {}
        table = table[name]
    table[keys[-1]] = new


def _section(values, text, section, sections):
    """The keys of a section, which the recipe need not have yet."""
    if section not in sections:
        hint = did_you_mean(section, sections)
        raise MinidsError(f"--set {text!r}: there is no section {section!r}.{hint} There are {', '.join(sections)}.")
    if not isinstance(values.setdefault(section, {}), dict):
        raise MinidsError(f"--set {text!r}: {section} is {values[section]!r} in this recipe, not a section with keys.")
    return values[section]


def _check_table(text, section, key, known):
    if key not in known:
        hint = did_you_mean(key, known, f" There are {', '.join(known)}." if known else "")
        raise MinidsError(f"--set {text!r}: section [{section}] has no key {key!r}.{hint}")
    if dict not in kinds_of(known[key]):
        raise MinidsError(f"--set {text!r}: {section}.{key} is no table; it must be {described(known[key])}.")


def _table(values, section, key, f):
    """What a table of a section holds now: in the recipe, in a section that it stands on, or by default."""
    below = (
        ["model"]
        if section == "small"
        else next((stages.sections(s.name) for s in stages.STAGES.values() if s.section == section), [])
    )
    for name in (section, *below):
        there = values.get(name)
        if isinstance(there, dict) and isinstance(there.get(key), dict):
            return dict(there[key])
    default = default_of(f)
    return dict(default) if isinstance(default, dict) else {}


def _value(text, f):
    """A value as TOML or JSON has it; else the text. Raises ValueError for half a list, table or quoted text."""
    text = text.strip()
    kinds = kinds_of(f) if f else ()
    if type(None) in kinds and text.lower() in ("none", "null"):
        return None
    value, problem = text, ""
    for read in (json.loads, _toml):
        try:
            value, problem = read(text), ""
            break
        except (ValueError, RecursionError) as error:
            problem = str(error)
    if problem and text[:1] in ("[", "{", '"', "'"):
        raise ValueError(problem)
    return text if kinds[:1] == (str,) and not isinstance(value, str) else value


def _toml(text):
    parsed = tomllib.loads(f"value = {text}")
    if parsed.keys() != {"value"}:
        raise ValueError("more than one value")
    return parsed["value"]
