"""What is in a project, in words."""

from pathlib import Path

from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.project.project_model import Project, ProjectLayer
from napari_seedbed.pipeline.project.project_recipes import recipes_of
from napari_seedbed.pipeline.project.source_images import find_image


def project_as_text(project: Project, folder: Path) -> str:
    """What is known about a project, a line each; the files of its images are looked for.

    Parameters
    ----------
    project : Project
    folder : Path
        Where it lies.
    """
    lines = [f"Project of napari-seedbed {visible(project.created_with)}"]
    for number, layer in enumerate(project.layers, start=1):
        text = "missing" if layer is None else _layer_in_words(layer, folder)
        lines.append(f"Layer {number:<4} {visible(text)}")
    for name, recipe in recipes_of(project).items():
        steps = ", ".join(step.operation for step in recipe.steps)
        lines.append(f"Recipe     of '{visible(name)}': {steps}")
    lines += [f"Panel      {visible(panel.panel)}" for panel in project.panels]
    lines += [f"Note       {visible(said)}" for said in project.missing]
    return "\n".join(lines)


def _layer_in_words(layer: ProjectLayer, folder: Path) -> str:
    about, source = layer.description, layer.source
    if source is not None:
        found = find_image(source, folder)
        place = source.absolute if found is None else str(found.path)
        state = "not found" if found is None else "" if found.is_same else "changed since"
        shape = " x ".join(map(str, source.shape))
        words = [f"{about.kind} '{about.name}'", shape, f"in {place}", state]
        return ", ".join(filter(None, words))
    data = about.arrays.get("data")
    words = [f"{about.kind} '{about.name}'"]
    if data is not None:
        words.append(f"{' x '.join(map(str, data.shape))}, {data.dtype.name}")
    if about.state.get("locked"):
        words.append("locked")
    return ", ".join(words)
