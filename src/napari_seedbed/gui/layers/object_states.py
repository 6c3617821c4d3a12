"""What people have decided about objects: checked, locked, and of which class.

The state of an object is a row of the features of its Labels layer, in the columns `checked` and
`locked` (bool) and `class` (str, empty for none), with the label in the column `index`. In a film
the column `checked_at` says at which time points an object was checked, as ``0-3,7``; where it says
nothing, `checked` holds for all of them, as `locked` and `class` do. The names of the classes that
are offered, in the order of their keys and colours, are the list `classes` in
``layer.metadata['napari_seedbed']``. Nothing else is kept of them anywhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.label_features import INDEX, show_features
from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.pipeline.data.number_runs import number_runs

CHECKED, LOCKED, CLASS = "checked", "locked", "class"
CHECKED_AT = "checked_at"
STATES = (CHECKED, LOCKED, CLASS)

CLASSES_KEY = "classes"

CLASS_COLOURS = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    "#999999",
    "#ffffff",
)
"""Of the first class to the ninth.

The first seven are those of Okabe M, Ito K (2008), Color Universal Design: people who do not tell
red from green tell them apart. Their eighth is black, which pictures are.
"""

_MOST_TIMES = 1_000_000
"""Time points of one run: a table that somebody wrote may say anything."""

MOST_CLASSES = len(CLASS_COLOURS)


class ObjectState(NamedTuple):
    """What people have decided about one object.

    Attributes
    ----------
    checked : bool or frozenset of int
        At which time points it is; True for all that there are.
    locked : bool
    class_name : str
        Empty for none.
    """

    checked: bool | frozenset[int] = False
    locked: bool = False
    class_name: str = ""

    def is_checked(self, time: int | None = None) -> bool:
        """Whether it is checked at a time point; None where there is no time."""
        if isinstance(self.checked, bool) or time is None:
            return bool(self.checked)
        return time in self.checked

    def checked_also(self, time: int, on: bool, times: Iterable[int]) -> "ObjectState":
        """The same, checked or not at one of the time points at which the object is."""
        before = frozenset(times) if self.checked is True else self.checked or frozenset()
        after = before | {time} if on else before - {time}
        return self._replace(checked=after or False)


@dataclass(frozen=True)
class ObjectStates:
    """The states of the objects of one layer.

    Attributes
    ----------
    checked, locked : frozenset of int
        Labels of those that are; in a film, checked at some time point.
    class_of : mapping
        Label to the name of its class; labels without a class are left out.
    checked_at : mapping
        Label to the time points at which it is checked, where these are not all.
    """

    checked: frozenset[int] = frozenset()
    locked: frozenset[int] = frozenset()
    class_of: Mapping[int, str] = field(default_factory=dict)
    checked_at: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def of(self, label: int) -> ObjectState:
        """What was decided about one object."""
        return ObjectState(
            self.checked_at.get(label, label in self.checked),
            label in self.locked,
            self.class_of.get(label, ""),
        )

    def are_checked(
        self, labels: NDArray[np.integer], times: NDArray[np.integer] | None = None
    ) -> NDArray[np.bool_]:
        """Whether objects are checked, (N,), each at its time point where there is time."""
        found = np.isin(labels, sorted(self.checked))
        if times is not None:
            for label, checked in self.checked_at.items():
                rows = labels == label
                found[rows] = np.isin(times[rows], sorted(checked))
        return found


def object_states(layer: Labels) -> ObjectStates:
    """The states that a layer keeps, whoever wrote them."""
    return _states_of(layer.features)


def _states_of(features: Any) -> ObjectStates:
    labels, columns = _columns(features)
    return ObjectStates(
        frozenset(labels[columns[CHECKED]].tolist()),
        frozenset(labels[columns[LOCKED]].tolist()),
        {int(label): str(name) for label, name in zip(labels, columns[CLASS], strict=True) if name},
        {
            int(label): times
            for label, text, on in zip(labels, columns[CHECKED_AT], columns[CHECKED], strict=True)
            if on and text and (times := _times_of(text))
        },
    )


def write_states(layer: Labels, states: Mapping[int, ObjectState]) -> None:
    """Write the states of some objects."""
    if not states:
        return
    labels, columns = _columns(layer.features)
    known = {int(label): row for row, label in enumerate(labels)}
    new = np.array([label for label in states if label not in known], np.int64)
    labels = np.concatenate([labels, new])
    rows = known | {int(label): len(known) + nth for nth, label in enumerate(new)}
    nothing: dict[str, Any] = {CHECKED: False, LOCKED: False, CLASS: "", CHECKED_AT: ""}
    whole = {
        name: np.concatenate([column, np.full(len(new), nothing[name], column.dtype)])
        for name, column in columns.items()
    }
    for label, state in states.items():
        times = "" if isinstance(state.checked, bool) else _times_text(state.checked)
        values = (bool(state.checked), state.locked, state.class_name, times)
        for name, value in zip((*STATES, CHECKED_AT), values, strict=True):
            whole[name][rows[label]] = value
    if CHECKED_AT not in layer.features and not any(whole[CHECKED_AT]):
        del whole[CHECKED_AT]
    show_features(layer, {"label": labels, **whole})
    _fill_gaps(layer)


def state_columns(features: Any, table: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Columns of states for a table of objects.

    Parameters
    ----------
    features : DataFrame
        Of a Labels layer.
    table : mapping
        With a column ``label``, and ``time_point`` where there is time, (N,) each.

    Returns
    -------
    dict of (N,) ndarray
        Of `STATES` those that some object has; without any it is empty.
    """
    states = _states_of(features)
    labels = np.asarray(table["label"])
    found = {
        CHECKED: states.are_checked(labels, table.get("time_point")),
        LOCKED: np.isin(labels, sorted(states.locked)),
        CLASS: np.array([states.class_of.get(int(label), "") for label in labels], np.str_),
    }
    return {name: column for name, column in found.items() if np.any(column != column.dtype.type())}


