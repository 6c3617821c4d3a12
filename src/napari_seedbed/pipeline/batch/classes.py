"""The class of each object of a batch, where marks, a classifier or a table tell it."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.annotations import Annotations
from napari_seedbed.pipeline.data.tables import Columns
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.atomic_files import why_unreadable
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.operations.pixel_classification import NAME as PIXEL_CLASSIFICATION
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

CLASS, TIME = "class", "time_point"
"""Columns of tables."""

_LABELS = ("label", "labelimage_oid")
_CLASSES = (CLASS, "Predicted Class")
_TIMES = (TIME, "timestep")
"""What columns are called here and by ilastik."""

ClassOf = Callable[[int, int], str]
"""The class of a label at a time point; empty where it has none."""


def classes_of_marks(annotations: Annotations) -> dict[int, str]:
    """The class of each label of marks; of none where its marks are of several."""
    found: dict[int, set[str]] = {}
    for item in annotations.labelled().items:
        found.setdefault(int(item.label or 0), set()).add(item.group)
    return {label: "".join(groups) for label, groups in found.items() if len(groups) == 1}


def class_in_result(recipe: Recipe, key: str, marked: Mapping[int, str]) -> ClassOf | None:
    """The class of each label that a recipe makes; None where nothing tells it.

    Parameters
    ----------
    recipe : Recipe
    key : str
        What the recipe calls the labels: the name of a step, or with an output behind a dot.
    marked : mapping of int to str
        Classes of the marks that the recipe starts from, by label.
    """
    step = next(step for step in recipe.steps if step.name == key.partition(".")[0])
    if step.operation == PIXEL_CLASSIFICATION:
        values = {p.name: p.default for p in get(step.operation).parameters} | dict(step.parameters)
        objects_of = int(values["object_class"]) if values["result"] == "objects" else None
        return lambda label, time: _named(objects_of or label, marked)
    starts = step.seeds is not None or step.shapes is not None
    if starts and any(marked.values()):
        return lambda label, time: marked.get(label, "")
    return None


def _named(number: int, marked: Mapping[int, str]) -> str:
    return marked.get(number, "") or str(number)


def class_in_table(path: Path) -> ClassOf:
    """The class of each label as a table has it: one of Seedbed, or of ilastik's objects.

    Parameters
    ----------
    path : path
        CSV with the columns ``label`` and ``class``, and ``time_point`` where classes change.

    Raises
    ------
    FileError
        Where it cannot be read or has no such columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            titles = rows.fieldnames or ()
            label, name, time = (
                next((title for title in known if title in titles), None)
                for known in (_LABELS, _CLASSES, _TIMES)
            )
            if label is None or name is None:
                raise FileError(
                    f"{path} could not be read: a table of classes has the columns 'label' and "
                    f"'class'; this one has {', '.join(map(visible, titles)) or 'none'}."
                )
            found = {
                (int(float(row[time])) if time else 0, int(float(row[label]))): visible(row[name])
                for row in rows
            }
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    except (csv.Error, ValueError, TypeError, OverflowError) as error:
        raise FileError(f"{path} could not be read: it is no sound CSV ({error}).") from error
    return lambda label, moment: found.get((moment if time else 0, label), "")


def with_classes(columns: Columns, class_of: ClassOf | None) -> Columns:
    """The table of objects with their classes behind their labels; as it is where it has some."""
    if class_of is None or "label" not in columns or CLASS in columns:
        return columns
    labels = [int(label) for label in columns["label"]]
    times = [int(time) for time in columns.get(TIME, np.zeros(len(labels)))]
    classes = np.array([class_of(*pair) for pair in zip(labels, times, strict=True)], str)
    made = {}
    for title, values in columns.items():
        made[title] = values
        if title == "label":
            made[CLASS] = classes
    return made
