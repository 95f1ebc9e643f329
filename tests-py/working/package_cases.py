# SPDX-License-Identifier: Apache-2.0
"""Packages and run-time libraries with thread pools of their own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from working.cases import NULL, PROGRAMS, PYTHON, case, restrict

SUM = """
#include <omp.h>
#include <stdio.h>
int main(void) {
    long sum = 0;
    #pragma omp parallel for reduction(+ : sum) num_threads(2)
    for (long i = 0; i < 1000; i++) sum += i;
    printf("%ld", sum);
}
"""


def sum_with_openmp(place: Path, **settings: str) -> bytes:
    (place / "sum.c").write_text(SUM)
    subprocess.run(["cc", "-fopenmp", "-o", "sum", "sum.c"], cwd=place, check=True)
    result = subprocess.run([place / "sum"], env={**os.environ, **settings}, stdout=-1, stderr=subprocess.DEVNULL)
    return result.stdout


@case(programs=("cc",))
def threads_of_openmp(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    assert sum_with_openmp(place) == b"499500"
    assert sum_with_openmp(place, OMP_PROC_BIND="false", OMP_SCHEDULE="dynamic") == b"499500"


@case(programs=("cc",))
def threads_of_openmp_that_are_bound_to_processors(place: Path) -> None:
    # libc sets the affinity of a new thread by its number, which a filter cannot tell from that of a stranger's.
    restrict(place, NULL, read=PROGRAMS, allow_other_processes=True)
    assert sum_with_openmp(place, OMP_PROC_BIND="close", OMP_PLACES="cores") == b"499500"


@case(modules=("numpy",))
def numpy_with_its_threads(place: Path) -> None:
    import numpy as np

    generator = np.random.default_rng(1)
    a, b = generator.random((600, 600)), generator.random((600, 600))
    before = a @ b
    restrict(place, read=PYTHON)
    assert np.array_equal(a @ b, before)
    with ThreadPoolExecutor(4) as executor:
        assert all(np.allclose(product, before) for product in executor.map(lambda _: a @ b, range(8)))
    assert np.allclose(np.linalg.inv(a) @ a, np.eye(600), atol=1e-6)
    np.save(place / "array.npy", a)
    mapped = np.load(place / "array.npy", mmap_mode="r")
    assert float(mapped.sum()) == float(a.sum())
    import numpy.fft

    assert numpy.fft.fft(a[0]).shape == (600,)


@case(modules=("numpy",))
def numpy_imported_afterwards(place: Path) -> None:
    restrict(place, read=PROGRAMS + PYTHON)
    code = "import numpy as np; a = np.ones((600, 600)); print(int((a @ a).sum()))"
    assert subprocess.run([sys.executable, "-c", code], stdout=-1, check=True).stdout == b"216000000\n"


@case(modules=("polars",))
def polars_with_its_threads(place: Path) -> None:
    import polars as pl

    frame = pl.DataFrame({"key": [i % 10 for i in range(100_000)], "value": range(100_000)})
    before = frame.group_by("key").agg(pl.col("value").sum()).sort("key")
    assert len(os.listdir("/proc/self/task")) > 1
    restrict(place, read=PYTHON)
    assert frame.group_by("key").agg(pl.col("value").sum()).sort("key").equals(before)
    frame.write_parquet(place / "frame.parquet")
    lazy = pl.scan_parquet(place / "frame.parquet").filter(pl.col("key") == 3).select(pl.col("value").sum())
    assert lazy.collect().item() == sum(range(3, 100_000, 10))
