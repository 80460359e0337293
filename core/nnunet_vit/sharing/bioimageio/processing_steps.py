"""A model's normalization and its activation in the steps that bioimage.io knows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

PLANE = ["y", "x"]
OTHERS = "export it with --onnx, whose JSON file describes every normalization."


def preprocessing(rules: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the steps that normalize an image as the model's rules say.

    Args:
        rules: of each channel, as `normalization` returns them.

    Raises:
        ModelError: bioimage.io has no steps for them.
    """
    first = rules[0]
    if any(rule["scheme"] != first["scheme"] for rule in rules):
        schemes = ", ".join(rule["scheme"] for rule in rules)
        raise ModelError(
            f"The channels are normalized in several ways, {schemes}; bioimage.io has one for all.",
            fix=OTHERS,
        )
    if first["scheme"] == "z_score":
        return [_z_score(rules)]
    if first["scheme"] == "clip_and_scale":
        return _clip_and_scale(rules)
    steps = {
        "rescale_to_0_1": [_step("scale_range", axes=PLANE, eps=first.get("least_maximum"))],
        "divide_by_255": [_step("scale_linear", gain=1 / 255)],
        "none": [],
    }
    return steps[first["scheme"]]


def postprocessing(activation: str) -> list[JsonObject]:
    """Return the step from logits to probabilities."""
    return [_step("softmax", axis="channel") if activation == "softmax" else {"id": "sigmoid"}]


def prepared(tile: "Array", steps: Sequence[JsonObject]) -> "Array":
    """Return a tile (C, H, W) after the steps of `preprocessing`, in float32."""
    values = tile.astype(np.float64)
    for step in steps:
        values = _done(values, step["id"], step["kwargs"])
    return values.astype(np.float32)


def _done(values: "Array", name: str, given: JsonObject) -> "Array":
    flat = values.reshape(len(values), -1)
    if name == "zero_mean_unit_variance":
        return _scaled(values, flat.mean(axis=1), flat.std(axis=1) + given["eps"])
    if name == "scale_range":
        least = flat.min(axis=1)
        return _scaled(values, least, flat.max(axis=1) - least + given["eps"])
    if name == "clip":
        return values.clip(given["min"], given["max"])
    if name == "fixed_zero_mean_unit_variance":
        return _scaled(values, np.asarray(given["mean"]), np.asarray(given["std"]))
    return values * float(given["gain"])


def _scaled(values: "Array", minus: "Array", by: "Array") -> "Array":
    return (values - minus.reshape(-1, 1, 1)) / by.reshape(-1, 1, 1)


def _z_score(rules: Sequence[JsonObject]) -> JsonObject:
    if any(rule["nonzero_only"] for rule in rules):
        raise ModelError(
            "The model's images are normalized by their pixels that are not 0 alone, for which "
            "bioimage.io has no step.",
            fix=OTHERS,
        )
    return _step("zero_mean_unit_variance", axes=PLANE, eps=rules[0]["least_std"])


def _clip_and_scale(rules: Sequence[JsonObject]) -> list[JsonObject]:
    ends = {(rule["lower"], rule["upper"]) for rule in rules}
    if len(ends) > 1:
        raise ModelError(
            "The channels are clipped to several ranges; bioimage.io has one for all.", fix=OTHERS
        )
    ((lower, upper),) = ends
    numbers: JsonObject = {key: [rule[key] for rule in rules] for key in ("mean", "std")}
    if len(rules) == 1:
        numbers = {key: value[0] for key, value in numbers.items()}
    else:
        numbers["axis"] = "channel"
    return [_step("clip", min=lower, max=upper), _step("fixed_zero_mean_unit_variance", **numbers)]


def _step(name: str, **given: object) -> JsonObject:
    return {"id": name, "kwargs": given}
