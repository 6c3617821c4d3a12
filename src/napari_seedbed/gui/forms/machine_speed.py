"""How fast this machine is, learned from what runs took; kept for the next start of napari."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

from qtpy.QtCore import QSettings

from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.operations import Forecast

SHORTEST_SECONDS = 0.25
"""Runs forecast shorter say more about their fixed costs than about the seconds a voxel."""

MOST_SIZES = 8
"""Runs that are kept of each kind, one for each doubling of the forecast."""

Runs = dict[int, tuple[float, float]]
"""Forecast and measured seconds, by the doubling of the forecast; the newest last."""


class MachineSpeed:
    """Corrects forecasts by what runs of the same kind took, each at its size.

    Parameters
    ----------
    is_kept : bool
        Whether the next start of napari shall know it.

    Notes
    -----
    Between two sizes that were run seconds rise evenly, as fixed costs and those of each voxel do.
    What was not run yet counts as the others on this machine.
    """

    def __init__(self, *, is_kept: bool = False) -> None:
        self._is_kept = is_kept
        self._runs: dict[str, Runs] | None = None

    def learn(self, name: str, forecast_seconds: float, seconds: float) -> None:
        """Take note of a run of a kind that was forecast, uncorrected, and of what it took."""
        if forecast_seconds <= 0 or seconds < 0:
            return
        runs = self._known.setdefault(name, {})
        size = math.floor(math.log2(forecast_seconds))
        runs.pop(size, None)
        runs[size] = forecast_seconds, seconds
        while len(runs) > MOST_SIZES:
            del runs[next(iter(runs))]
        if self._is_kept:
            _settings().setValue(name, json.dumps(list(runs.values())))

    def corrected(self, name: str, forecast: Forecast) -> Forecast:
        """The forecast of a run of that kind, for this machine."""
        runs = self._known.get(name)
        if not runs:
            seconds = forecast.seconds * self._factor_of_others()
        else:
            seconds = _seconds(sorted(runs.values()), forecast.seconds)
        blocks = forecast.blocks
        if blocks is not None and forecast.seconds > 0:
            # What computes the same is faster or slower alike.
            factor = seconds / forecast.seconds
            blocks = replace(blocks, seconds=blocks.seconds * factor)
        return replace(forecast, seconds=seconds, blocks=blocks)

    def knows(self, name: str) -> bool:
        """Whether a run of that kind was seen."""
        return bool(self._known.get(name))

    def forget(self) -> None:
        """Begin anew, as on a machine where nothing was run yet."""
        self._runs = {}
        if self._is_kept:
            _settings().clear()

    @property
    def _known(self) -> dict[str, Runs]:
        if self._runs is None:
            self._runs = _kept_runs() if self._is_kept else {}
        return self._runs

    def _factor_of_others(self) -> float:
        """How many times as long as forecast long runs of other kinds take, in the middle."""
        factors = [
            seconds / foretold
            for runs in self._known.values()
            for foretold, seconds in runs.values()
            if foretold >= SHORTEST_SECONDS
        ]
        return median(factors) if factors else 1.0


def speed_name(operation: Operation, parameters: Mapping[str, Any]) -> str:
    """What runs are called that take alike: the operation, and the method where it has several."""
    methods = [str(parameters[one.name]) for one in operation.parameters if one.names_methods]
    return " ".join([operation.name, *methods])


def _seconds(runs: list[tuple[float, float]], foretold: float) -> float:
    """What a forecast comes to after runs with their forecasts, which rise."""
    if foretold <= runs[0][0]:
        first, seconds = runs[0]
        return foretold * seconds / first
    for (low, short), (high, long) in pairwise(runs):
        if foretold <= high:
            return short + (long - short) * (foretold - low) / (high - low)
    last, seconds = runs[-1]
    if last < SHORTEST_SECONDS and seconds > last:
        # What a short run takes longer, it takes once.
        return foretold + seconds - last
    return foretold * seconds / last


def _settings() -> QSettings:
    return QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-seedbed", "machine_speed"
    )


def _kept_runs() -> dict[str, Runs]:
    """What earlier starts have seen; nothing of what cannot be read."""
    settings, known = _settings(), dict[str, Runs]()
    for name in settings.allKeys():
        try:
            runs = [(float(a), float(b)) for a, b in json.loads(str(settings.value(name)))]
        except (ValueError, TypeError):
            continue
        sound = [(a, b) for a, b in runs if 0 < a < math.inf and 0 <= b < math.inf]
        known[name] = {math.floor(math.log2(a)): (a, b) for a, b in sound[-MOST_SIZES:]}
    return known


machine_speed = MachineSpeed(is_kept=True)
