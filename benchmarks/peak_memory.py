"""Peak memory of a job beyond what it is given, measured in a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
import resource, sys, threading, time, tracemalloc
sys.path.insert(0, {folder!r})
{setup}
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
tracemalloc.start()
before, peak, done = resident(), 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, resident())
        time.sleep(0.002)
watcher = threading.Thread(target=watch)
watcher.start()
{job}
done = True
watcher.join()
print(peak - before, tracemalloc.get_traced_memory()[1])
"""


@dataclass(frozen=True)
class Peak:
    """In bytes: what the process needed, and what its arrays alone did."""

    resident: int
    arrays: int


def peak_memory(setup: str, job: str) -> Peak:
    """Run the statement `job` after `setup`, which may import the modules of this folder."""
    folder = str(Path(__file__).resolve().parent)
    script = SCRIPT.format(folder=folder, setup=setup, job=job)
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    resident, arrays = (int(number) for number in out.stdout.split()[-2:])
    return Peak(resident, arrays)
