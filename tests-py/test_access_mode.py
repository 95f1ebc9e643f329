# SPDX-License-Identifier: Apache-2.0
import operator

import pytest

from nono_py import AccessMode, CapabilitySet

R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE

TABLE = [
    (R, "AccessMode.READ", "read", 0, -4800647303603446203),
    (W, "AccessMode.WRITE", "write", 1, 2206609067086327257),
    (RW, "AccessMode.READ_WRITE", "read+write", 2, -6569889354672326634),
]


@pytest.mark.parametrize(("mode", "representation", "text", "number", "fixed_hash"), TABLE)
def test_table(mode: AccessMode, representation: str, text: str, number: int, fixed_hash: int) -> None:
    assert repr(mode) == representation
    assert str(mode) == f"{mode}" == format(mode) == "%s" % mode == text  # noqa: UP031
    assert int(mode) == number
    assert hash(mode) == fixed_hash


def test_equality() -> None:
    modes = [R, W, RW]
    for i, one in enumerate(modes):
        for j, other in enumerate(modes):
            assert (one == other) == (i == j)
            assert (one != other) == (i != j)


@pytest.mark.parametrize("other", [0, "read", None, "AccessMode.READ", 0.0, False, object()])
def test_equals_nothing_else(other: object) -> None:
    assert (R == other) is False  # noqa: SIM300
    assert (R != other) is True  # noqa: SIM300
    assert R.__eq__(other) is NotImplemented
    assert R.__ne__(other) is NotImplemented


@pytest.mark.parametrize("operation", [operator.lt, operator.le, operator.gt, operator.ge])
def test_has_no_order(operation: object) -> None:
    assert callable(operation)
    with pytest.raises(TypeError, match=r"not supported between instances of 'nono_py\.AccessMode'"):
        operation(R, W)
    with pytest.raises(TypeError, match="not supported between instances"):
        sorted([R, W])  # type: ignore[type-var]


def test_as_key() -> None:
    caps = CapabilitySet()
    caps.allow_path("/", R)
    assert {R: "r", W: "w", RW: "rw"}[caps.fs_capabilities()[0].access] == "r"


def test_through_instances() -> None:
    assert R.WRITE is AccessMode.WRITE
    assert AccessMode.READ is AccessMode.READ


def test_is_no_number_and_no_enum() -> None:
    with pytest.raises(TypeError):
        operator.index(R)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        float(R)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        R | W  # type: ignore[operator]
    for name in ("name", "value", "__members__"):
        assert not hasattr(R, name)


def test_has_no_format_codes() -> None:
    with pytest.raises(TypeError, match=r"unsupported format string passed to nono_py\.AccessMode\.__format__"):
        format(R, ">10")


def test_constants_can_be_removed_and_the_module_goes_on() -> None:
    caps = CapabilitySet()
    caps.allow_path("/", R)
    del AccessMode.READ
    try:
        assert not hasattr(AccessMode, "READ")
        assert repr(caps.fs_capabilities()[0].access) == "AccessMode.READ"
    finally:
        AccessMode.READ = R
