"""Projects whose values were changed, each member whole: never a crash, and what fails is said."""

import json
import random
import zipfile

import numpy as np
import pytest
from layers_of_each_kind import MADE
from napari.components import ViewerModel

from napari_seedbed.errors import FileError
from napari_seedbed.gui.hooks.project_opening import layers_from
from napari_seedbed.gui.layers.layer_descriptions import described
from napari_seedbed.pipeline.project.project_files import load_project, save_project
from napari_seedbed.pipeline.project.project_model import Project, ProjectLayer

OTHERS = (None, True, -1, 0, 10**30, 1e308, -0.5, "", "x", "\0", [], [[]], {}, {"$": "member"})


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Projects of one layer each, of all kinds: their members, and the texts among them."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("project") / "one.seedbed"
    found = []
    for make in MADE.values():
        save_project(path, Project((ProjectLayer(described(make(rng))),)))
        with zipfile.ZipFile(path) as file:
            found.append({name: file.read(name) for name in file.namelist()})
    return found


def leaves(value, path=()):
    """Where plain values are."""
    if isinstance(value, dict | list) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    yield path


def changed(text, chance):
    """The text with one to three values that are others."""
    content = json.loads(text)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice([path for path in leaves(content) if path])
        place = content
        for key in way:
            place = place[key]
        place[last] = chance.choice(OTHERS)
    return json.dumps(content)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_two_hundred_changed_projects_open_as_far_as_they_can(projects, tmp_path):
    path = tmp_path / "one.seedbed"
    opened = 0
    for seed in range(200):
        chance = random.Random(seed)
        texts = projects[seed % len(projects)]
        with zipfile.ZipFile(path, "w") as file:
            for member, content in texts.items():
                is_changed = member == "layers/0.json"
                file.writestr(member, changed(content, chance) if is_changed else content)
        try:
            (layer,), said = layers_from(load_project(path), {})
        except FileError as error:
            assert "one.seedbed" in str(error)  # noqa: PT017 - most of them open
            continue
        if layer is None:
            assert any("is missing" in one for one in said)
            continue
        viewer = ViewerModel()
        viewer.layers.append(layer)
        opened += 1
    assert opened > 150
