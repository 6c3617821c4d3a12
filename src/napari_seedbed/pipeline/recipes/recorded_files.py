"""The files that a result was made from, told apart by what records say of their voxels."""

from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.data.fingerprint import combine
from napari_seedbed.pipeline.recipes.recipe_model import OTHER, OtherImage


class RecordedFiles:
    """The first file, which steps call 'image', and the others: 'other', 'other_2' and so on.

    Inputs with the same voxels are one file, and so are channels of an image of one name.

    Attributes
    ----------
    first : mapping
        What a record says of the first one, as `describe` gives it; empty before there is one.
    """

    def __init__(self) -> None:
        self.first: Mapping[str, Any] = {}
        self._others: dict[str, Mapping[str, Any]] = {}

    def place_of(self, entry: Mapping[str, Any]) -> tuple[str, tuple[int, ...] | None]:
        """What steps call the file of an input, and the channels of that."""
        if not self.first:
            self.first = entry
        if entry["fingerprint"] == self.first["fingerprint"]:
            return "image", None
        part = _channels_in(entry, self.first)
        if part is not None:
            return "image", part
        channels = None if entry["channels"] is None else tuple(entry["channels"])
        for name, known in self._others.items():
            if entry["fingerprint"] == known["fingerprint"]:
                return name, None if known["channels"] is None else tuple(known["channels"])
            joined = _joined(known, entry)
            if joined is not None:
                self._others[name] = joined
                return name, channels
        number = len(self._others) + 1
        name = OTHER if number == 1 else f"{OTHER}_{number}"
        self._others[name] = entry
        return name, channels

    def others(self) -> dict[str, OtherImage]:
        """The files beside the first one."""
        return {
            name: OtherImage(**{field: entry[field] for field in OtherImage.model_fields})
            for name, entry in self._others.items()
        }


def _channels_in(entry: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Which channels of an input another one is; None where it is none of them."""
    known = source.get("channel_fingerprints", ())
    numbers = source["channels"] or range(len(known))
    places = {number: place for place, number in enumerate(numbers)}
    if not known or not entry["channels"] or not places.keys() >= set(entry["channels"]):
        return None
    part = tuple(places[number] for number in entry["channels"])
    return part if combine([known[place] for place in part]) == entry["fingerprint"] else None


def _joined(one: Mapping[str, Any], two: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is known of a file of which two inputs are channels; None where they are not."""
    whole = next((entry for entry in (one, two) if entry["channels"] is None), None)
    lengths = [
        {axis: n for axis, n in zip(entry["axes"], entry["shape"], strict=True) if axis != "c"}
        for entry in (one, two)
    ]
    first, second = map(_channels_of, (one, two))
    is_alike = (
        (one["name"], one["dtype"], lengths[0]) == (two["name"], two["dtype"], lengths[1])
        and first is not None
        and second is not None
        and one["channels"] != two["channels"]
    )
    if not is_alike or first is None or second is None:
        return None
    channels = first | second
    if any(channels[number] != name for number, name in (*first.items(), *second.items())):
        return None
    if whole is not None:
        return whole if len(channels) == len(_channels_of(whole) or ()) else None
    numbers = sorted(channels)
    axes = tuple(lengths[0])
    return {
        **one,
        "axes": ["c", *axes],
        "shape": [len(numbers), *lengths[0].values()],
        "rgb": False,
        "channels": numbers,
        "channel_fingerprints": [channels[number] for number in numbers],
        "fingerprint": combine([channels[number] for number in numbers]),
    }


def _channels_of(entry: Mapping[str, Any]) -> dict[int, str] | None:
    """Fingerprints of an input's channels by their numbers in its file, where they are known."""
    count = dict(zip(entry["axes"], entry["shape"], strict=True)).get("c", 1)
    names = entry.get("channel_fingerprints") or ([entry["fingerprint"]] if count == 1 else [])
    numbers = entry["channels"] or range(count)
    return dict(zip(numbers, names, strict=True)) if len(numbers) == len(names) else None
