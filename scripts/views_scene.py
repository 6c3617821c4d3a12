"""The scenes of the page on orthogonal views: strokes in all planes of nuclei, and surfaces."""

import numpy as np
from napari import Viewer
from waiting import wait_until

from napari_seedbed.gui.layers.image_layers import add_seeds_layer
from napari_seedbed.gui.tools.views.surfaces_panel import SurfacesPanel

_ASIDE = 12


def build_views(viewer: Viewer) -> None:
    """Open a volume and the views, and paint a stroke in each plane."""
    image, truth = viewer.open_sample("napari-seedbed", "nuclei")
    viewer.layers.remove(truth)
    seeds = add_seeds_layer(viewer, image)
    viewer.window.add_plugin_dock_widget("napari-seedbed", "Orthogonal views (xz and yz)")
    depth, height, width = seeds.data.shape
    middle = (depth // 2, height // 2, width // 2)
    # each beside the crosshair, in one plane
    for label, (axis, aside) in enumerate(((2, 1), (0, 2), (1, 0)), start=1):
        places = [np.full(40, at + _ASIDE * (nth == aside)) for nth, at in enumerate(middle)]
        length = min(40, seeds.data.shape[axis] - 2)
        places = [place[:length] for place in places]
        places[axis] = np.arange(length) + (seeds.data.shape[axis] - length) // 2
        seeds.data_setitem(tuple(places), label)
    viewer.dims.point = seeds.data_to_world(middle)
    viewer.reset_view()


def build_surfaces(viewer: Viewer) -> SurfacesPanel:
    """Wrap the nuclei of a volume in surfaces, seen from the side."""
    image, _ = viewer.open_sample("napari-seedbed", "nuclei")
    _, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Surfaces (3D)")
    panel.run()
    wait_until(lambda: not panel.is_busy, "the surfaces")
    image.visible = False
    viewer.scene.camera.angles = (10, 25, 60)
    viewer.reset_view(reset_camera_angle=False)
    return panel
