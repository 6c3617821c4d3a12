"""How much memory there is, from made-up machines."""

import psutil
import pytest

from napari_seedbed.pipeline import memory


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Give the machine's and the container's files made-up contents."""
    meminfo, cgroup = tmp_path / "meminfo", tmp_path / "cgroup"
    cgroup.mkdir()
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CGROUP", cgroup)

    def write(meminfo_text=None, **group):
        if meminfo_text is not None:
            meminfo.write_text(meminfo_text)
        for name, text in group.items():
            (cgroup / f"memory.{name}").write_text(text)

    return write


KERNEL = "MemTotal: 16000 kB\nMemFree: 1000 kB\nMemAvailable: 8000 kB\n"


def test_what_the_kernel_calls_available(machine):
    machine(KERNEL)
    assert memory.available_memory() == 8000 * 1024


def test_limit_of_the_container_counts_when_it_is_lower(machine):
    machine(KERNEL, max="5000000\n", current="4000000\n", stat="anon 1\ninactive_file 500000\n")
    assert memory.available_memory() == 1_500_000


def test_container_without_limit(machine):
    machine(KERNEL, max="max\n", current="4000000\n", stat="")
    assert memory.available_memory() == 8000 * 1024


def test_container_above_its_limit_has_nothing_left(machine):
    machine(KERNEL, max="5000\n", current="9000\n", stat="")
    assert memory.available_memory() == 0


def test_machine_without_proc_asks_psutil(machine):
    free = psutil.virtual_memory().available
    assert memory.available_memory() == pytest.approx(free, rel=0.5)


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