def class_names(layer: Labels) -> tuple[str, ...]:
    """The names of the classes that are offered, in the order of their colours."""
    kept = layer.metadata.get(METADATA_KEY, {}).get(CLASSES_KEY, ())
    names = [str(name) for name in kept if str(name)] if isinstance(kept, list | tuple) else []
    _, columns = _columns(layer.features)
    # those that another program wrote, or an older table
    names += sorted({str(name) for name in columns[CLASS] if name} - set(names))
    return tuple(dict.fromkeys(names))[:MOST_CLASSES]


def set_class_names(layer: Labels, names: Sequence[str]) -> None:
    """Offer other classes, their names as `check_class_names` gives them."""
    kept = {**layer.metadata.get(METADATA_KEY, {}), CLASSES_KEY: list(names)}
    layer.metadata = {**layer.metadata, METADATA_KEY: kept}


def check_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without blanks around them.

    Raises
    ------
    InputError
        When there are too many names, an empty one, or one twice.
    """
    names = tuple(name.strip() for name in names)
    if len(names) > MOST_CLASSES or len(set(names)) < len(names) or "" in names:
        raise InputError(
            f"classes: {', '.join(map(repr, names))} given; up to {MOST_CLASSES} different names "
            "are possible, none of them empty."
        )
    return names


def states_after(
    states: ObjectStates, before: Sequence[str], names: Sequence[str]
) -> dict[int, ObjectState]:
    """States of the objects whose class is another when other classes are offered.

    Where as many names are given as there were, one that differs is a class renamed, and its
    objects take the new name; else objects of classes that are gone have none.
    """
    if len(before) == len(names):
        called = dict(zip(before, names, strict=True))
    else:
        called = {name: "" for name in before if name not in names}
    return {
        label: states.of(label)._replace(class_name=called[name])
        for label, name in states.class_of.items()
        if called.get(name, name) != name
    }


def states_linked(
    moves: Sequence[tuple[int, int, int]],
    states: ObjectStates,
    times_of: Callable[[int], Sequence[int]],
) -> dict[int, ObjectState]:
    """States of objects of a film that were numbered anew, each at its time points.

    Parameters
    ----------
    moves : sequence of (int, int, int)
        Time point, label before and label after, in the order of time.
    states : ObjectStates
        Before.
    times_of : callable
        At which time points a label was.
    """
    labels = {label for move in moves for label in move[1:]}
    before = {label: states.of(label) for label in labels}
    checked = {
        label: {time for time in times_of(label) if state.is_checked(time)}
        for label, state in before.items()
    }
    after = {label: set(times) for label, times in checked.items()}
    for time, old, _ in moves:
        after[old].discard(time)
    classes = {label: state.class_name for label, state in before.items()}
    for time, old, new in moves:
        if time in checked[old]:
            after[new].add(time)
        # a cell is of the class that it had first
        classes[new] = classes[new] or before[old].class_name
    return {
        label: state._replace(checked=frozenset(after[label]) or False, class_name=classes[label])
        for label, state in before.items()
    }


def _columns(features: Any) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Labels of the rows, and all columns of states, without gaps."""
    count = len(features)
    labels = np.asarray(features[INDEX] if INDEX in features else np.arange(count))
    columns: dict[str, NDArray[Any]] = {}
    for name in (*STATES, CHECKED_AT):
        given = features.get(name)
        if name in (CLASS, CHECKED_AT):
            whole = np.full(count, "", object)
            if given is not None:
                texts = np.asarray(given, object)
                known = np.asarray(given.notna())
                whole[known] = [str(text) for text in texts[known]]
        else:
            whole = np.zeros(count, bool)
            if given is not None:
                values = np.asarray(given)
                is_plain = values.dtype == bool
                whole = (
                    values if is_plain else np.array([_is_true(value) for value in values], bool)
                )
        columns[name] = whole
    # asking each of a thousand takes longer than all the rest
    whole_labels = labels.dtype.kind in "iu" or [_is_whole(label) for label in labels]
    is_label = np.broadcast_to(np.asarray(whole_labels, bool), labels.shape)
    if not is_label.all():
        columns = {name: column[is_label] for name, column in columns.items()}
        labels = labels[is_label]
    return labels.astype(np.int64), columns


