"""The schema of recipes, and files that earlier versions wrote."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from napari_seedbed.pipeline.operations import operations
from napari_seedbed.pipeline.recipes import load_recipe, save_recipe
from napari_seedbed.pipeline.recipes.recipe_schema import recipe_schema

KEPT = Path(__file__).parent / "version_1"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(scope="module")
def validator():
    Draft202012Validator.check_schema(recipe_schema())
    return Draft202012Validator(recipe_schema())


def complaints(validator, content):
    """Where each complaint is."""
    return [".".join(map(str, error.absolute_path)) for error in validator.iter_errors(content)]


def test_recipes_fit_the_schema_and_mistakes_do_not(validator):
    for path in (*EXAMPLES.glob("*.yaml"), *KEPT.glob("*.yaml")):
        if path.is_symlink() or "former_names" in path.name:
            continue
        assert complaints(validator, yaml.safe_load(path.read_text("utf-8"))) == [], path.name
    content = yaml.safe_load((KEPT / "coins.yaml").read_text("utf-8"))
    assert {step["operation"] for step in content["steps"]} <= set(operations)
    number, step, name, parameter = next(
        (number, step, parameter.name, parameter)
        for number, step in enumerate(content["steps"])
        for parameter in operations[step["operation"]].parameters
        if parameter.minimum is not None
    )
    place = f"steps.{number}.parameters"
    step["parameters"][name] = parameter.minimum - 1
    assert complaints(validator, content) == [f"{place}.{name}"]
    step["parameters"] = {"no_such_parameter": 1}
    assert complaints(validator, content) == [place]
    step["operation"], step["parameters"] = "no_such_operation", {}
    assert complaints(validator, content) == [f"steps.{number}.operation"]


def test_recipes_of_version_1_are_read(tmp_path):
    """They stay as they were written; what they say survives being saved again."""
    found = sorted(KEPT.glob("*.yaml"))
    assert len(found) >= 5
    for path in found:
        recipe = load_recipe(path)
        assert recipe.format_version == 1
        assert load_recipe(save_recipe(tmp_path / path.name, recipe)) == recipe
    now, before = (load_recipe(KEPT / f"coins{name}.yaml") for name in ("", "_former_names"))
    assert [step.operation for step in before.steps] == [step.operation for step in now.steps]
