# SPDX-License-Identifier: Apache-2.0
"""Platform rules that one of the two accepts and the other refuses, by what ours says of them."""

import re
from dataclasses import dataclass

from programs import Case

PREFIX = "Sandbox initialization failed: platform rule "
ROOT_GRANT = re.escape(PREFIX) + "must not grant root-level (read|write) access"

# A string whose value is one parenthesis, which the original counts as that.
QUOTED_PARENTHESIS = re.compile(r'"\\?[()]"')


@dataclass(frozen=True)
class RuleDifference:
    """An entry of docs/differences.md; every rule shows it."""

    id: str
    message: str
    """What ours says, without the prefix: a regular expression."""
    rules: tuple[str, ...]

    def explains(self, case: Case) -> bool:
        refused = case.ours.raised[:1] == ("ValueError",)
        if not refused or re.fullmatch(re.escape(PREFIX) + self.message, case.ours.text, re.DOTALL) is None:
            return False
        return not case.original.raised


class RootGrant(RuleDifference):
    """Both may also refuse, on account of two parts of one rule."""

    def explains(self, case: Case) -> bool:
        both = re.fullmatch(ROOT_GRANT, case.original.text) and re.fullmatch(ROOT_GRANT, case.ours.text)
        return bool(both) or super().explains(case)


class QuotedParenthesis(RuleDifference):
    """The balance is another one. Where only the original sees none, ours may say anything else."""

    def explains(self, case: Case) -> bool:
        if QUOTED_PARENTHESIS.search(case.step.argument("rule", 0)) is None:
            return False
        unbalanced = PREFIX + "has unbalanced parentheses: "
        return case.ours.text.startswith(unbalanced) != case.original.text.startswith(unbalanced)


# The list of spellings of section A10 in reference/nono_py-0.4-oddities.md, and some more.
ROOT_GRANTS = (
    "(allow default)",
    "(allow file-read*)",
    '(allow file* (subpath "/"))',
    '(allow file-read* file-write* (subpath "/"))',
    '(allow file-read* (subpath "//"))',
    '(allow file-read* (subpath "/."))',
    '(allow file-read* (subpath "/opt/../.."))',
    '(allow file-read* (regex "^/"))',
    '(allow file-read* (literal "/"))',
    '(allow file-read* (subpath "/tmp") (subpath "/"))',
    '(allow file-read* (require-any (subpath "/")))',
    '(allow (with report) file-read* (subpath "/"))',
    '(ALLOW FILE-WRITE* (SUBPATH "/"))',
    '(allow file-read*#||#(subpath "/"))',
)

RULE_DIFFERENCES = (
    RootGrant("rule-root-grants", "must not grant root-level (read|write) access", ROOT_GRANTS[:-1]),
    RuleDifference(
        "rule-unfiltered-operations",
        "must not allow a group of operations, or the network, without a filter",
        ("(allow network*)", "(allow network-outbound)", "(allow mach*)"),
    ),
    RuleDifference("rule-unnamed-operations", "must name the operations that it allows", ('(allow (subpath "/opt"))',)),
    RuleDifference(
        "rule-computed-grants",
        r"must not use [^\\ ]+",
        (
            *('(import "system.sb")', "(eval x)", "(define x 1)", "(let ((x allow)) (x default))", "(lambda () 1)"),
            *('(load "x")', "(allow process-exec (with no-sandbox))", "(set! allow deny)", "(quote x)", "(exit)"),
        ),
    ),
    RuleDifference(
        "rule-grants-as-values", r"must not use \S+ as a value", ("(x allow)", "(x default)", "(x network*)")
    ),
    RuleDifference(
        "rule-odd-words",
        r"has an unsupported word: .*",
        ("(x 'y)", "(x #(y))", "(x y\x0bz)", "(x caf\u00e9)", "(x y;z\n)", '(x y"z")', "(x a::b)", f"(x {'y' * 129})"),
    ),
    RuleDifference("rule-string-escapes", r"must not use \\. in a string", ('(x "\\x2f")', '(x "\\n")', '(x #"\\\\")')),
    RuleDifference(
        "rule-odd-comments",
        r"has (# inside a block comment|a carriage return inside a comment)",
        ("(x #|a#b|#)", "(x ;y\rz\n)"),
    ),
    QuotedParenthesis("rule-quoted-parentheses", "", ('(x ")"', '(x "(")')),
)
