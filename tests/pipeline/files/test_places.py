"""Places on disk and at URLs."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.files.places import Url, is_url, place_of


@pytest.mark.parametrize(
    "text", ["https://host:80/a/b.zarr/", "s3://bucket/a/b.zarr", "HTTP://h/b.zarr"]
)
def test_a_url_stays_one_whatever_is_done_with_it(text):
    place = place_of(text)
    assert str(place) == text.rstrip("/")
    assert (place.name, str(place.parent)) == ("b.zarr", text.rstrip("/")[: -len("/b.zarr")])
    assert isinstance(place / "c", Url)
    assert str(place / "c") == f"{text.rstrip('/')}/c"
    assert place.resolve() == place == place_of(place) == place_of(str(place))
    # Someone may have made a path of it, which joins the slashes.
    assert place_of(Path(text)) == place
    assert not place.exists()


@pytest.mark.parametrize("text", ["a.zarr", "/a/b.zarr", "C:/a.zarr", "http:a", "x://y/z", ""])
def test_other_names_are_paths(text):
    assert not is_url(text)
    assert type(place_of(text)) is type(Path())


def test_a_package_that_is_missing_is_named(monkeypatch):
    def missing(url, **_):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setitem(sys.modules, "fsspec.core", SimpleNamespace(url_to_fs=missing))
    for scheme, package in (
        ("s3", r"'napari-seedbed\[remote\]'"),
        ("https", r"'napari-seedbed\[remote\]'"),
        ("gs", "gcsfs"),
        ("az", "adlfs"),
        ("abfs", "adlfs"),
    ):
        url = f"{scheme}://bucket/a.zarr"
        with pytest.raises(FileError, match=rf"{url} could .* with pip install {package}\.$"):
            read_image(url)
