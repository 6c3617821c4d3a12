"""A plugin of pytest that puts our `random_walker` in the place of scikit-image's.

Warnings stay expected as scikit-image's tests say, except those about SciPy's solvers, which ours
does not use.
"""

import functools

import pytest

from napari_seedbed.core import random_walker

OF_SOLVERS = ("sparsity structure", "probability range")
NONE_NEEDED = r"|\A\Z"

_calls = 0


@functools.wraps(random_walker)
def counted(*args, **options):
    global _calls
    _calls += 1
    return random_walker(*args, **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Exchange the function in the modules that were collected."""
    for module in {item.getparent(pytest.Module).obj for item in items}:
        module.random_walker = counted
        module.expected_warnings = _less_strict(module.expected_warnings)


def _less_strict(expected_warnings):
    def expected(matching):
        return expected_warnings(
            [m + NONE_NEEDED if any(words in m for words in OF_SOLVERS) else m for m in matching]
        )

    return expected


def pytest_terminal_summary(terminalreporter) -> None:
    """Say whether ours was used."""
    if _calls:
        terminalreporter.write_line("random_walker of napari_seedbed was called")
