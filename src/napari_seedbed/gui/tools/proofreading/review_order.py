"""The order in which objects are gone through, and which one comes next."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["doubt", "smallest", "largest", "label"]

ORDERS: Mapping[Order, str] = {
    "doubt": "Doubtful first",
    "smallest": "Smallest first",
    "largest": "Largest first",
    "label": "By label",
}


def ordered_rows(columns: Mapping[str, NDArray[Any]], order: Order) -> NDArray[np.intp]:
    """Rows of a table in the order in which they are gone through.

    Parameters
    ----------
    columns : mapping
        With ``label``, ``voxels`` and ``doubt``, one row an object.
    order : {'doubt', 'smallest', 'largest', 'label'}

    Returns
    -------
    (N,) ndarray of int
        Of equal ones the lower label comes first.
    """
    labels = columns["label"]
    if order == "label":
        keys: NDArray[Any] = labels
    elif order == "doubt":
        keys = -np.nan_to_num(np.asarray(columns["doubt"], float), nan=0.0, posinf=np.inf)
    else:
        voxels = np.asarray(columns["voxels"], np.int64)
        keys = voxels if order == "smallest" else -voxels
    return np.lexsort((labels, keys))


def next_row(
    order: NDArray[np.intp], at: int | None, step: int, allowed: NDArray[np.bool_]
) -> int | None:
    """The row that comes next.

    Parameters
    ----------
    order : (N,) ndarray of int
        As `ordered_rows` gives it.
    at : int or None
        The row that was looked at last.
    step : {1, -1}
    allowed : (N,) ndarray of bool
        Rows that are gone through, such as those not checked yet.

    Returns
    -------
    int or None
        After the last one comes the first; None where no row is allowed but the one at hand.
    """
    places = np.flatnonzero(allowed[order])
    if at is not None:
        here = int(np.flatnonzero(order == at)[0])
        places = places[places != here]
    else:
        here = -1 if step > 0 else len(order)
    if not len(places):
        return None
    later = places[places > here] if step > 0 else places[places < here]
    if step > 0:
        return int(order[later[0] if len(later) else places[0]])
    return int(order[later[-1] if len(later) else places[-1]])