def _is_true(value: Any) -> bool:
    """Whether a cell says yes, also in words, as tables that were saved as text do."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "1")
    # neither NaN nor a missing value is
    return isinstance(value, bool | np.bool_ | int | float) and value == 1


def _is_whole(value: Any) -> bool:
    try:
        return int(value) == value
    except (TypeError, ValueError):
        return False


def _fill_gaps(layer: Labels) -> None:
    """Rows that were put in for labels that do not occur have no gaps in these columns."""
    features = layer.features
    _, columns = _columns(features)
    columns = {name: column for name, column in columns.items() if name in features}
    texts = [name for name in (CLASS, CHECKED_AT) if name in features]
    if any(features[name].dtype != columns[name].dtype for name in STATES[:2]) or any(
        features[name].isna().any() for name in texts
    ):
        layer.features = features.assign(**columns)


def _times_text(times: Iterable[int]) -> str:
    """Time points as ``0-3,7``."""
    runs = number_runs(sorted(times))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _times_of(text: str) -> frozenset[int]:
    """Time points that a text names; none where it cannot be read."""
    found: set[int] = set()
    for part in str(text).split(","):
        first, _, last = part.strip().removesuffix(".0").partition("-")
        if first.isdigit() and (last or first).isdigit() and len(first + last) < 16:
            found.update(range(int(first), min(int(last or first), int(first) + _MOST_TIMES) + 1))
    return frozenset(found)
