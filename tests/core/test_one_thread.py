"""One thread for numerical libraries, for as long as somebody wants it."""

from contextlib import ExitStack

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from napari_seedbed.core.one_thread import one_library_thread


def threads_of_blas():
    assert np.eye(2) @ np.eye(2) is not None
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


def test_the_last_one_who_leaves_gives_the_threads_back():
    with threadpool_limits(2):
        before = threads_of_blas()
        first, second = ExitStack(), ExitStack()
        first.enter_context(one_library_thread())
        assert threads_of_blas() == {1}
        second.enter_context(one_library_thread())
        first.close()
        assert threads_of_blas() == {1}
        second.close()
        assert threads_of_blas() == before
