"""The blocks of a ViT, compiled for the steps of a training.

All blocks are alike, so that one is compiled for all of them: seconds, where the whole network
takes a minute or more. Heads stay as they are.
"""

from collections.abc import Iterator

from torch import nn

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.backbone import vits_of

BACKEND = "inductor"


class CompiledBlocks:
    """The blocks of a network's ViTs, which torch compiles when they are first called."""

    def __init__(self, network: nn.Module, *, forgiving: bool = False) -> None:
        """Prepare them.

        Args:
            network: whose blocks they are.
            forgiving: whether blocks that this machine cannot compile compute as they are, for
                which torch has a switch of the whole process.

        Raises:
            ConfigError: the network has no ViT of timm.
        """
        self._blocks = [block for vit in vits_of(network) for block in _blocks_of(vit)]
        if not self._blocks:
            raise ConfigError(
                "train.compile: this network has no ViT of timm, whose blocks could be compiled.",
                fix="train.compile: off, or whole.",
            )
        if forgiving:
            import torch._dynamo

            torch._dynamo.config.suppress_errors = True
        for block in self._blocks:
            block.compile(backend=BACKEND, dynamic=False)
        self._calls = [block._compiled_call_impl for block in self._blocks]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._blocks)

    def pause(self) -> None:
        """Let them compute as they are: other shapes would be compiled one by one."""
        for block in self._blocks:
            block._compiled_call_impl = None

    def proceed(self) -> None:
        """Let them compute compiled."""
        for block, call in zip(self._blocks, self._calls, strict=True):
            block._compiled_call_impl = call


def _blocks_of(vit: nn.Module) -> Iterator[nn.Module]:
    blocks = getattr(vit, "blocks", ())
    yield from (block for block in blocks if isinstance(block, nn.Module))
