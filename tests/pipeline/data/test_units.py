"""Spellings of units, and lengths from one to another."""

import pytest

from napari_seedbed.pipeline.data.units import convert, ome_symbol, unit_name


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("µm", "micrometer"),  # micro sign
        ("μm", "micrometer"),  # Greek mu
        ("\\u00B5m", "micrometer"),
        (" Microns ", "micrometer"),
        ("", "pixel"),
        ("inch", "inch"),
        ("Å", "angstrom"),
        ("furlong", None),
    ],
)
def test_spellings(spelling, name):
    assert unit_name(spelling) == name


@pytest.mark.parametrize("name", ["meter", "millimeter", "micrometer", "nanometer", "pixel"])
def test_ome_symbols_are_understood_again(name):
    assert unit_name(ome_symbol(name)) == name


def test_lengths():
    assert convert(2.5, "millimeter", "micrometer") == pytest.approx(2500)
    assert convert(1, "inch", "centimeter") == pytest.approx(2.54)
    assert convert(3, "pixel", "pixel") == 3
    assert convert(3, "pixel", "micrometer") is None
