"""Functions of operations that hand all of their parameters on to one function of core."""

from collections.abc import Callable
from inspect import signature
from typing import Any

from napari_seedbed.pipeline.declarations import Job


def core_call(name: str, output: str = "image") -> Callable[[Job], dict[str, Any]]:
    """The function of an operation whose parameters have the names that core gives them.

    The image comes first; spacing, channel axis, progress and stopping follow where core's
    function takes them.

    Parameters
    ----------
    name : str
        Of a function of `core`; it is imported when it is called.
    output : str
        The key of what it gives.

    Returns
    -------
    callable
    """

    def function(job: Job) -> dict[str, Any]:
        from napari_seedbed import core

        called = getattr(core, name)
        known = signature(called).parameters
        about = {
            "spacing": job.spacing,
            "channel_axis": job.channel_axis,
            "report": job.report,
            "should_stop": job.should_stop,
        }
        also = {key: value for key, value in about.items() if key in known}
        return {output: called(job.load(), **job.parameters, **also)}

    return function
