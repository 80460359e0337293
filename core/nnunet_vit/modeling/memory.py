"""Training in less memory: activations are computed again instead of being kept."""

from torch import Tensor, cat, nn
from torch.utils.checkpoint import checkpoint

from nnunet_vit.errors import ConfigError

Logits = Tensor | list[Tensor]


def checkpoint_blocks(network: nn.Module) -> None:
    """Let the ViT's blocks keep their inputs alone; backward computes the rest again.

    Raises:
        ConfigError: no part of the network can do that.
    """
    able = [part for part in network.modules() if _can_checkpoint(part)]
    if not able:
        raise ConfigError(
            "train.gradient_checkpointing: no part of this network can do it.",
            fix="train.gradient_checkpointing: false, or train.gradient_accumulation.",
        )
    for part in able:
        part.set_grad_checkpointing(True)  # type: ignore[operator]


def _can_checkpoint(module: nn.Module) -> bool:
    return callable(getattr(module, "set_grad_checkpointing", None))


def forward_in_parts(network: nn.Module, images: Tensor, parts: int) -> Logits:
    """Run a batch through the network part by part, with the whole batch's gradient in the end.

    nnU-Net's Dice loss looks at the batch as a whole, so that adding up the gradients of small
    batches would train another loss. Here the loss sees all logits; backward then computes each
    part's activations again, one part at a time. Costs one more forward pass.

    Shapes: images (B, C, H, W) to logits (B, classes, H, W), or a list of them.
    """
    if parts == 1:
        whole: Logits = network(images)
        return whole
    outputs = [checkpoint(network, part, use_reentrant=False) for part in images.chunk(parts)]
    if isinstance(outputs[0], Tensor):
        return cat(outputs)
    return [cat(list(level)) for level in zip(*outputs, strict=True)]
