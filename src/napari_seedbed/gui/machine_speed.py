"""How fast this machine is, learned from the runs of this session."""

from dataclasses import replace

from napari_seedbed.pipeline.operations import Forecast

SHORTEST_SECONDS = 0.25
"""Runs forecast shorter tell more about their fixed costs than about the seconds a voxel."""


class MachineSpeed:
    """Corrects forecasts by what the last run took; forgotten when napari ends."""

    def __init__(self) -> None:
        self._factor = 1.0

    def learn(self, forecast_seconds: float, seconds: float) -> None:
        """Take note of a run that was forecast, uncorrected, and of what it really took."""
        if forecast_seconds >= SHORTEST_SECONDS:
            self._factor = seconds / forecast_seconds

    def corrected(self, forecast: Forecast) -> Forecast:
        """The forecast for this machine."""
        return replace(forecast, seconds=forecast.seconds * self._factor)


machine_speed = MachineSpeed()
