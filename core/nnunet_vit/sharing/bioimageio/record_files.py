"""The files of a record beside its weights: test tensors, a cover, documentation, description."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.overlay import Legend, as_rgb, outlined
from nnunet_vit.sharing.bioimageio.processing_steps import postprocessing, prepared, preprocessing
from nnunet_vit.sharing.bioimageio.record_facts import RecordFacts, described_by
from nnunet_vit.sharing.bioimageio.record_page import record_page
from nnunet_vit.sharing.onnx.example_tiles import drawn_tile, given_tile
from nnunet_vit.sharing.opened_model import OpenedModel

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    from nnunet_vit.files.array_type import Array

RECORD = "bioimageio.yaml"  # JSON is YAML
COVER_EDGE = 256  # pixels of each half at least; a cover is twice as wide as high
Run = Callable[[torch.Tensor], torch.Tensor]


def write_record(
    folder: Path, opened: OpenedModel, record: JsonObject, *, facts: RecordFacts, run: Run
) -> Path:
    """Write all but the weights, which lie in the folder already; return the description's file.

    Args:
        folder: where to.
        opened: the model.
        record: the content of the ONNX file's JSON.
        facts: of the command line.
        run: images (B, C, H, W) to logits, in onnxruntime.

    Raises:
        DataError: the example is no image of the model's.
        ModelError: bioimage.io has no steps for the model's normalization.
    """
    steps = preprocessing([channel["normalization"] for channel in record["channels"]])
    tile = given_tile(opened.model, facts.example) if facts.example else drawn_tile(opened.model)
    images = torch.from_numpy(prepared(tile, steps))[None]
    sigmoid = record["outputs"]["activation"] == "sigmoid"
    logits = run(images)
    found = (torch.sigmoid(logits) if sigmoid else torch.softmax(logits, dim=1)).numpy()
    np.save(folder / "test_input.npy", tile[None])
    np.save(folder / "test_output.npy", found)
    _write_cover(folder / "cover.png", tile, found[0], opened.model.labels)
    about = described_by(opened, facts)
    page = record_page(record, about["name"], about["description"])
    (folder / "README.md").write_text(page, encoding="utf-8")
    described = folder / RECORD
    content = {**about, **_parts(record, steps)}
    described.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return described


def _parts(record: JsonObject, steps: list[JsonObject]) -> JsonObject:
    from bioimageio.spec.model.v0_5 import ModelDescr

    about = record["onnx"]
    weights = {
        "source": about["file"],
        "sha256": about["sha256"],
        "opset_version": about["opset"],
        "comment": f"Written by nnunet-vit {record['versions']['nnunet-vit']}.",
    }
    for data in about["external_data"]:
        weights["external_data"] = {"source": data["file"], "sha256": data["sha256"]}
    return {
        "type": "model",
        "format_version": ModelDescr.implemented_format_version,
        "version": "0.1.0",
        "documentation": {"source": "README.md"},
        "covers": [{"source": "cover.png"}],
        "inputs": [_input(record, steps)],
        "outputs": [_output(record)],
        "weights": {"onnx": weights},
        "config": {"nnunet_vit": {key: record[key] for key in ("model", "tiles", "outputs")}},
    }


def _input(record: JsonObject, steps: list[JsonObject]) -> JsonObject:
    height, width = record["tiles"]["size"]
    return {
        "id": "image",
        "description": "a tile with the intensities of the training images",
        "axes": [
            _batch(record),
            {"type": "channel", "channel_names": _names(record["channels"])},
            *(
                {"type": "space", "id": axis, "size": size, **_scale(record, number)}
                for number, (axis, size) in enumerate((("y", height), ("x", width)))
            ),
        ],
        "data": {"type": "float32"},
        "preprocessing": steps,
        "test_tensor": {"source": "test_input.npy"},
    }


def _output(record: JsonObject) -> JsonObject:
    activation = record["outputs"]["activation"]
    return {
        "id": "probabilities",
        "description": f"{activation} of the logits of each class or region",
        "axes": [
            _batch(record),
            {"type": "channel", "channel_names": _names(record["outputs"]["classes"])},
            *(
                {
                    "type": "space",
                    "id": axis,
                    "size": {"tensor_id": "image", "axis_id": axis},
                    **_scale(record, number),
                }
                for number, axis in enumerate("yx")
            ),
        ],
        "data": {"type": "float32", "range": [0.0, 1.0]},
        "postprocessing": postprocessing(activation),
        "test_tensor": {"source": "test_output.npy"},
    }


def _batch(record: JsonObject) -> JsonObject:
    fixed = record["onnx"]["input"]["shape"][0] == 1
    return {"type": "batch", "size": 1} if fixed else {"type": "batch"}


def _scale(record: JsonObject, axis: int) -> JsonObject:
    steps = record["preprocessing"]
    if steps["reader"] == "NaturalImage2DIO":  # pictures have no spacing
        return {}
    return {"scale": steps["spacing"][axis], "unit": "millimeter"}


def _names(things: list[JsonObject]) -> list[str]:
    """Return names of channels, which may not be alike."""
    names = [str(thing["name"]) for thing in things]
    alike = len(set(names)) < len(names)
    return [f"{name} {number}" for number, name in enumerate(names)] if alike else names


def _write_cover(file: Path, tile: "Array", found: "Array", labels: "LabelManager") -> None:
    """Draw the test input, and beside it the mask that it gives."""
    from skimage.io import imsave

    factor = max(1, -(-COVER_EDGE // min(found.shape[1:])))
    edge = factor * min(found.shape[1:])
    picture, mask = (
        each.repeat(factor, axis=0).repeat(factor, axis=1)[:edge, :edge]
        for each in (as_rgb(np.moveaxis(tile, 0, -1)), _mask(found, labels))
    )
    views = [picture, outlined(picture, mask, Legend({}))]
    imsave(file, np.concatenate(views, axis=1), check_contrast=False)


def _mask(found: "Array", labels: "LabelManager") -> "Array":
    if not labels.has_regions:
        return np.asarray(found.argmax(axis=0))
    mask = np.zeros(found.shape[1:], dtype=int)
    for value, one in zip(labels.regions_class_order or (), found, strict=True):
        mask[one > 0.5] = value
    return mask
