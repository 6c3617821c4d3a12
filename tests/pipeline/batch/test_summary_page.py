"""The page over a batch, in a real browser."""

import shutil

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, MISSING, browser
from skimage.draw import disk

from napari_seedbed.pipeline.batch import PAGE, run_batch
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record

LONG = "a_rather_long_name_of_a_picture_from_the_second_plate_of_the_third_day_of_march"


def discs(n):
    """A picture with n bright discs of different sizes."""
    array = np.random.default_rng(n).integers(0, 40, (180, 240)).astype(np.uint8)
    for i in range(n):
        array[disk((30 + 50 * (i // 5), 25 + 45 * (i % 5)), 6 + 2 * (i % 5))] = 200
    return Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name=f"discs {n}")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of ten pictures, the last of which is damaged and the first of a long name."""
    folder = tmp_path_factory.mktemp("summary")
    counts = [2, 10, 7, 1, 12, 5, 9, 3, 4]
    names = [f"{LONG}.ome.tif", *(f"plate1_{n:02}.ome.tif" for n in counts[1:])]
    for name, n in zip(names, counts, strict=True):
        write_image(folder / name, discs(n))
    (folder / "zz_damaged.tif").write_bytes(b"II*\0 nothing")
    smooth = run("gaussian", {"image": discs(3)}, {"sigma": 0.5}).image("image")
    labels = run("label", {"image": run("threshold", {"image": smooth}).image("mask")})
    recipe = recipe_from_record(labels.record)
    files = [folder / name for name in [*names, "zz_damaged.tif"]]
    run_batch(recipe, files, folder / "out", recipe_name="discs.yaml")
    for name, n in zip(names, counts, strict=True):
        found = read_image(folder / "out" / name.replace(".ome.tif", "_labels.ome.tif"))
        assert found.array.max() == n
    return folder / "out" / PAGE, names, counts


NAMES = """return [...document.querySelectorAll("tbody tr td.input")].map(
    (cell) => cell.dataset.value.split("/").pop());"""
OVERFLOWING = """return [...document.querySelectorAll("body *")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || box.left < 0);
}).map((one) => one.outerHTML.slice(0, 200));"""
CUT_OFF = """return [...document.querySelectorAll("td, th, h1, p")].filter(
    (one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML.slice(0, 200));"""


@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason=MISSING)
def test_page_in_a_browser(page, tmp_path):
    path, names, counts = page
    # It needs no other file.
    alone = shutil.copy(path, tmp_path / PAGE)
    count_of = dict(zip(names, counts, strict=True))
    with browser(tmp_path) as chromium:
        chromium.resize(1366, 768)
        chromium.log("browser")
        chromium.requests()
        chromium.open(alone.as_uri())

        rows = chromium.run(NAMES)
        assert rows == ["zz_damaged.tif", *names]
        said = chromium.run("return document.querySelector('tbody tr .error').innerText")
        assert "is cut off or damaged" in said
        assert chromium.run("return document.querySelector('p').innerText").startswith(
            f"9 done, 1 failed, {sum(counts)} objects."
        )
        pictures = chromium.run(
            """return [...document.images].map((one) => {
                const box = one.getBoundingClientRect();
                return one.complete && one.naturalWidth > 0 && box.width > 50 && box.height > 50;
            });"""
        )
        assert pictures == [True] * len(names)
        bars = chromium.run(
            """return [...document.querySelectorAll("tbody svg")].map((one) =>
                [...one.querySelectorAll("rect")].map((bar) => {
                    const box = bar.getBoundingClientRect();
                    return box.width > 1 && box.height > 1;
                }));"""
        )
        assert len(bars) == len(names)
        assert all(0 < len(one) <= 24 and all(one) for one in bars)

        for column, expected in (
            ("Objects", sorted(names, key=count_of.__getitem__)),
            ("Input", sorted(names)),
        ):
            chromium.click(f"//th/button[text()='{column}']")
            rising = [name for name in chromium.run(NAMES) if name in count_of]
            assert rising == expected
            chromium.click(f"//th/button[text()='{column}']")
            falling = [name for name in chromium.run(NAMES) if name in count_of]
            assert falling == expected[::-1]
            state = chromium.run(
                "return [...document.querySelectorAll('th[aria-sort]')].map("
                "(one) => [one.innerText.trim(), one.ariaSort])"
            )
            assert [(name.strip(" ▲▼"), order) for name, order in state] == [(column, "descending")]
        chromium.click("//th/button[text()='Seconds']")
        seconds = chromium.run(
            "return [...document.querySelector('tbody').rows].map((row) => +row.cells[4].innerText)"
        )
        assert seconds == sorted(seconds)

        for width in (1366, 1024, 800, 400):
            chromium.resize(width, 768)
            assert chromium.run(OVERFLOWING) == []
            assert chromium.run(CUT_OFF) == []
            chromium.screenshot(tmp_path / f"page{width}.png")
        assert chromium.log("browser") == []
        asked = [address for address in chromium.requests() if not address.startswith("data:")]
        assert asked == [alone.as_uri()]
