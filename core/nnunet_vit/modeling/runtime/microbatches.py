"""Training in less memory: activations are computed again instead of being kept."""

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nnunet_vit.errors import ConfigError
from nnunet_vit.hookspecs import HeadOutput
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.runtime.outputs import joined


def checkpoint_blocks(network: nn.Module) -> None:
    """Let the ViT's blocks keep their inputs alone; backward computes the rest again.

    Raises:
        ConfigError: the network has no ViT of timm.
    """
    vits = vits_of(network)
    if not vits:
        raise ConfigError(
            "train.gradient_checkpointing: this network has no ViT of timm, whose blocks could do "
            "it.",
            fix="train.gradient_checkpointing: false, or train.gradient_accumulation.",
        )
    for vit in vits:
        vit.set_grad_checkpointing(True)  # type: ignore[operator]


def forward_in_microbatches(network: nn.Module, images: Tensor, parts: int) -> HeadOutput:
    """Run a batch through the network part by part, with the whole batch's gradient in the end.

    nnU-Net's Dice loss looks at the batch as a whole, so that adding up the gradients of small
    batches would train another loss. Here the loss sees all outputs; backward then computes each
    part's activations again, one part at a time. Costs one more forward pass.

    Shapes: images (B, C, H, W) to what the network returns for them: logits (B, classes, H, W), a
    list of them, or a head's own training outputs.
    """
    if parts == 1:
        return network(images)
    outputs = [checkpoint(network, part, use_reentrant=False) for part in images.chunk(parts)]
    return joined(outputs)
