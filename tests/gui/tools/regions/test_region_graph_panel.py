import itertools
import time

import numpy as np
import pytest
from napari.components import ViewerModel
from regions_window import IMAGE, REGIONS, RegionsBench, blocks
from skimage import color, data, segmentation

from bounds import bound
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.recipes import load_recipe, replay


@pytest.fixture
def bench(qtbot):
    return RegionsBench(ViewerModel(), qtbot)


def test_the_number_of_regions_can_be_typed(bench):
    bench.form.count.setValue(5)
    assert blocks(bench.shown) == [[1, 2, 3], [1, 5, 6]]


def test_the_level_can_be_typed(bench):
    bench.form.level.setValue(6)
    assert blocks(bench.shown) == [[1, 1, 3], [1, 5, 3]]


def test_outlines_of_the_merged_regions_are_drawn(bench):
    bench.form.count.setValue(3)
    thick = segmentation.find_boundaries(bench.shown, mode="thick")
    assert np.array_equal(bench.layer("merged regions").data, np.where(thick, bench.shown, 0))


def test_the_slider_joins_everything_at_its_end(bench):
    bench.form.slider.setValue(0)
    assert blocks(bench.shown) == [[1, 2, 3], [4, 5, 6]]
    bench.form.slider.setValue(bench.form.slider.maximum())
    assert blocks(bench.shown) == [[1, 1, 1], [1, 1, 1]]


def test_slider_count_and_level_tell_the_same(bench):
    bench.form.count.setValue(3)
    assert 5 < bench.form.level.value() < 25
    assert 0 < bench.form.slider.value() < bench.form.slider.maximum()
    before = bench.shown.copy()
    bench.form.level.setValue(bench.form.level.value())
    assert np.array_equal(bench.shown, before)


