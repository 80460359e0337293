"""One training step, computed for its cost alone."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.hookspecs import HeadOutput
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks, forward_in_microbatches
from nnunet_vit.modeling.runtime.outputs import as_float32
from nnunet_vit.modeling.runtime.precision import computes_in_bfloat16
from nnunet_vit.profiling.assumptions import Tile
from nnunet_vit.profiling.attention import counted_attention
from nnunet_vit.profiling.cost import StepCost
from nnunet_vit.profiling.cuda_types import LiftedInterpolation, lift_norms
from nnunet_vit.profiling.fake_tensors import computed_without_memory
from nnunet_vit.profiling.tracking import Ledger, SavedForBackward

Loss = Callable[[HeadOutput], Tensor]


def step_cost(
    network: ViTSegmentationNetwork,
    run: ViTnnUNetConfig,
    tile: Tile,
    *,
    loss: Loss,
    device: str,
) -> StepCost:
    """Measure a training step, without memory and in seconds whatever the network's size.

    The network's tensors are replaced by fake ones: it is of no use afterwards.

    Args:
        network: built without memory.
        run: resolved; its precision, checkpointing and accumulation count.
        tile: what the step is fed with.
        loss: of what the network returns in training.
        device: where the training would run: cuda, cpu or mps.

    Raises:
        ConfigError: checkpointing is asked for and no part of the network can do it.
    """
    if run.train.gradient_checkpointing:
        checkpoint_blocks(network)
    on_cuda = device == "cuda"
    if on_cuda:
        lift_norms(network)
    with computed_without_memory(network.train()):
        in_bfloat16 = computes_in_bfloat16(run.model.precision, device)
        logits = _Logits(network, in_bfloat16=in_bfloat16, on_cuda=on_cuda)
        return _measured(
            logits, (tile.batch, *tile.size), run.train.gradient_accumulation, loss=loss
        )


def _measured(logits: "_Logits", size: tuple[int, int, int], parts: int, *, loss: Loss) -> StepCost:
    network = logits.network
    batch, height, width = size
    ledger = Ledger(network)
    saved = SavedForBackward(network, ledger)
    with ledger, counted_attention(ledger.count):
        images = torch.empty(batch, network.bridge.channels, height, width)
        with saved.counting():
            output = forward_in_microbatches(logits, images, parts)
            forward = ledger.flops
            value = loss(output)
        del output
        if value.requires_grad:
            torch.autograd.backward(value)
    kept = saved.sizes
    return StepCost(
        forward_flops=forward // batch,
        step_flops=ledger.flops,
        parameters=sum(map(_bytes, (*network.parameters(), *network.buffers()))),
        gradients=sum(_bytes(p.grad) for p in network.parameters() if p.grad is not None),
        weight_copies=kept[True, True] + kept[False, True],
        backbone_activations=kept[True, False],
        head_activations=kept[False, False],
        peak=ledger.peak,
    )


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


class _Logits(nn.Module):
    """The network in a precision that is given, where its own would look at the device."""

    def __init__(
        self, network: ViTSegmentationNetwork, *, in_bfloat16: bool, on_cuda: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.in_bfloat16, self.on_cuda = in_bfloat16, on_cuda

    def forward(self, images: Tensor) -> HeadOutput:
        lifted = LiftedInterpolation() if self.on_cuda else nullcontext()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.in_bfloat16), lifted:
            output = as_float32(self.network.model(self.network.bridge(images)))
        one_level = not self.network.own_loss and not self.network.deep_supervision
        return output[0] if one_level and isinstance(output, list) else output
