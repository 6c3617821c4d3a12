"""Functions of core called by operations: their arguments, and the names in their messages."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import Any

from napari_seedbed.errors import InputError
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


@contextmanager
def named_as(names: Mapping[str, str]) -> Iterator[None]:
    """Let messages that begin with core's name of an argument begin with the name it has here.

    Parameters
    ----------
    names : dict
        From core's names to those of an operation's inputs and parameters.
    """
    try:
        yield
    except InputError as error:
        message = str(error)
        word = re.match(r"\w+", message)
        if word is not None and word[0] in names:
            error.args = (names[word[0]] + message[word.end() :],)
        raise
