"""The network as a graph: compiled, and exported."""

import torch
from torch import Tensor, nn

from nnunet_vit.errors import first_line
from nnunet_vit.modeling.runtime.onnx_graph import (
    PACKAGES,
    missing_packages,
    running,
    to_onnx,
    traced,
)
from nnunet_vit.testing.building import build, finest, images_of, logits_of
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

ALL = ", ".join(PACKAGES)


def check_compile(head: str, case: Case) -> None:
    """Check that torch.compile takes the whole network as one graph, with the same logits."""
    model, images = _ready(head, case)
    expected = logits_of(model, images)
    torch.compiler.reset()
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    try:
        with torch.no_grad():
            logits = finest(compiled(images))
    except Exception as error:
        raise _broken("torch.compile", "NOT_COMPILABLE", error) from error
    finally:
        torch.compiler.reset()
    _check_equal("torch.compile", logits, expected)


def check_export(head: str, case: Case) -> str:
    """Check that the exported network gives the same logits; return with what it was exported."""
    model, images = _ready(head, case)
    expected = logits_of(model, images)
    with_onnx = not missing_packages()
    try:
        program, any_batch = traced(model, images)
        with torch.no_grad():
            logits = finest(program.module()(images))
        by_onnx = _through_onnx(program, images, any_batch) if with_onnx else logits
    except Exception as error:
        raise _broken("The export", "NOT_EXPORTABLE", error) from error
    _check_equal("The exported network", logits, expected)
    _check_equal("The network in ONNX", by_onnx, expected)
    number = "" if any_batch else ", one image at a time: it counts them in Python"
    return f"to ONNX{number}" if with_onnx else f"by torch.export{number}; with {ALL} to ONNX too"


def _through_onnx(program: torch.export.ExportedProgram, images: Tensor, any_batch: bool) -> Tensor:
    """Return the logits of a network that onnxruntime runs."""
    graph = to_onnx(program, any_batch=any_batch, rewritten=False)
    return running(graph.program.model_proto.SerializeToString())(images)


def _ready(head: str, case: Case) -> tuple[nn.Module, Tensor]:
    size = case.pixels(3, 4)
    return build(head, case, size).eval(), images_of(size, batch=1)


def _broken(what: str, name: str, error: Exception) -> ContractError:
    return ContractError(
        f"{what} failed: {type(error).__name__}: {first_line(error, 300)}.",
        fix="no .item(), no branches on tensors' values and no numpy in forward; or write "
        f'{name} = "the reason" beside the hooks.',
    )


def _check_equal(what: str, logits: Tensor, expected: Tensor) -> None:
    if not torch.allclose(logits, expected, rtol=1e-3, atol=1e-4):
        difference = (logits - expected).abs().max().item()
        raise ContractError(
            f"{what} gives logits that differ by {difference:.2g} from the network's own.",
            fix="let forward change no attribute and draw no random numbers in eval mode.",
        )
