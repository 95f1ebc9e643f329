# SPDX-License-Identifier: Apache-2.0
"""Random programs."""

from itertools import chain
from pathlib import Path
from typing import Any

import tree
from hypothesis import strategies as st
from programs import READ, READ_WRITE, WRITE, Code, Program, Step
from text_strategies import rules, states, texts

ODD_PATHS = (
    *("", ".", "..", "/", "//", "///tmp//", "/tmp", "/etc/passwd", "/dev/null", "~", "~root", " d", "d ", "\t"),
    *("\0", "d\0", "d/\0/sub", "x" * 255, "x" * 256, "x" * 5000, "part/" * 819, "part/" * 900, "d/../" * 700 + "d"),
    *("\udcff", "\ud800", tree.NOT_TEXT, f"{tree.NOT_TEXT}/nope", "\u202ed", "\ufeffd", "\U0001f512", "CAFE\u0301"),
    *(
        "d/nope/../../../../etc/passwd",
        "nope/../d",
        "dangling/../d",
        "f.txt/../d",
        "lf/",
        "f.txt/.",
        "ld/..",
        "ld/../d",
    ),
    *(b"d", b"", b"byt\xe9s", Code("Path('d')"), Code("Path('nope')")),
)
# Few enough for the grants and questions of a program to meet.
COMMON_PATHS = (
    *("d", "d", "d/sub", "d/f.txt", "d/f.txt", "ld", "ld/f.txt", "f.txt", "lf", "."),
    *("other", "d/new", "ld/new", "d/inner/new", "lbytes", "absolute"),
)
NAMES = (*tree.DIRECTORIES, *tree.FILES, *tree.LINKS, "absolute", "fifo", "nope")
PREFIXES = ("", "", "./", "../tree/", "{root}/", "/{root}/", "{root}/up/tree/")
# Names in the tree itself: behind a link that has been changed could be anything.
CHANGED = ("d", "ld", "lf", "f.txt", "other", "chain", "nope")
TARGETS = ("d", "other", "f.txt", "nowhere", "d/sub", "..", "/", "loop", "/etc/passwd")
COMMANDS = ("ls", "", "rm -rf /", "caf\u00e9", "a\0b", "\n", "\udcff")

CALLABLES = (
    *("CapabilitySet", "QueryContext", "AccessMode", "FsCapability", "SandboxState", "SupportInfo", "CapabilitySource"),
    *("caps.allow_path", "caps.allow_file", "caps.path_covered", "caps.platform_rule", "caps.allow_command"),
    *("caps.block_network", "caps.summary", "caps.fs_capabilities", "caps.deduplicate", "context.query_path"),
    *("context.query_network", "state.to_json", "state.to_caps", "SandboxState.from_json", "SandboxState.from_caps"),
    *("CapabilitySource.user", "CapabilitySource.group", "CapabilitySource.system", "is_supported", "support_info"),
    *(
        "CapabilitySet.summary",
        "CapabilitySet.allow_path",
        "AccessMode.READ",
        "copy.copy",
        "pickle.dumps",
        "len",
        "iter",
    ),
)
ODD_ARGUMENTS = (b"d", b"", 1, True, None, 1.5, Code("caps"), Code("state"), Code("object()"), Code("bytearray(b'd')"))
SUBCLASS = Code("type('Text', (str,), {})('d')")
KEYWORDS = ("path", "mode", "cmd", "rule", "caps", "json", "name", "z")

EXPRESSIONS = (
    *("caps", "more", "state", "caps.summary()", "more.summary()", "caps.is_network_blocked", "state.net_blocked"),
    *("caps.fs_capabilities()", "more.fs_capabilities()", "state.to_json()", "context.query_network()"),
    *("SandboxState.from_caps(caps).to_json()", "SandboxState.from_caps(more)", "is_supported()", "support_info()"),
    *("nono_py.__version__", "[item.access is AccessMode.READ for item in caps.fs_capabilities()]", "bool(caps)"),
    *("CapabilitySource.user()", "CapabilitySource.system()", "caps == caps", "caps == more", "caps.nothing"),
    *("AccessMode.READ.nothing", "AccessMode.READ.WRITE", "hash(AccessMode.WRITE)", "object.__new__(CapabilitySet)"),
    *("int(AccessMode.READ_WRITE)", "'%s' % AccessMode.READ_WRITE", "f'{AccessMode.READ:>10}'", "caps.__init__(1)"),
    *("copy.deepcopy(caps)", "weakref.ref(state)", "pickle.dumps(caps, 0)", "setattr(caps, 'x', 1)", "CapabilitySet"),
    *("setattr(state, 'net_blocked', True)", "delattr(caps, 'is_network_blocked')", "type('X', (CapabilitySet,), {})"),
    *("{AccessMode.READ: 1}[AccessMode.READ]", "sorted([AccessMode.READ, AccessMode.WRITE])", "nono_py.__all__"),
    *("inspect.signature(CapabilitySet.allow_path)", "inspect.signature(apply)", "inspect.signature(AccessMode)"),
    *(
        "[name for name in dir(kind) if name[0] != '_']".replace("kind", kind)
        for kind in ("CapabilitySet", "AccessMode")
    ),
    *(
        "nono_py._nono_py.__all__",
        "CapabilitySet.__name__",
        "apply.__module__",
        "caps.summary.__self__",
        "repr(context).split()[0]",
    ),
)

