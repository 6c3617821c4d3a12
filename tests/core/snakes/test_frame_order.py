"""The order of frames, against a search through all of them."""

from itertools import product

import pytest

from napari_seedbed.core.snakes.frame_order import visits

N_FRAMES = 5
FOLLOWS = ("off", "forwards", "backwards", "both")


def subsets(n):
    return [frozenset(i for i in range(n) if bits >> i & 1) for bits in range(1 << n)]


def origin(position, places, follow):
    """The drawn frame that a label comes from, by trying all; None where it cannot come from."""
    allowed = [
        place
        for place in places
        if place == position
        or (follow in ("forwards", "both") and place < position)
        or (follow in ("backwards", "both") and place > position)
    ]
    return min(allowed, key=lambda place: (abs(place - position), place), default=None)


def walk(drawn, follow):
    """Go through the visits; return for each frame and label the drawn frame that it came from."""
    known = {}
    for visit in visits(drawn, N_FRAMES, follow):
        for label in visit.drawn:
            assert (visit.position, label) not in known
            known[visit.position, label] = visit.position
        for label in visit.carried:
            assert (visit.position, label) not in known
            assert abs(visit.source - visit.position) == 1
            known[visit.position, label] = known[visit.source, label]
    return known


@pytest.mark.parametrize("follow", FOLLOWS)
def test_each_label_comes_from_its_nearest_drawn_frame(follow):
    for first, second in product(subsets(N_FRAMES), subsets(N_FRAMES)):
        places = {1: first, 2: second}
        drawn = {}
        for label, positions in places.items():
            for position in positions:
                drawn.setdefault(position, set()).add(label)
        expected = {
            (position, label): origin(position, positions, follow)
            for label, positions in places.items()
            for position in range(N_FRAMES)
            if origin(position, positions, follow) is not None
        }
        assert walk(drawn, follow) == expected


@pytest.mark.parametrize("follow", FOLLOWS)
def test_order_of_frames_in_the_mapping_does_not_matter(follow):
    drawn = {3: {1, 2}, 0: {2}, 4: {3}}
    assert visits(drawn, 6, follow) == visits(dict(sorted(drawn.items())), 6, follow)


def test_nothing_drawn_is_nothing_to_visit():
    assert visits({}, 6, "both") == []


def test_drawn_frame_that_something_comes_to_is_visited_once():
    (first, second, *_) = visits({0: {1}, 1: {2}}, 3, "forwards")
    assert (first.position, first.drawn, first.carried) == (0, {1}, frozenset())
    assert (second.position, second.drawn, second.carried, second.source) == (1, {2}, {1}, 0)
