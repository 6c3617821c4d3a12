"""How many strokes came since the run whose result is shown."""


class StrokeCount:
    """Counts by digests of the seeds: a stroke that is taken back does not count.

    Attributes
    ----------
    count : int
    """

    def __init__(self) -> None:
        # Of the seeds that the result is of, and after each stroke since.
        self._states: list[int | None] = [None]
        self._begun: int | None = None

    @property
    def count(self) -> int:
        """Strokes since the result that is shown."""
        return len(self._states) - 1

    def note(self, digest: int | None) -> None:
        """The seeds are these now."""
        if digest in self._states:
            del self._states[self._states.index(digest) + 1 :]
        else:
            self._states.append(digest)

    def begin(self, digest: int | None) -> None:
        """A run begins with these seeds."""
        self._begun = digest

    def finish(self) -> None:
        """The result of the run that began last is shown."""
        if self._begun in self._states:
            del self._states[: self._states.index(self._begun)]
        else:
            self.forget(self._begun)

    def forget(self, digest: int | None = None) -> None:
        """Begin anew with these seeds."""
        self._states, self._begun = [digest], digest
