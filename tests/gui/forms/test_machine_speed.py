"""Forecasts learn from what runs really take."""

import pytest

from napari_seedbed.gui.forms.machine_speed import MachineSpeed, speed_name
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.engine.block_plans import BlockPlan
from napari_seedbed.pipeline.engine.run_costs import BlocksCost
from napari_seedbed.pipeline.operations import Forecast


def seconds(speed, forecast=10.0, name="gaussian"):
    return speed.corrected(name, Forecast(1, forecast, 2)).seconds


def test_forecast_is_taken_as_it_is_before_the_first_run():
    assert seconds(MachineSpeed()) == 10.0


@pytest.mark.parametrize(("forecast", "measured", "wanted"), [(2, 6, 30), (8, 2, 2.5), (2, 1, 5)])
def test_machine_that_took_so_many_times_as_long_will_again(forecast, measured, wanted):
    speed = MachineSpeed()
    speed.learn("gaussian", forecast, measured)
    assert seconds(speed) == pytest.approx(wanted)


def test_operations_learn_each_for_itself_and_new_ones_take_what_most_say():
    speed = MachineSpeed()
    for name, measured in (("gaussian", 0.5), ("median", 4.0), ("sobel", 40.0)):
        speed.learn(name, 1.0, measured)
    assert [seconds(speed, 1.0, name) for name in ("gaussian", "median")] == [0.5, 4.0]
    assert seconds(speed, 1.0, "frangi") == 4.0


def test_runs_of_any_size_are_foretold_within_a_factor_of_two_after_two_of_them():
    """A machine with fixed costs of 0.2 s on which a voxel takes an eighth of what is declared."""

    def takes(foretold):
        return 0.2 + foretold / 8

    speed = MachineSpeed()
    for foretold in (0.02, 10.0):
        speed.learn("gaussian", foretold, takes(foretold))
    for foretold in (0.01, 0.05, 0.3, 1.0, 3.0, 10.0, 100.0):
        assert 0.5 < seconds(speed, foretold) / takes(foretold) < 2


def test_fixed_costs_of_a_short_run_are_not_multiplied():
    speed = MachineSpeed()
    speed.learn("gaussian", 0.01, 0.7)
    assert seconds(speed, 0.01) == pytest.approx(0.7)
    assert seconds(speed, 10.0) == pytest.approx(10.69)
    # nor are they taken for those of others
    assert seconds(speed, 10.0, "median") == 10.0


def test_blocks_are_as_much_faster_or_slower():
    blocks = BlocksCost(1, 30.0, BlockPlan((8, 8), (4, 4)))
    speed = MachineSpeed()
    speed.learn("gaussian", 10.0, 20.0)
    found = speed.corrected("gaussian", Forecast(1, 10.0, 2, blocks))
    assert (found.seconds, found.blocks.seconds) == (20.0, 60.0)


def test_last_run_of_a_size_counts():
    speed = MachineSpeed()
    speed.learn("gaussian", 1, 9)
    speed.learn("gaussian", 1.1, 2.2)
    assert seconds(speed) == pytest.approx(20.0)


def test_next_start_knows_what_this_one_learnt_and_survives_what_it_cannot_read():
    MachineSpeed(is_kept=True).learn("gaussian", 2, 6)
    again = MachineSpeed(is_kept=True)
    assert seconds(again) == pytest.approx(30)
    from napari_seedbed.gui.forms import machine_speed

    machine_speed._settings().setValue("gaussian", "[[0, 1], [1e999, 2], nonsense")
    assert seconds(MachineSpeed(is_kept=True)) == 10.0
    machine_speed._settings().setValue("gaussian", "[[0, 1], [1, 2]]")
    assert seconds(MachineSpeed(is_kept=True)) == pytest.approx(20.0)


def test_methods_of_an_operation_are_told_apart():
    seeded = operations.get("seeded_segmentation")
    engines = {speed_name(seeded, {"engine": one}) for one in ("automatic", "watershed")}
    assert len(engines) == 2
    assert speed_name(operations.get("gaussian"), {"sigma": 1.0}) == "gaussian"
