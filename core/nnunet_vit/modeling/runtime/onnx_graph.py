"""A network as an ONNX graph: exported without noise, saved, run by onnxruntime."""

import contextlib
import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.onnx import ONNXProgram

PACKAGES = ("onnx", "onnxscript", "onnxruntime")  # of the extra onnx
OPSET = 18  # the one that torch's own translations are written in; onnxruntime has it since 1.14
INPUT, OUTPUT, BATCH = "images", "logits", "batch"
NOISY = ("onnxscript", "onnx_ir", "torch.onnx", "torch.export", "torch.fx")
MOST_INSIDE = 1_900_000_000  # bytes of weights in one file: protobuf ends at 2 GiB


def missing_packages() -> list[str]:
    """Return those of the packages for ONNX that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


@dataclass(frozen=True)
class OnnxGraph:
    """A network in ONNX.

    Attributes:
        program: torch's result, weights inside.
        any_batch: whether it takes any number of images at once; if not, one.
    """

    program: "ONNXProgram"
    any_batch: bool

    @property
    def opset(self) -> int:
        """The version of ONNX's operators."""
        return int(self.program.model.opset_imports[""])

    def save(self, file: Path) -> list[Path]:
        """Write it; return the file, and a second one where one cannot hold the weights."""
        import onnx_ir

        initializers = self.program.model.graph.initializers.values()
        tensors = [value.const_value for value in initializers if value.const_value is not None]
        data = file.with_name(f"{file.name}.data")
        large = sum(tensor.nbytes for tensor in tensors) > MOST_INSIDE
        with _quiet():
            onnx_ir.save(self.program.model, file, external_data=data.name if large else None)
        return [file, data] if large else [file]


def traced(network: nn.Module, images: Tensor) -> tuple["ExportedProgram", bool]:
    """Return a network as torch.export sees it, and whether it takes any number of images.

    Args:
        network: in eval mode; returns logits, or a list of them.
        images: one (1, C, H, W); its size is that of all images.
    """
    with _quiet(), torch.no_grad():
        # of one image torch.export would make a graph for one image
        with contextlib.suppress(Exception):  # a head may count its images; then one at a time
            several = {0: torch.export.Dim(BATCH, min=1)}
            pair = torch.cat([images, images])
            program = torch.export.export(network, (pair,), dynamic_shapes=(several,), strict=False)
            return program, True
        return torch.export.export(network, (images,), strict=False), False


def to_onnx(
    program: "ExportedProgram", *, any_batch: bool, opset: int = OPSET, rewritten: bool = True
) -> OnnxGraph:
    """Return a traced network as an ONNX graph whose input is `images` and its output `logits`.

    Subgraphs that are alike, such as a frozen backbone in the networks of several folds, are there
    once.

    Args:
        program: as `traced` returns it.
        any_batch: likewise.
        opset: version of ONNX's operators that is wanted; the result has the nearest possible.
        rewritten: whether onnxscript looks for shorter ways to compute the same, which takes longer
            than all else.
    """
    from onnx_ir.passes import common

    with _quiet(), torch.no_grad():
        exported = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=opset,
            optimize=rewritten,
        )
        assert exported is not None
        _make_contiguous(exported)
        for one in (
            common.DeduplicateHashedInitializersPass(),
            common.CommonSubexpressionEliminationPass(),
            common.RemoveUnusedNodesPass(),
            common.ClearMetadataAndDocStringPass(),  # they name files of this machine
        ):
            one(exported.model)
    _name_batch(exported, any_batch)
    return OnnxGraph(exported, any_batch)


def _make_contiguous(exported: "ONNXProgram") -> None:
    """Lay out weights as they are written: what compares them takes no views."""
    import numpy as np
    import onnx_ir

    for value in exported.model.graph.initializers.values():
        assert value.const_value is not None
        array = value.const_value.numpy()
        if not array.flags.c_contiguous:
            value.const_value = onnx_ir.tensor(np.ascontiguousarray(array), name=value.name)


def _name_batch(exported: "ONNXProgram", any_batch: bool) -> None:
    import onnx_ir

    graph = exported.model.graph
    for value in (*graph.inputs, *graph.outputs):
        assert value.shape is not None
        value.shape = onnx_ir.Shape([BATCH if any_batch else 1, *list(value.shape)[1:]])


def running(model: Path | bytes) -> Callable[[Tensor], Tensor]:
    """Return a function that runs a model of one input and one output in onnxruntime, on the CPU.

    Args:
        model: its file, or its content.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    content = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: torch.from_numpy(session.run(None, {name: images.numpy()})[0])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing be said inside: torch warns of its own insides, onnxscript logs every fold."""
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
