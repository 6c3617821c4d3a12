"""Threads that work on blocks: what they do when one of them fails."""

import time
from threading import Event

import pytest

from bounds import bound
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.engine.block_workers import threads


def test_other_blocks_are_stopped_when_one_fails_and_few_wait():
    begun, stopped = Event(), Event()
    tried = []

    def work(shared, item):
        tried.append(item)
        if item == 0:
            assert begun.wait(10)
            raise InputError("image: the block is damaged.")
        begun.set()
        until = time.monotonic() + bound(10)
        try:
            while time.monotonic() < until:
                check_stop()
                time.sleep(0.01)
        except Cancelled:
            stopped.set()

    with pytest.raises(InputError, match="is damaged"), threads(2) as workers:
        list(workers.each(work, None, range(100)))
    assert stopped.wait(bound(5))
    assert len(tried) <= 4


def test_results_come_with_their_places():
    def work(shared, item):
        time.sleep(0.002 * (item % 3))
        return shared + item

    with threads(3) as workers:
        found = dict(workers.each(work, 10, [5, 6, 7, 8, 9, 10, 11, 12]))
        assert list(workers.each(work, 10, [])) == []
    assert found == {place: 15 + place for place in range(8)}
