"""What a recipe file may hold, as a JSON Schema: editors check and complete recipes with it."""

from typing import Any

from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.operations import operations
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

_TYPES = {
    "float": "number",
    "int": "integer",
    "bool": "boolean",
    "choice": "string",
    "text": "string",
}


def recipe_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), with the parameters of each operation and their bounds."""
    schema = Recipe.model_json_schema()
    step = schema["$defs"]["Step"]
    step["properties"]["operation"]["enum"] = sorted(operations)
    step["allOf"] = [_where_it_is(operation) for operation in operations.values()]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _where_it_is(operation: Operation) -> dict[str, Any]:
    parameters = {one.name: _property(one) for one in operation.parameters}
    return {
        "if": {"properties": {"operation": {"const": operation.name}}},
        "then": {
            "properties": {
                "operation": {"title": operation.title, "description": operation.help},
                "parameters": {"properties": parameters, "additionalProperties": False},
            }
        },
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    about: dict[str, Any] = {
        "title": parameter.label,
        "description": parameter.help,
        "type": _TYPES[parameter.type],
    }
    if not parameter.in_voxels:
        about["default"] = parameter.default
    if parameter.choices:
        about["enum"] = list(parameter.choices)
    if parameter.minimum is not None:
        about["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        about["maximum"] = parameter.maximum
    return about
