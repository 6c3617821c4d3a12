"""The panels that there are: every other operation has the form made from its declaration."""

_TOOLS = "napari_seedbed.gui.tools"

PANELS = {
    "seeded_segmentation": f"{_TOOLS}.walker.seeded_segmentation_panel:SeededSegmentationPanel",
    "pixel_classifier": f"{_TOOLS}.classifier.pixel_classifier_panel:PixelClassifierPanel",
    "snakes": f"{_TOOLS}.snakes.snakes_panel:SnakesPanel",
    "crop": f"{_TOOLS}.crop.crop_panel:CropPanel",
    "threshold": f"{_TOOLS}.thresholds.threshold_panel:ThresholdPanel",
    "region_graph": f"{_TOOLS}.regions.region_graph_panel:RegionGraphPanel",
    "chromaticity": f"{_TOOLS}.colour.chromaticity_panel:ChromaticityPanel",
    "differences": f"{_TOOLS}.differences.differences_panel:DifferencesPanel",
    "measurements": f"{_TOOLS}.measurements.measurements_panel:MeasurementsPanel",
    "proofread": f"{_TOOLS}.proofreading.proofreading_panel:ProofreadingPanel",
    "scores": f"{_TOOLS}.scores.scores_panel:ScoresPanel",
}
"""``module:class`` of the panel that a command opens (`Operation.command`)."""
