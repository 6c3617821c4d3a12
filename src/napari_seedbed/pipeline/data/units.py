"""Units of length as files spell them, and as napari and pint do."""

_NAMES = {
    "micrometer": (
        "µm",
        "μm",
        "um",
        "micron",
        "microns",
        "micrometer",
        "micrometers",
        "micrometre",
    ),
    "nanometer": ("nm", "nanometer", "nanometers", "nanometre"),
    "millimeter": ("mm", "millimeter", "millimeters", "millimetre"),
    "centimeter": ("cm", "centimeter", "centimeters", "centimetre"),
    "meter": ("m", "meter", "meters", "metre"),
    "picometer": ("pm", "picometer"),
    "angstrom": ("å", "angstrom", "ångström"),
    "inch": ("in", "inch", "inches", '"'),
    "pixel": ("", "pixel", "pixels", "px", "voxel", "reference frame"),
}
_KNOWN = {spelling: name for name, spellings in _NAMES.items() for spelling in spellings}
_METERS = {
    "meter": 1.0,
    "centimeter": 1e-2,
    "millimeter": 1e-3,
    "micrometer": 1e-6,
    "nanometer": 1e-9,
    "picometer": 1e-12,
    "angstrom": 1e-10,
    "inch": 0.0254,
}
_OME = {
    "meter": "m",
    "centimeter": "cm",
    "millimeter": "mm",
    "micrometer": "µm",
    "nanometer": "nm",
    "picometer": "pm",
    "angstrom": "Å",
    "inch": "in",
    "pixel": "pixel",
}


def unit_name(spelling: str) -> str | None:
    """'micrometer' for ``µm``, ``\\u00B5m``, ``micron``…; None for what is no unit of length."""
    text = spelling.replace("\\u00B5", "µ").replace("\\u00b5", "µ").replace("\\u00C5", "å")
    return _KNOWN.get(text.strip().lower())


def convert(length: float, unit: str, to: str) -> float | None:
    """Length in another unit; None where one of the two is not a physical length."""
    unit, to = unit_name(unit) or unit, unit_name(to) or to
    if unit == to:
        return length
    if unit not in _METERS or to not in _METERS:
        return None
    # Powers of ten make other digits: 1e-6 / 1e-9 is 999.9999999999999.
    return length * float(f"{_METERS[unit] / _METERS[to]:.12g}")


def ome_symbol(unit: str) -> str:
    """How OME-XML spells a unit; 'pixel' where it knows none."""
    return _OME.get(unit_name(unit) or "pixel", "pixel")
