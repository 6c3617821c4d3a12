"""Notes of a long series are told in a few words, without losing the numbers' bounds."""

from napari_seedbed.pipeline.cli.note_ranges import shortened


def test_notes_of_a_long_series_become_one_with_their_range():
    values = [23.5, 30.04, 21.63, 9.5]
    notes = [f"Time point {t}: Otsu's threshold is {v}." for t, v in enumerate(values, 1)]
    assert shortened(notes) == ["Otsu's threshold is 9.5 to 30.04 (4 times)."]


def test_few_notes_are_told_one_by_one():
    notes = [f"Time point {t}: Otsu's threshold is {t}.5." for t in (1, 2, 3)]
    assert shortened(notes) == notes


def test_notes_of_other_kinds_keep_their_words_and_order():
    lost = "Time point 2: Object 9 was lost."
    several = [f"Time point 1, channel {c}: Li's threshold is 1e-0{c}." for c in range(1, 6)]
    assert shortened(["Read as 12 bits.", *several, lost]) == [
        "Read as 12 bits.",
        "Li's threshold is 1e-05 to 1e-01 (5 times).",
        lost,
    ]


def test_number_that_is_always_the_same_is_told_once():
    notes = [f"Channel {c}: 3 of {c} objects in 3D." for c in range(1, 5)]
    assert shortened(notes) == ["3 of 1 to 4 objects in 3D (4 times)."]


def test_same_sentence_about_nowhere_is_not_counted():
    assert shortened(["It is 8 bits."] * 2) == ["It is 8 bits."] * 2
