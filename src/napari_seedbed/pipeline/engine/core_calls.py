"""Functions of core called by operations: their arguments, and the names in their messages."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.jobs import Job


def _parameters_of(job: Job) -> Mapping[str, Any]:
    return job.parameters


@dataclass(frozen=True)
class CoreCall:
    """The function of an operation that does what one of core does.

    The image comes first. Spacing, channel axis, and the second image as a mask
    follow where core's function takes them.

    Attributes
    ----------
    name : str
        Of a function of `core`, which is imported when it is called; '' where it has the name of
        the operation.
    arguments : callable
        ``arguments(job)`` gives the others by their names: by default the parameters.
    """

    name: str = ""
    arguments: Callable[[Job], Mapping[str, Any]] = _parameters_of

    def result(self, job: Job, operation: str = "") -> Any:
        """What core's function gives for a job of an operation."""
        called = getattr(job.core, self.name or operation)
        known = signature(called).parameters
        about = {
            "spacing": job.spacing,
            "channel_axis": job.channel_axis,
        }
        arguments: dict[str, Any] = {key: value for key, value in about.items() if key in known}
        if "mask" in known:
            arguments["mask"] = job.other()
        arguments.update(self.arguments(job))
        return called(job.load(), **arguments)


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
