"""The panel of surfaces: where they lie, their colours, and whether they are up to date."""

import numpy as np
import pytest
from napari.layers import Surface

from napari_seedbed.gui.tools.views.surfaces_panel import SurfacesPanel

SCALE, PLACE = (2.0, 0.5, 0.5), (10.0, 20.0, 30.0)


def objects(n_times=0):
    labels = np.zeros((12, 40, 44), np.int32)
    labels[3:9, 4:16, 5:17] = 3
    labels[3:9, 22:36, 24:40] = 8
    return np.stack([labels * (t + 1) for t in range(n_times)]) if n_times else labels


class Bench:
    def __init__(self, viewer, qtbot, labels=None, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        layer = {"scale": SCALE, "translate": PLACE, "units": ("um",) * 3, **layer}
        self.labels = viewer.add_labels(objects() if labels is None else labels, **layer)
        self.panel = SurfacesPanel(viewer)
        qtbot.addWidget(self.panel)
        self.panel.resize(320, 600)
        self.panel.show()

    def run(self):
        self.panel.controls.run.click()
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=30000)

    @property
    def surfaces(self):
        return [layer for layer in self.viewer.layers if isinstance(layer, Surface)]

    @property
    def status(self):
        return self.panel.controls.status.text()


@pytest.fixture
def bench(viewer_model, qtbot):
    return Bench(viewer_model, qtbot)


def test_surfaces_lie_on_the_objects_in_their_colours(bench):
    bench.run()
    (surface,) = bench.surfaces
    assert surface.name == f"{bench.labels.name} > surfaces"
    np.testing.assert_allclose(surface.extent.world[0], (16, 22, 32.5), atol=1.6)
    np.testing.assert_allclose(surface.extent.world[1], (26, 37.5, 49.5), atol=1.6)
    assert [str(unit) for unit in surface.units] == ["micrometer"] * 3
    places = surface.vertices @ np.diag(SCALE) + PLACE
    first = places[:, 1] < 30
    for mine, label in ((first, 3), (~first, 8)):
        wanted = bench.labels.get_color(label)
        np.testing.assert_allclose(
            surface.vertex_colors[mine], wanted[np.newaxis].repeat(mine.sum(), 0)
        )
    assert bench.viewer.dims.ndisplay == 3
    assert not bench.labels.visible
    assert "2 objects" in bench.status


def test_next_run_renews_the_layer_and_changed_labels_outdate_it(bench):
    bench.run()
    (before,) = bench.surfaces
    count = len(before.vertices)
    bench.labels.data = np.where(objects() == 8, 0, objects())
    bench.qtbot.waitUntil(lambda: bench.status.startswith("Older than"), timeout=3000)
    bench.run()
    assert bench.surfaces == [before]
    assert len(before.vertices) == len(before.vertex_colors) < count
    bench.labels.selected_label = 3
    bench.panel.form.only.setChecked(True)
    bench.panel.form.fields.set_value("smoothing", 0.0)
    bench.run()
    assert "1 object," in bench.status


def test_time_point_in_view_is_shown_at_its_time(viewer_model, qtbot):
    bench = Bench(
        viewer_model,
        qtbot,
        objects(3),
        scale=(1, *SCALE),
        translate=(0, *PLACE),
        units=("pixel", *("um",) * 3),
        axis_labels=("t", "z", "y", "x"),
    )
    viewer_model.dims.set_point(0, 2)
    bench.run()
    (surface,) = bench.surfaces
    assert set(surface.vertices[:, 0]) == {2}


def test_flat_labels_are_refused_in_words(viewer_model, qtbot, monkeypatch):
    bench = Bench(
        viewer_model, qtbot, objects()[5], scale=(0.5, 0.5), translate=(0, 0), units=("um",) * 2
    )
    bench.run()
    assert "surfaces need a volume" in bench.status
    assert bench.surfaces == []


def test_cancel_leaves_what_is_shown(bench):
    bench.panel.controls.run.click()
    bench.panel.cancel()
    bench.qtbot.waitUntil(lambda: not bench.panel.is_busy, timeout=5000)
    assert bench.surfaces == []
    assert bench.labels.visible
