"""A model folder to an ONNX file, compared with PyTorch on the spot."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from nnunet_vit.errors import ConfigError, MachineError, PluginError, first_line
from nnunet_vit.files.digests import sha256
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.modeling.runtime.onnx_graph import (
    OPSET,
    OnnxGraph,
    missing_packages,
    running,
    to_onnx,
    traced,
)
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.onnx.agreement import Agreement, agreement, check_agreement
from nnunet_vit.sharing.onnx.around_network import around_network
from nnunet_vit.sharing.onnx.example_tiles import drawn_tiles, noise_tiles
from nnunet_vit.sharing.onnx.folds_mean import FoldsMean
from nnunet_vit.sharing.onnx.model_record import FORMAT, model_record
from nnunet_vit.sharing.opened_model import OpenedModel, Wanted, opened_model

BATCHES = (1, 3)  # of images, on which the two are compared
INSTALL = "pip install 'nnunet-vit[onnx]'"


@dataclass(frozen=True)
class Exported:
    """An ONNX file that says what PyTorch says.

    Attributes:
        files: the ONNX file, and the one with its weights where they do not fit into it.
        graph: what is in it.
        compared: with PyTorch.
    """

    files: tuple[Path, ...]
    graph: OnnxGraph
    compared: Agreement


def export_onnx(wanted: Wanted, file: Path, *, opset: int | None, progress: Progress) -> str:
    """Write a model's network as `file`, and what belongs around it as JSON beside it.

    Both are written whole or not at all; earlier ones are replaced.

    Args:
        wanted: the model and its folds; several are one graph, whose logits are their mean.
        file: ends in .onnx; the JSON file has its name with .json.
        opset: version of ONNX's operators; None: 18.
        progress: where to show what happens.

    Returns:
        What was written, in one line.

    Raises:
        ConfigError: the name or the opset cannot be.
        MachineError: a package is missing, or the files cannot be written.
        ModelError: the model cannot be read, or is not to be described as data.
        NumericsError: the exported network says something else than PyTorch's.
        PluginError: the head cannot be exported.
    """
    described = _checked_names(file)
    check_opset(opset)
    check_writable(file.parent, f"--onnx {file}")
    opened = opened_model(wanted, progress)
    around = around_network(opened.model)
    file.parent.mkdir(parents=True, exist_ok=True)
    with staged_in(file.parent) as staged:
        exported = exported_in(staged, file.name, opened, opset=opset, progress=progress)
        record = {**model_record(opened), "onnx": onnx_record(exported, opened), **around}
        write_json(record, staged / described.name)
        for path in (*exported.files, staged / described.name):  # the JSON last: it has the digest
            os.replace(path, file.with_name(path.name))
    return told(file, described, exported)


def check_packages(packages: Sequence[str] = (), install: str = INSTALL) -> None:
    """Refuse to begin without what ONNX needs.

    Raises:
        MachineError: names what is missing.
    """
    missing = [*missing_packages(), *packages]
    if missing:
        raise MachineError(f"Not installed: {', '.join(missing)}.", fix=install)


def check_opset(opset: int | None) -> None:
    """Refuse a version of ONNX's operators that cannot be written.

    Raises:
        ConfigError: names those that can.
        MachineError: a package is missing.
    """
    check_packages()
    import onnx

    newest = onnx.defs.onnx_opset_version()
    if opset is not None and not OPSET <= opset <= newest:
        raise ConfigError(
            f"--opset {opset}; allowed: {OPSET} to {newest}.",
            fix=f"leave it out for {OPSET}, which onnxruntime has from version 1.14 on.",
        )


def exported_in(
    folder: Path, name: str, opened: OpenedModel, *, opset: int | None, progress: Progress
) -> Exported:
    """Write the network to a folder and compare it with PyTorch's.

    Args:
        folder: where to.
        name: of the file.
        opened: the model; its networks compute in float32 afterwards.
        opset: version of ONNX's operators; None: 18.
        progress: where to show what happens.

    Raises:
        ConfigError: torch does not write this opset.
        NumericsError: the exported network says something else.
        PluginError: the head cannot be exported.
    """
    import onnx

    model = opened.model
    network = FoldsMean(model.networks)
    progress.start_work("Exporting the network")
    try:
        program, any_batch = traced(network, noise_tiles(model, 1))
        graph = to_onnx(program, any_batch=any_batch, opset=opset or OPSET)
    except Exception as error:
        raise _not_exportable(opened, error) from error
    if graph.opset != (opset or OPSET):
        raise ConfigError(
            f"--opset {opset}: torch {torch.__version__} wrote {graph.opset} instead.",
            fix=f"--opset {graph.opset}",
        )
    files = graph.save(folder / name)
    onnx.checker.check_model(str(files[0]))
    progress.start_work("Comparing it with PyTorch")
    found = _compared(network, files[0], opened, any_batch=any_batch)
    check_agreement(found)
    if not any_batch:
        progress.warn("the head counts its images: the ONNX file takes one image at a time.")
    return Exported(tuple(files), graph, found)


def _compared(network: FoldsMean, file: Path, opened: OpenedModel, *, any_batch: bool) -> Agreement:
    model = opened.model
    batches = BATCHES if any_batch else (1,)
    tiles = [make(model, count) for make in (noise_tiles, drawn_tiles) for count in batches]
    return agreement(network, running(file), tiles)


def onnx_record(exported: Exported, opened: OpenedModel) -> JsonObject:
    """Return what a program has to know of the ONNX file."""
    from nnunet_vit.modeling.runtime.onnx_graph import BATCH, INPUT, OUTPUT

    tile = list(opened.model.configuration.patch_size)
    batch = BATCH if exported.graph.any_batch else 1
    channels = len(opened.model.description["channel_names"])
    outputs = opened.model.labels.num_segmentation_heads
    file, *more = exported.files
    found = exported.compared
    return {
        "file": file.name,
        "sha256": sha256(file),
        "bytes": file.stat().st_size,
        "external_data": [
            {"file": data.name, "sha256": sha256(data), "bytes": data.stat().st_size}
            for data in more
        ],
        "opset": exported.graph.opset,
        "ir_version": int(exported.graph.program.model.ir_version),
        "input": {"name": INPUT, "type": "float32", "shape": [batch, channels, *tile]},
        "output": {"name": OUTPUT, "type": "float32", "shape": [batch, outputs, *tile]},
        "compared_with_pytorch": {
            "batches": list(BATCHES) if exported.graph.any_batch else [1],
            "largest_logit": found.logit,
            "largest_difference": found.found.largest,
            "mean_difference": found.found.mean,
            "allowed_difference": found.allowed,
            "exact": found.exact,
            "pytorch_itself": {
                "largest_difference": found.own.largest,
                "mean_difference": found.own.mean,
            },
        },
    }


def told(file: Path, described: Path, exported: Exported) -> str:
    """Return what was written, for the last line."""
    from nnunet_vit.quantities import bytes_text

    size = sum(path.stat().st_size for path in (file.with_name(p.name) for p in exported.files))
    found = exported.compared
    steep = f", as its own do by rounding ({found.own.largest:.1e})" * (not found.exact)
    return (
        f"ONNX: {file} ({bytes_text(size)}, opset {exported.graph.opset}) and {described.name}; "
        f"logits differ from PyTorch's by {found.found.largest:.1e} at most{steep}"
    )


def _checked_names(file: Path) -> Path:
    """Return the JSON file's name.

    Raises:
        ConfigError: the ONNX file's name, or a file that is not ours stands in the way.
    """
    if file.suffix != ".onnx" or file.is_dir():
        raise ConfigError(f"--onnx {file}: no file that ends in .onnx.", fix="--onnx model.onnx")
    described = file.with_suffix(".json")
    if described.exists() and not _ours(described):
        raise ConfigError(
            f"--onnx {file}: {described} would be replaced, which is another file.",
            fix="another name or another folder.",
        )
    return described


def _ours(described: Path) -> bool:
    try:
        return bool(json.loads(described.read_text(encoding="utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _not_exportable(opened: OpenedModel, error: Exception) -> PluginError:
    head = opened.folder.run.model.head or opened.folder.run.model.model_path
    return PluginError(
        f"The head '{head}' cannot be exported: {type(error).__name__}: {first_line(error, 300)}.",
        fix=f"`vit_cli check-head {head}` tells more; its author can change it.",
    )
