# SPDX-License-Identifier: Apache-2.0
"""Random texts: platform rules and saved states."""

import json
from pathlib import Path
from typing import Any

import tree
from hypothesis import strategies as st

texts = st.text(st.characters(codec="utf-8"), max_size=6)

RULE_WORDS = (
    *("allow", "deny", "ALLOW", "file-read*", "file-write*", "file-read-data", "file*", "default", "*", "network*"),
    *("network-outbound", "mach-lookup", "process-exec*", "process*", "subpath", "literal", "regex", "prefix", "with"),
    *("report", "no-sandbox", "require-any", "require-all", "require-not", "global-name", "version", "debug", "1"),
    *("import", "eval", "define", "let", "let*", "lambda", "load", "quote", "set!", "exit", "if", "#t", "#", "#("),
    *("'x", "caf\u00e9", "a;b", "a#b", "a,b", ".", "x\0", "\x0b", "\u00a0", "%x", "a::b", "w" * 129, "/"),
)
RULE_STRINGS = (
    *('"/"', '"//"', '"/."', '"/opt"', '"/opt/../.."', '"\\/"', '""', '"^/"', '"^/opt/"', '"^/.*"', '"com.apple.x"'),
    *('"("', '")"', '"a("', '"\\("', '"\\n"', '"\\x2f"', '"\\\\"', '"${HOME}"', '#"^/opt/"', '#"^/"', '#"\\."', '"x'),
)
RULE_SPACES = (
    *(" ", " ", " ", "", "\n", "\f", "\t", "\r\n", "\x0b", "\u00a0"),
    *(";c\n", ";\r(", "#||#", "#|c|#", "#|#", "#|a#b|#"),
)
RULES = (
    *("(version 1)", "(debug deny)", "()", "(x)(y)", "(x) y", "x", "", " (x)", "(x", "x)", ")(", "\ufeff(x)"),
    *('(x ")"', '(x "(" )', '(allow file-read* (subpath "/opt"))', '(allow file-read* (subpath "/"))'),
    *('(allow mach-lookup (global-name "com.apple.system.logger"))', "(deny network*)", "(allow network*)"),
    *('(allow file-write*(subpath "/"))', '(x "allow" "file-read*" "subpath" "/")', "(allow process-fork)"),
)


def rules() -> st.SearchStrategy[str]:
    words = st.sampled_from(RULE_WORDS)
    strings = st.sampled_from(RULE_STRINGS)
    spaces = st.sampled_from(RULE_SPACES)
    atoms = st.one_of(words, words, strings)

    def lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds(lambda space, parts: f"({space.join(parts)})", spaces, st.lists(items, max_size=4))

    def forms(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds(lambda head, rest: f"({head} {' '.join(rest)})", words, st.lists(items, max_size=3))

    def grants(filters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        some = st.lists(filters, max_size=2)
        return st.builds(lambda operation, parts: f"(allow {operation} {' '.join(parts)})", words, some)

    nested = st.recursive(atoms, lambda items: lists(items) | forms(items), max_leaves=8)
    filters = st.builds(lambda head, value: f"({head} {value})", words, strings)
    soup = st.lists(st.one_of(atoms, spaces, st.sampled_from("()"), texts), max_size=8).map("".join)
    return st.one_of(st.sampled_from(RULES), lists(nested), forms(nested), grants(filters), soup.map("({})".format))


SAVED_LINKS = {"ld": "d", "lf": "f.txt", "absolute": "d"}
SAVED_FILES = (*tree.FILES, "lf")
SAVED_NAMES = (*tree.DIRECTORIES, *SAVED_FILES, *SAVED_LINKS, "nope")
JSON_PIECES = ("", *'[]{},:"\\0-.e\n', "\\u12", "\\ud800", "null", "tru", "1e999", "\0", "\ufeff")


def saved_grants(root: Path) -> st.SearchStrategy[dict[str, Any]]:
    def entry(name: str, access: str) -> dict[str, Any]:
        resolved = SAVED_LINKS.get(name, name)
        return {"original": name, "resolved": f"{root}/{resolved}", "access": access, "is_file": name in SAVED_FILES}

    accesses = st.sampled_from(("read", "write", "read+write", "read", "Read", ""))
    return st.builds(entry, st.sampled_from(SAVED_NAMES), accesses)


def states(root: Path) -> st.SearchStrategy[str]:
    """Saved states: good ones, ones with a flaw, and text of any kind."""
    leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
    values = st.recursive(leaves, lambda items: st.lists(items, max_size=3) | st.dictionaries(texts, items, max_size=3))
    good = saved_grants(root)
    fields = st.sampled_from(("original", "resolved", "access", "is_file", "x"))
    flawed = st.builds(lambda entry, field, value: {**entry, field: value}, good, fields, values)
    entries = st.lists(st.one_of(good, good, flawed, values, good.map(lambda entry: list(entry.values()))), max_size=3)
    extras = {"x": values, "allowed_commands": values, "platform_rules": st.lists(rules(), max_size=1)}
    roots = st.one_of(
        st.fixed_dictionaries({"fs": st.lists(good, max_size=3), "net_blocked": st.booleans()}),
        st.fixed_dictionaries({"fs": entries, "net_blocked": st.booleans() | values}, optional=extras),
        st.tuples(entries, st.booleans()),
        values,
    )
    documents = st.builds(lambda value, indent: json.dumps(value, indent=indent), roots, st.sampled_from((None, 1)))
    pieces = st.one_of(st.sampled_from(JSON_PIECES), texts)

    def replace(text: str, position: int, length: int, piece: str) -> str:
        start = position % (len(text) + 1)
        return text[:start] + piece + text[start + length :]

    mutated = st.builds(replace, documents, st.integers(0, 400), st.integers(0, 3), pieces)
    return st.one_of(documents, documents, mutated, st.lists(pieces, max_size=8).map("".join))