def test_cut_and_merge_differ_along_a_gradient(qtbot):
    image = np.repeat([[0, 4, 8, 12, 16]], 20, axis=0).repeat(10, axis=1).astype(np.uint8)
    regions = (image // 4 + 1).astype(np.int32)
    bench = RegionsBench(ViewerModel(), qtbot, image, regions)
    bench.form.level.setValue(5)
    assert len(np.unique(bench.shown)) > 1
    bench.form.fields.set_value("method", "cut")
    bench.wait_drawn()
    bench.form.level.setValue(5)
    assert len(np.unique(bench.shown)) == 1


def test_the_graph_joins_the_middles_of_neighbours(bench):
    bench.form.count.setValue(6)
    bench.wait_drawn()
    vectors = bench.layer("region graph").data
    ends = {tuple(map(tuple, sorted([v[0].tolist(), (v[0] + v[1]).tolist()]))) for v in vectors}
    rows, columns = (9.5, 29.5), (9.5, 29.5, 49.5)
    across = {((r, a), (r, b)) for r in rows for a, b in itertools.pairwise(columns)}
    down = {((rows[0], c), (rows[1], c)) for c in columns}
    assert ends == across | down


def test_lines_are_coloured_by_weight(bench):
    bench.form.count.setValue(6)
    bench.wait_drawn()
    graph = bench.layer("region graph")
    weights = [
        abs(float(IMAGE[tuple(np.rint(v[0]).astype(int))])
            - float(IMAGE[tuple(np.rint(v[0] + v[1]).astype(int))]))
        for v in graph.data
    ]  # fmt: skip
    assert np.argmin(weights) == np.argmin(graph.edge_color[:, 0])
    assert np.argmax(weights) == np.argmax(graph.edge_color[:, 0])


def texture():
    """60 by 60 regions of 4 by 4 pixels, of all kinds of grey."""
    regions = np.kron(np.arange(1, 3601).reshape(60, 60), np.ones((4, 4), int)).astype(np.int32)
    greys = np.random.default_rng(5).integers(0, 256, 3601).astype(np.uint8)
    return greys[regions], regions


@pytest.mark.parametrize("make", [lambda: (IMAGE, REGIONS), texture], ids=["blocks", "texture"])
def test_lines_of_the_graph_leave_the_picture_to_be_seen(qtbot, make):
    bench = RegionsBench(ViewerModel(), qtbot, *make())
    bench.form.slider.setValue(0)
    bench.wait_drawn()
    if make is texture:
        assert bench.layer("region graph") is None
        assert "7,080 edges of the graph would cover the picture" in bench.status
        for _ in range(2):
            bench.click(bench.form.graph)
            bench.wait_drawn()
    graph = bench.layer("region graph")
    lengths = np.linalg.norm(graph.data[:, 1], axis=1)
    assert lengths.sum() * graph.edge_width < 0.12 * bench.image.data.size
    assert graph.opacity < 1
    # what somebody has ticked stays
    bench.form.slider.setValue(10)
    bench.wait_drawn()
    assert bench.layer("region graph") is graph


def test_the_graph_can_be_switched_off(bench):
    bench.click(bench.form.graph)
    assert bench.layer("region graph") is None
    bench.click(bench.form.graph)
    assert bench.layer("region graph") is not None


def test_average_colours_are_those_of_scikit_image(qtbot):
    image = data.astronaut()[:100, :120]
    regions = segmentation.slic(image, 60).astype(np.int32)
    bench = RegionsBench(ViewerModel(), qtbot, image, regions, rgb=True)
    bench.click(bench.form.average)
    bench.form.count.setValue(10)
    shown = next(layer for layer in bench.viewer.layers if "average colours" in layer.name)
    expected = color.label2rgb(bench.shown, image.astype(float), kind="avg", bg_label=0)
    assert shown.rgb
    assert np.allclose(shown.data, expected, atol=0.51)
    bench.click(bench.form.average)
    assert not any("average colours" in layer.name for layer in bench.viewer.layers)


def test_previews_come_back_after_apply_except_those_that_a_person_has_hidden(bench):
    bench.form.average.setChecked(True)
    bench.wait_drawn()
    previews = [layer for layer in bench.viewer.layers if "(preview)" in layer.name]
    assert len(previews) == 3
    bench.layer("region graph").visible = False
    bench.click(bench.form.controls.run)
    bench.wait_run()
    assert not any(layer.visible for layer in previews)
    bench.form.count.setValue(4)
    bench.wait_drawn()
    seen = [layer.name for layer in previews if layer.visible]
    assert len(seen) == 2
    assert "region graph (preview)" not in seen


@pytest.mark.parametrize("average", [False, True])
def test_labels_that_are_applied_do_not_cover_the_average_colours(bench, average):
    bench.form.average.setChecked(average)
    bench.click(bench.form.controls.run)
    bench.wait_run()
    (labels,) = [layer for layer in bench.viewer.layers if layer.name == "blocks > Merge regions"]
    assert labels.visible is not average


def test_apply_stays_in_sight_in_a_low_window(bench):
    bench.panel.resize(320, 450)
    bench.qtbot.wait(20)
    button = bench.form.controls.run
    assert button.visibleRegion().boundingRect().size() == button.size()


def test_what_is_applied_is_what_was_shown(bench):
    bench.form.count.setValue(3)
    shown = bench.shown.copy()
    bench.click(bench.form.controls.run)
    bench.wait_run()
    result = next(layer for layer in bench.viewer.layers if "Merge regions" in layer.name)
    assert np.array_equal(result.data, shown)
    assert np.array_equal(bench.regions.data, REGIONS)
    assert not bench.layer("merged regions").visible


def test_a_saved_recipe_repeats_changes_by_hand(bench, tmp_path):
    bench.form.count.setValue(4)
    bench.click(bench.form.tools["take out"])
    bench.panel.tools._on_click((30, 10))
    expected = bench.shown.copy()
    assert blocks(expected)[1][0] == 4
    bench.click(bench.form.controls.run)
    bench.wait_run()
    bench.panel.save_recipe(tmp_path / "regions.yaml")
    again = replay(
        load_recipe(tmp_path / "regions.yaml"),
        Image(IMAGE, ("y", "x")),
        other=Image(REGIONS, ("y", "x")),
    )
    assert np.array_equal(again.image("labels").array, expected)


def test_superpixels_are_made_and_taken(qtbot):
    bench = RegionsBench(ViewerModel(), qtbot, data.camera()[::4, ::4], None)
    bench.wait_drawn()
    assert "make superpixels" in bench.status
    bench.click(bench.form.make)
    bench.wait_run()
    bench.wait_built()
    chosen = bench.panel.inputs.others["other"].layer()
    assert chosen.name == "blocks > superpixels"
    assert len(bench.panel.session.now.graph.labels) == len(np.unique(chosen.data))


def test_a_recipe_makes_the_superpixels_again(qtbot, tmp_path):
    image = data.camera()[::4, ::4]
    bench = RegionsBench(ViewerModel(), qtbot, image, None)
    bench.click(bench.form.make)
    bench.wait_run()
    bench.wait_built()
    expected = bench.shown.copy()
    bench.click(bench.form.controls.run)
    bench.wait_run()
    bench.panel.save_recipe(tmp_path / "regions.yaml")
    again = replay(load_recipe(tmp_path / "regions.yaml"), Image(image, ("y", "x")))
    assert np.array_equal(again.image("labels").array, expected)


def test_another_slice_shows_its_own_regions_and_edges(qtbot):
    image = np.stack([IMAGE, IMAGE[:, ::-1]])
    regions = np.stack([REGIONS, REGIONS[:, ::-1] + 6])
    bench = RegionsBench(ViewerModel(), qtbot, image, regions, scale=(3, 1, 1))
    bench.form.count.setValue(12)
    for z in (0, 1):
        bench.viewer.dims.set_point(0, 3 * z)
        bench.wait_drawn()
        assert np.array_equal(bench.shown, regions[z])
        vectors = bench.layer("region graph").data
        assert len(vectors) == 7
        assert (vectors[:, 0, 0] == z).all()
        labels = bench.layer("merged regions")
        assert labels.data_to_world((0, 0, 0))[0] == 3 * z


def test_volumes_are_applied_as_a_whole(qtbot):
    image = np.stack([IMAGE, IMAGE])
    bench = RegionsBench(ViewerModel(), qtbot, image, np.stack([REGIONS, REGIONS]))
    bench.form.count.setValue(5)
    bench.click(bench.form.controls.run)
    bench.wait_run()
    result = next(layer for layer in bench.viewer.layers if "Merge regions" in layer.name)
    assert [blocks(plane) for plane in result.data] == [[[1, 2, 3], [1, 5, 6]]] * 2


def test_each_time_point_has_a_graph_of_its_own(qtbot):
    image = np.stack([IMAGE, 255 - IMAGE[:, ::-1]])
    bench = RegionsBench(
        ViewerModel(), qtbot, image, np.stack([REGIONS, REGIONS]), axis_labels=("t", "y", "x")
    )
    bench.form.count.setValue(5)
    assert blocks(bench.shown) == [[1, 2, 3], [1, 5, 6]]
    bench.viewer.dims.set_point(0, 1)
    bench.wait_drawn()
    bench.qtbot.waitUntil(lambda: blocks(bench.shown) == [[1, 2, 3], [4, 5, 3]], timeout=5000)


def test_painted_regions_give_another_graph(bench):
    regions = REGIONS.copy()
    regions[:20, :20] = 9
    bench.regions.data = regions
    bench.qtbot.waitUntil(
        lambda: bench.panel.session.now is not None and 9 in bench.panel.session.now.graph.labels,
        timeout=10000,
    )


def test_a_regions_layer_that_goes_away_takes_the_preview_along(bench):
    bench.viewer.layers.remove(bench.regions)
    bench.qtbot.waitUntil(lambda: bench.layer("merged regions") is None, timeout=5000)
    assert "choose its regions" in bench.status


def test_a_hidden_panel_leaves_no_previews_behind(bench):
    bench.panel.hide()
    assert [layer.name for layer in bench.viewer.layers] == ["blocks", "regions"]
    bench.panel.show()
    bench.wait_built()
    assert bench.layer("merged regions") is not None


def test_labels_without_regions_are_named(bench):
    bench.regions.data = np.zeros_like(REGIONS)
    bench.qtbot.waitUntil(lambda: "holds no regions" in bench.status, timeout=5000)
    assert bench.layer("merged regions") is None


@pytest.mark.timing
def test_a_slider_move_on_ten_thousand_regions_is_shown_within_a_tenth_of_a_second(qtbot):
    rng = np.random.default_rng(0)
    regions = np.kron(np.arange(1, 10_001).reshape(100, 100), np.ones((8, 8))).astype(np.int32)
    bench = RegionsBench(ViewerModel(), qtbot, rng.random(regions.shape), regions)
    bench.form.slider.setValue(300)
    times = []
    for position in range(301, 900, 60):
        start = time.perf_counter()
        bench.form.slider.setValue(position)
        times.append(time.perf_counter() - start)
        assert 1 < len(np.unique(bench.shown)) < 10_000
    assert np.median(times) < bound(0.1)
