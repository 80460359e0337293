"""The network of a model as an ONNX file that says what PyTorch says."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from nnunet_vit.errors import ConfigError, MachineError, PluginError, first_line
from nnunet_vit.files.digests import sha256
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.runtime.onnx_graph import (
    BATCH,
    INPUT,
    OPSET,
    OUTPUT,
    OnnxGraph,
    running,
    to_onnx,
    traced,
)
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.onnx.agreement import Agreement, Run, agreement, check_agreement
from nnunet_vit.sharing.onnx.example_tiles import drawn_tiles, noise_tiles
from nnunet_vit.sharing.onnx.folds_mean import FoldsMean
from nnunet_vit.sharing.opened_model import OpenedModel

if TYPE_CHECKING:
    from torch.export import ExportedProgram

BATCHES = (1, 3)  # of images, on which the two are compared


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
        MachineError: onnxruntime does not run it.
        NumericsError: the exported network says something else.
        PluginError: the head cannot be exported.
    """
    import onnx

    model = opened.model
    network = FoldsMean(model.networks)
    progress.start_work("Exporting the network")
    program, any_batch = _traced(opened, network)
    graph = _translated(program, any_batch, opset or OPSET)
    if graph.opset != (opset or OPSET):
        raise ConfigError(
            f"--opset {opset}: torch {torch.__version__} wrote {graph.opset} instead.",
            fix=f"--opset {graph.opset}",
        )
    files = graph.save(folder / name)
    progress.start_work("Comparing it with PyTorch")
    try:
        onnx.checker.check_model(str(files[0]))
        run = running(files[0])
    except Exception as error:  # of classes that onnx and onnxruntime keep to themselves
        raise MachineError(
            f"onnxruntime cannot run the network with opset {graph.opset}: {_told(error)}.",
            fix=f"--opset {OPSET}, or pip install --upgrade onnx onnxscript onnx-ir onnxruntime.",
        ) from error
    found = _compared(network, run, opened, any_batch=any_batch)
    check_agreement(found)
    if not any_batch:
        progress.warn("the head counts its images: the ONNX file takes one image at a time.")
    return Exported(tuple(files), graph, found)


def _compared(network: FoldsMean, run: Run, opened: OpenedModel, *, any_batch: bool) -> Agreement:
    model = opened.model
    batches = BATCHES if any_batch else (1,)
    tiles = [make(model, count) for make in (noise_tiles, drawn_tiles) for count in batches]
    return agreement(network, run, tiles)


def onnx_record(exported: Exported, opened: OpenedModel) -> JsonObject:
    """Return what a program has to know of the ONNX file."""
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


def _traced(opened: OpenedModel, network: FoldsMean) -> "tuple[ExportedProgram, bool]":
    """Return the network as torch.export sees it.

    Raises:
        PluginError: it does not see all of the head.
    """
    try:
        return traced(network, noise_tiles(opened.model, 1))
    except Exception as error:
        head = opened.folder.run.model.head or opened.folder.run.model.model_path
        raise PluginError(
            f"The head '{head}' cannot be exported: {_told(error)}.",
            fix=f"`vit_cli check-head {head}` tells more; its author can change it.",
        ) from error


def _translated(program: "ExportedProgram", any_batch: bool, opset: int) -> OnnxGraph:
    """Return the network in ONNX.

    Raises:
        PluginError: ONNX has no operator for a part of it.
    """
    try:
        return to_onnx(program, any_batch=any_batch, opset=opset)
    except Exception as error:
        cause = error.__cause__ or error
        raise PluginError(
            f"torch {torch.__version__} cannot write the network in ONNX: {_told(cause)}.",
            fix="pip install --upgrade onnx onnxscript onnx-ir onnxruntime, or another --opset.",
        ) from error


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {first_line(error, 300)}"
