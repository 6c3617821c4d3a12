"""How much memory there is: what made-up and real limits leave of the machine's."""

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from napari_seedbed.core.threads import core_count
from napari_seedbed.pipeline.data import memory, memory_limits
from napari_seedbed.pipeline.data.memory_limits import (
    UNLIMITED,
    later_addresses,
    left_by_groups,
    left_by_ulimit,
)

ON_LINUX = pytest.mark.skipif(not psutil.LINUX, reason="limits are those of Linux")
NONE = -1
"""How the system tells that there is no limit."""

V1_WITHOUT_LIMIT = "9223372036854771712\n"
USING_4_MB = {
    "memory.current": "4000000\n",
    "memory.stat": "anon 1\ninactive_file 500000\nactive_file 7\n",
}
USING_4_MB_V1 = {
    "memory.usage_in_bytes": "4000000\n",
    "memory.stat": "inactive_file 1\nhierarchical_memory_limit 9\ntotal_inactive_file 500000\n",
}


def tree(root, groups, own=""):
    """A file tree with control groups, the own ones as /proc tells them."""
    (root / "proc/self").mkdir(parents=True)
    if own:
        (root / "proc/self/cgroup").write_text(own)
    for folder, files in groups.items():
        (root / "sys/fs/cgroup" / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (root / "sys/fs/cgroup" / folder / name).write_text(text)
    return root


def limited(limit, **files):
    return {"memory.max": f"{limit}\n", **USING_4_MB, **files}


def limited_v1(limit):
    return {"memory.limit_in_bytes": f"{limit}\n", **USING_4_MB_V1}


@pytest.mark.parametrize(
    ("groups", "own", "left"),
    [
        ({}, "", UNLIMITED),
        ({"": limited("max")}, "0::/\n", UNLIMITED),
        # What is used without the page cache that is given back: 3.5 MB.
        ({"": limited(5_000_000)}, "0::/\n", 1_500_000),
        ({"": limited(5_000_000)}, "", 1_500_000),
        ({"": limited(3_000_000)}, "0::/\n", 0),
        # Above this one the kernel takes pages away from it.
        ({"": limited("max", **{"memory.high": "4500000\n"})}, "0::/\n", 1_000_000),
        # Nested: own limit, that of a group around it, of both the one that leaves less.
        ({"a/b": limited(6_000_000), "a": limited("max")}, "0::/a/b\n", 2_500_000),
        ({"a/b": limited("max"), "a": limited(6_000_000)}, "0::/a/b\n", 2_500_000),
        ({"a/b": limited(9_000_000), "a": limited(6_000_000)}, "0::/a/b\n", 2_500_000),
        ({"a/b": limited(5_000_000), "a": limited(6_000_000)}, "0::/a/b\n", 1_500_000),
        # Groups that it is not in.
        ({"a/c": limited(5_000_000), "a": limited(6_000_000)}, "0::/a/b\n", 2_500_000),
        # In a container, the path outside.
        ({"": limited(5_000_000)}, "0::/docker/0f3c\n", 1_500_000),
        ({"a": limited(5_000_000)}, "0::/../a\n", 1_500_000),
        # Version 1, alone and beside version 2 without limits.
        ({"memory": limited_v1(5_000_000)}, "4:memory:/\n1:cpu:/\n", 1_500_000),
        ({"memory/job": limited_v1(5_000_000)}, "4:hugetlb,memory:/job\n0::/\n", 1_500_000),
        (
            {
                "memory/job/step": limited_v1(V1_WITHOUT_LIMIT.strip()),
                "memory/job": limited_v1(5_000_000),
            },
            "1:cpu:/job/step\n4:memory:/job/step\n0::/\n",
            1_500_000,
        ),
        ({"memory": limited_v1(5_000_000)}, "4:memory:/docker/0f3c\n", 1_500_000),
        ({"memory/job": limited_v1(5_000_000)}, "4:memory:/other\n1:cpu:/job\n", UNLIMITED),
        ({"unified/a": limited(5_000_000)}, "4:memory:/\n0::/a\n", 1_500_000),
    ],
)
def test_least_that_a_control_group_leaves(tmp_path, groups, own, left):
    assert left_by_groups(tree(tmp_path, groups, own)) == left


@pytest.mark.parametrize(
    ("addresses", "data", "left"),
    [
        (NONE, NONE, UNLIMITED),
        (3_000_000_000, NONE, 3_000_000_000 - 2_048_000_000 - 500_000_000),
        (NONE, 2_000_000_000, 2_000_000_000 - 1_024_000_000 - 500_000_000),
        (3_000_000_000, 1_100_000_000, 0),
    ],
)
@ON_LINUX
def test_limits_of_the_process(monkeypatch, addresses, data, left):
    limits = {psutil.RLIMIT_AS: addresses, psutil.RLIMIT_DATA: data}
    process = SimpleNamespace(
        memory_info=lambda: SimpleNamespace(vms=2_048_000_000, data=1_024_000_000),
        rlimit=lambda limit: (limits[limit], NONE),
    )
    monkeypatch.setattr(psutil, "Process", lambda: process)
    monkeypatch.setattr(memory_limits, "later_addresses", lambda: 500_000_000)
    assert left_by_ulimit() == left


def test_threads_and_libraries_that_are_there_are_not_waited_for(monkeypatch):
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    monkeypatch.setattr(memory_limits.threading, "active_count", lambda: 1)
    before = later_addresses()
    monkeypatch.setitem(sys.modules, "sklearn", memory_limits)
    monkeypatch.setattr(memory_limits.threading, "active_count", lambda: 1 + 2 * core_count())
    assert 0 < later_addresses() < before


def test_system_that_tells_no_limits_has_none(monkeypatch, tmp_path):
    monkeypatch.setattr(psutil, "LINUX", False)
    assert left_by_ulimit() == left_by_groups(tmp_path) == UNLIMITED


UNDER_LIMIT = """
import resource
import numpy as np
import psutil
from napari_seedbed.pipeline.data.memory import available_memory
from napari_seedbed.pipeline.data.memory_limits import later_addresses
available_memory()
used = psutil.Process().memory_info().vms
limit = used + later_addresses() + 300_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
left = available_memory()
assert 290_000_000 < left <= 300_000_000, left
np.empty(left, np.uint8)
try:
    np.empty(left + later_addresses() + 10_000_000, np.uint8)
except MemoryError:
    print("held to it")
"""


@ON_LINUX
def test_real_limit_is_seen_and_what_is_left_can_be_taken():
    run = subprocess.run(
        [sys.executable, "-c", UNDER_LIMIT], capture_output=True, text=True, check=False
    )
    assert run.stdout == "held to it\n", run.stderr


def test_without_limits_it_is_what_the_system_calls_available():
    free = psutil.virtual_memory().available
    assert 0 <= memory.available_memory() <= 1.5 * free


@pytest.mark.parametrize(
    ("n", "words"),
    [(900, "900 bytes"), (1500, "1.5 kB"), (48e6, "48 MB"), (1.1e9, "1.1 GB"), (3.6e12, "3.6 TB")],
)
def test_bytes_in_words(n, words):
    assert memory.bytes_in_words(n) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.3, "under 1 s"), (3, "3 s"), (240, "4 min"), (9000, "2.5 h")]
)
def test_seconds_in_words(seconds, words):
    assert memory.seconds_in_words(seconds) == words
