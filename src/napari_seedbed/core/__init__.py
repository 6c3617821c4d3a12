"""Algorithms: arrays in, arrays out. Names load on first use, so importing this is quick."""

from importlib import import_module
from typing import Any

_HOMES = {
    "RandomWalker": "random_walks",
    "random_walker": "random_walks",
    "compile_kernels": "compilation",
    "compile_snakes": "compilation",
    "random_walker_memory": "forecast",
    "random_walker_seconds": "forecast",
    "gaussian": "filters",
    "otsu_threshold": "thresholds",
    "threshold_otsu": "thresholds",
    "object_table": "objects",
    "segmentation_scores": "scores",
    "split_and_merge_errors": "object_errors",
    "surface_distances": "surface_scores",
    "seeds_from_points": "seeds",
    "seeds_from_shapes": "seeds",
    "resample_labels": "seeds",
    "ContourState": "elastic_contours",
    "active_contour": "elastic_contours",
    "active_contours": "elastic_contours",
    "evolve_contours": "elastic_contours",
    "Outline": "outlines",
    "contours_from_labels": "outlines",
    "labels_from_contours": "outlines",
    "volume_from_slices": "slice_interpolation",
    "chan_vese": "level_sets",
    "checkerboard_level_set": "snake_inputs",
    "disk_level_set": "snake_inputs",
    "EdgeSurface": "snake_methods",
    "ElasticContour": "snake_methods",
    "Grown": "snakes",
    "RegionSurface": "snake_methods",
    "Shape": "shapes",
    "edge_map": "snake_images",
    "grow_snakes": "snakes",
    "evolve_chan_vese": "morphological_snakes",
    "evolve_geodesic": "morphological_snakes",
    "evolve_labels": "label_snakes",
    "evolve_level_set": "level_sets",
    "inverse_gaussian_gradient": "snake_inputs",
    "morphological_chan_vese": "morphological_snakes",
    "morphological_geodesic_active_contour": "morphological_snakes",
    "BACKPROJECTION_METHODS": "backprojection",
    "ColourTable": "backprojection",
    "colour_table": "backprojection",
    "fit_colour_tables": "backprojection",
    "histogram_backprojection": "backprojection",
    "histogram_backprojections": "backprojection",
    "table_probability": "backprojection",
    "rg_chromaticity": "chromaticity",
    "saturated": "chromaticity",
    "saturation_level": "chromaticity",
    "colour_composite": "colour_classes",
    "masks_at_levels": "colour_classes",
    "most_probable": "colour_classes",
    "ColourGaussian": "colour_gaussians",
    "chromaticity_gaussian": "colour_gaussians",
    "chromaticity_gaussians": "colour_gaussians",
    "coordinate_probabilities": "colour_gaussians",
    "fit_colour_gaussians": "colour_gaussians",
    "gaussian_probabilities": "colour_gaussians",
    "ColourHistogram": "colour_histograms",
    "bins_in_polygon": "colour_histograms",
    "colour_histogram": "colour_histograms",
    "pixels_in_bins": "colour_histograms",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
