# SPDX-License-Identifier: Apache-2.0
import re
import sys

import pytest

import nono_py


def test_the_two_agree() -> None:
    assert nono_py.support_info().is_supported is nono_py.is_supported()


def test_representation() -> None:
    info = nono_py.support_info()
    text = "true" if info.is_supported else "false"
    assert repr(info) == str(info) == f"SupportInfo(supported={text}, platform='{info.platform}')"


@pytest.mark.skipif(sys.platform != "linux", reason="the texts of Linux")
def test_details() -> None:
    info = nono_py.support_info()
    assert info.platform == "linux"
    if info.is_supported:
        assert re.match(r"Landlock available \(Landlock V\d+, features: Basic filesystem access control", info.details)
    else:
        assert info.details == "Landlock not available. Requires Linux kernel 5.13+ with Landlock enabled."
