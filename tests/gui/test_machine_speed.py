"""Forecasts learn from what runs really take."""

import pytest

from napari_seedbed.gui.machine_speed import MachineSpeed
from napari_seedbed.pipeline.operations import Forecast


def seconds(speed, forecast=10.0):
    return speed.corrected(Forecast(1, forecast, 2)).seconds


def test_forecast_is_taken_as_it_is_before_the_first_run():
    assert seconds(MachineSpeed()) == 10.0


@pytest.mark.parametrize(("forecast", "measured", "wanted"), [(2, 6, 30), (8, 2, 2.5), (2, 0, 0)])
def test_machine_that_took_so_many_times_as_long_will_again(forecast, measured, wanted):
    speed = MachineSpeed()
    speed.learn(forecast, measured)
    assert seconds(speed) == wanted


def test_runs_on_small_images_teach_nothing():
    speed = MachineSpeed()
    speed.learn(0.01, 0.7)
    speed.learn(0.0, 5.0)
    assert seconds(speed) == 10.0


def test_last_run_counts():
    speed = MachineSpeed()
    speed.learn(1, 9)
    speed.learn(1, 2)
    assert seconds(speed) == 20.0
