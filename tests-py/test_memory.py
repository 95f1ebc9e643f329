# SPDX-License-Identifier: Apache-2.0
"""Nothing grows, however often a call is made, succeeds or fails. Each loop runs in a child, alone with its memory."""

import sys

import pytest
from conftest import RunChild

from nono_py import AccessMode, CapabilitySet

# Grows by some pages while allocators warm up; a leak of one small string per round is ten times that.
MEASURE = """
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def refuse(action, *arguments, **keywords):
    try:
        action(*arguments, **keywords)
    except (OSError, TypeError, ValueError):
        return
    raise AssertionError("it was to fail")

def measure(action, rounds=20_000):
    import gc
    for _ in range(2_000):
        action()
    gc.collect()
    references = getattr(sys, "gettotalrefcount", lambda: 0)()
    before = resident()
    for _ in range(rounds):
        action()
    gc.collect()
    assert resident() - before < 300_000, resident() - before
    assert getattr(sys, "gettotalrefcount", lambda: 0)() - references < 50

caps = CapabilitySet()
caps.allow_path("/usr", R)
caps.allow_file("/dev/null", RW)
context = QueryContext(caps)
state = SandboxState.from_caps(caps)
text = state.to_json()
"""

ACTIONS = {
    "sets": "lambda: CapabilitySet().allow_path('/usr', R)",
    "paths": "lambda: CapabilitySet().allow_path(b'/usr', mode=R)",
    "views": "lambda: [(c.original, c.resolved, c.access, c.source, repr(c), str(c)) for c in caps.fs_capabilities()]",
    "summaries": "lambda: (caps.summary(), repr(caps), caps.path_covered('/usr/bin'))",
    "profiles": "lambda: caps.seatbelt_profile()",
    "queries": "lambda: QueryContext(caps).query_path('/usr/bin', mode=R)",
    "denied queries": "lambda: (context.query_path('/usr', W), context.query_path('/nowhere', W))",
    "network queries": "lambda: context.query_network()",
    "states": "lambda: (SandboxState.from_caps(caps), state.to_json(), repr(state), state.net_blocked)",
    "restored states": "lambda: SandboxState.from_json(text).to_caps()",
    "sources": "lambda: [str(CapabilitySource.group('g')), repr(CapabilitySource.user()), CapabilitySource.system()]",
    "modes": "lambda: (repr(R), str(R), hash(R), int(R), R == W, R != 1)",
    "support": "lambda: (is_supported(), support_info().details, repr(support_info()))",
    "missing paths": "lambda: refuse(caps.allow_path, '/nowhere', R)",
    "unresolved paths": "lambda: refuse(caps.allow_path, '/dev/null/x', R)",
    "paths of another kind": "lambda: refuse(caps.allow_file, '/usr', R)",
    "wrong paths": "lambda: refuse(caps.allow_path, 1, R)",
    "wrong modes": "lambda: refuse(caps.allow_path, '/usr', 1)",
    "wrong mode in a query": "lambda: refuse(context.query_path, '/usr', 1)",
    "surrogates": "lambda: (refuse(caps.allow_path, '\\ud800', R), refuse(CapabilitySource.group, '\\ud800'))",
    "wrong calls": "lambda: (refuse(CapabilitySet, 1), refuse(QueryContext, z=1), refuse(QueryContext, 1))",
    "missing arguments": "lambda: (refuse(caps.allow_path), refuse(caps.allow_path, path='/', z=1))",
    "wrong constructors": "lambda: refuse(AccessMode)",
    "wrong rules": "lambda: refuse(caps.platform_rule, 'x')",
    "wrong states": "lambda: refuse(SandboxState.from_json, '{')",
    "states that do not fit": "lambda: refuse(SandboxState.from_json(text.replace('usr', 'us')).to_caps)",
}


@pytest.mark.parametrize("name", ACTIONS)
def test_nothing_grows(run_child: RunChild, name: str) -> None:
    run_child(f"{MEASURE}\nmeasure({ACTIONS[name]})")


def test_constants_are_not_used_up() -> None:
    # Matters before Python 3.12, and there with a stable-ABI build by a later one.
    caps = CapabilitySet()
    for constant, action in (
        (None, caps.block_network),
        (None, lambda: caps.allow_path("/", AccessMode.READ)),
        (NotImplemented, lambda: AccessMode.READ.__eq__(1)),
        (True, lambda: caps.is_network_blocked),
        (False, lambda: AccessMode.READ == AccessMode.WRITE),
    ):
        before = sys.getrefcount(constant)
        for _ in range(1000):
            action()
        assert abs(sys.getrefcount(constant) - before) < 100


def test_the_module_can_be_collected(run_child: RunChild) -> None:
    code = """
    import gc, nono_py, weakref
    types = [weakref.ref(getattr(nono_py, name)) for name in nono_py.__all__[:7]]
    for name in [*nono_py.__all__, "R", "W", "RW"]:
        del globals()[name]
    del nono_py, sys.modules["nono_py"], sys.modules["nono_py._nono_py"]
    gc.collect()
    print([reference() for reference in types if reference() is not None])
    """
    assert run_child(code) == "[]"


def test_the_module_can_be_imported_anew(run_child: RunChild) -> None:
    code = """
    import gc, importlib
    first = sys.modules.pop("nono_py._nono_py")
    del sys.modules["nono_py"]
    second = importlib.import_module("nono_py._nono_py")
    assert first is not second
    try:
        second.QueryContext(first.CapabilitySet())
    except TypeError as error:
        print(error)
    print(second.CapabilitySet())
    """
    assert run_child(code).splitlines() == [
        "argument 'caps': 'CapabilitySet' object cannot be converted to 'CapabilitySet'",
        "CapabilitySet(fs=0, network=allowed)",
    ]