modes = st.sampled_from((READ, WRITE, READ_WRITE))
sets = st.sampled_from(("caps", "caps", "more"))

SNAPSHOTS = st.sampled_from(
    (
        Step("QueryContext", (Code("caps"),), name="context"),
        Step("SandboxState.from_caps", (Code("caps"),), name="state"),
        Step("SandboxState.from_caps(caps).to_json", ()),
        Step("caps.fs_capabilities", ()),
        Step("caps.summary", ()),
        Step("caps.deduplicate", ()),
        Step("caps.block_network", ()),
    )
)
RESTORED = st.sampled_from(
    (
        Step("state.to_caps", (), name="more"),
        Step("SandboxState.from_caps(caps).to_caps", (), name="more"),
        *map(Step, ("state", "state.to_json()", "more", "more.fs_capabilities()", "more.summary()")),
    )
)


def spellings(root: Path) -> st.SearchStrategy[Any]:
    """Ways to write a path, most of which lead somewhere."""
    names = st.sampled_from(NAMES)
    common = st.sampled_from(COMMON_PATHS)
    parts = st.lists(st.one_of(names, names, st.sampled_from(("..", ".", "", "sub", "f.txt", "x" * 256))), max_size=4)
    joined = st.builds(
        lambda prefix, slash, components, suffix: prefix.format(root=root) + slash.join(components) + suffix,
        st.sampled_from(PREFIXES),
        st.sampled_from(("/", "/", "//", "/./")),
        parts,
        st.sampled_from(("", "", "/", "/.", "/..", "/nope")),
    )
    absolute = common.map(lambda path: f"{root}/{path}")
    return st.one_of(common, common, common, absolute, names, joined, joined, st.sampled_from(ODD_PATHS), texts)


def calls(method: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(lambda caps, values: Step(f"{caps}.{method}", values), sets, st.tuples(*arguments))


def grants(paths: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    directories = calls("allow_path", paths, modes)
    return st.one_of(directories, directories, calls("allow_file", paths, modes))


def questions(paths: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    contexts = st.sampled_from(("context", "QueryContext(caps)", "QueryContext(caps)", "QueryContext(more)"))
    queries = st.builds(lambda context, path, mode: Step(f"{context}.query_path", (path, mode)), contexts, paths, modes)
    return st.one_of(queries, queries, calls("path_covered", paths))


def changes() -> st.SearchStrategy[Step]:
    """Of what is in the tree."""
    changed = st.sampled_from(CHANGED)
    makers = st.sampled_from(("remove", "make_file", "make_directory"))
    return st.one_of(
        st.builds(lambda name, target: Step("relink", (name, target)), changed, st.sampled_from(TARGETS)),
        st.builds(lambda function, name: Step(function, (name,)), makers, changed),
    )


def extras() -> st.SearchStrategy[Step]:
    commands = st.sampled_from(COMMANDS)
    ruled = calls("platform_rule", rules())
    return st.one_of(ruled, ruled, ruled, calls("allow_command", commands), calls("block_command", commands))


def argument_steps(paths: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """Calls with any number of any arguments."""
    values = st.one_of(paths, modes, st.sampled_from((*ODD_ARGUMENTS, SUBCLASS)))
    return st.builds(
        lambda function, args, keywords: Step(function, tuple(args), tuple(keywords.items())),
        st.sampled_from(CALLABLES),
        st.lists(values, max_size=3),
        st.dictionaries(st.sampled_from(KEYWORDS), values, max_size=2),
    )


def phases(*steps: st.SearchStrategy[Step]) -> st.SearchStrategy[Program]:
    """Some steps of each kind, one kind after the other."""
    return st.tuples(*(st.lists(kind, min_size=1, max_size=5) for kind in steps)).map(
        lambda lists: tuple(chain(*lists))
    )


def programs(root: Path) -> st.SearchStrategy[Program]:
    """Each about one subject, for its steps to have to do with each other, or about all."""
    paths = spellings(root)
    near = st.sampled_from(COMMON_PATHS)
    loads = st.builds(lambda text: Step("SandboxState.from_json", (text,), name="state"), states(root))
    others = st.one_of(argument_steps(paths), st.sampled_from(EXPRESSIONS).map(Step))
    everything = st.one_of(grants(paths), questions(paths), SNAPSHOTS, RESTORED, changes(), loads, extras(), others)
    return st.one_of(
        phases(grants(paths), SNAPSHOTS, questions(paths)),
        phases(grants(near), SNAPSHOTS, questions(near)),
        phases(grants(near), SNAPSHOTS, changes(), questions(near)),
        phases(grants(near), extras(), SNAPSHOTS, changes(), RESTORED),
        phases(loads, RESTORED, questions(near)),
        phases(extras(), SNAPSHOTS, RESTORED),
        phases(others, others),
        phases(everything, everything, everything),
    )
