"""A recipe on many files."""

from napari_seedbed.pipeline.batch.file_runs import PAGE, run_batch
from napari_seedbed.pipeline.batch.items import NEEDS
from napari_seedbed.pipeline.batch.workers import Workers

__all__ = ["NEEDS", "PAGE", "Workers", "run_batch"]
