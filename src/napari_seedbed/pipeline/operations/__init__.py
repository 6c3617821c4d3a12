"""The operations that there are, one module a family, and the door to all of them."""

from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.forecasts import Forecast, forecast
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.engine.registry import get, names, operations, register
from napari_seedbed.pipeline.engine.results import Result
from napari_seedbed.pipeline.engine.runs import prepare, run
from napari_seedbed.pipeline.operations.catalogue import OPERATIONS

__all__ = [
    "Context",
    "Forecast",
    "Operation",
    "Parameter",
    "Result",
    "forecast",
    "get",
    "names",
    "operations",
    "prepare",
    "run",
]

register(OPERATIONS)
