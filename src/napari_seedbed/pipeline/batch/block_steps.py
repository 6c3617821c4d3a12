"""Steps of a recipe that work in blocks on an input, and the folder that their voxels go to."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.batch.logs import digest_of_text
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Columns
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.block_runs import may_work_in_blocks
from napari_seedbed.pipeline.engine.forecasts import forecast
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.files.atomic_files import why_unwritable, written_whole
from napari_seedbed.pipeline.files.places import is_url
from napari_seedbed.pipeline.operations import get, run
from napari_seedbed.pipeline.recipes.recipe_model import Step

InBlocks = Literal["auto", "always", "never"]

_ALWAYS_IN_MEMORY = 64 << 20
"""Bytes of a file; nobody has too little memory for what is in one that is smaller."""

_MADE_FROM = "made_from.txt"
"""In the folder: from what its blocks were made."""


@dataclass(frozen=True)
class BlockSteps:
    """Which steps work in blocks, and where.

    Attributes
    ----------
    how : {'auto', 'always', 'never'}
        Where memory does not do; wherever a step can; or nowhere.
    folder : Path
        Of one input. What a run that was ended left there is gone on with.
    made_from : str
        Digest of the input and the images that go with it. What was made from others is removed:
        of images at a URL nothing else tells.
    scheduler : str or None
        Address of a dask scheduler, whose workers work on the blocks.
    """

    how: InBlocks
    folder: Path
    made_from: str
    scheduler: str | None = None
    # those of this run, which alone has made what is in their folders now
    _worked_so: set[str] = field(default_factory=set)

    def of_step(self, step: Step, inputs: Mapping[str, Image | Shapes]) -> Blocks | None:
        """Where a step's voxels go; None where it works in memory."""
        return self._of(step.name, step.operation, inputs, step.parameters)

    def _of(
        self,
        name: str,
        operation_name: str,
        inputs: Mapping[str, Image | Shapes],
        given: Mapping[str, Any],
    ) -> Blocks | None:
        operation, image = get(operation_name), inputs["image"]
        if self.how == "never" or not isinstance(image, Image):
            return None
        parameters = check_parameters(operation.parameters, given, image.spacing)
        if not may_work_in_blocks(operation, image, parameters):
            return None
        if self.how == "auto" and forecast(operation, inputs, parameters).fits:
            return None
        if not self._worked_so:
            self._begin()
        self._worked_so.add(name)
        return Blocks(self._folder_of(name), scheduler=self.scheduler)

    def store_of(self, step: str, output: str) -> Path | None:
        """Where an output of a step lies; None where it was made in memory."""
        found = self._folder_of(step) / f"{output}.zarr"
        return found if step in self._worked_so and found.is_dir() else None

    def _begin(self) -> None:
        note = self.folder / _MADE_FROM
        try:
            if note.is_file() and note.read_text("utf-8") == self.made_from:
                return
            self.remove()
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.folder} could not be made: {why_unwritable(error)}.") from error
        with written_whole(note) as temporary:
            temporary.write_text(self.made_from, "utf-8")

    def _folder_of(self, step: str) -> Path:
        """Inside the folder, whatever a recipe calls its step: paths, or names of any length."""
        return self.folder / digest_of_text(step)

    def table_of_objects(self, labels: Image, image: Image | None) -> Columns | None:
        """What `object_table_of` gives, found in blocks; None where that fits into memory."""
        from napari_seedbed.core.objects.object_measurement import QUICK_GROUPS, few_columns

        single = image is not None and image.n_channels == 1
        inputs = {"image": labels} | ({"other": image} if single and image else {})
        groups = {group.name: group.name in QUICK_GROUPS for group in get("measure").parameters}
        # no step has a dot in its name
        blocks = self._of(".objects", "measure", inputs, groups)
        if blocks is None:
            return None
        return few_columns(run("measure", inputs, groups, blocks=blocks).table().columns)

    def remove(self) -> None:
        """Remove what was only for the way."""
        shutil.rmtree(self.folder, ignore_errors=True)


def may_be_large(path: Path, how: InBlocks) -> bool:
    """Whether steps may work in blocks on what is in a file or folder."""
    if how != "auto":
        return how == "always"
    if is_url(path):
        return True
    try:
        is_file, size = path.is_file(), path.stat().st_size
    except (OSError, ValueError):
        # reading it says what is wrong with it
        return False
    return not is_file or size > _ALWAYS_IN_MEMORY
