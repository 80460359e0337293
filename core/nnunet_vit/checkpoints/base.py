"""What a checkpoint leaves to the file of pretrained weights, and how the two are kept together.

Frozen weights inside the transformer blocks are not stored: they are most of a network, never
change, and lie in the file that the run was started from. Everything else is stored: what is
trained, the head, buffers, and also frozen position embeddings, relative position tables and the
stem. These are small, and they are resized when they are loaded; the last bits of a resize depend
on the machine, so that a digest over them would refuse the right file somewhere else.
"""

import hashlib
import re
from collections.abc import Collection, Iterable

import torch
from torch import Tensor, nn

from nnunet_vit.checkpoints.misfits import compared, misfit
from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.tuning.adapters.adapter_names import BASE

IN_BLOCKS = re.compile(r"(^|\.)blocks\.\d+\.")
RESIZED = re.compile(r"rel(ative)?_pos")
SHOWN = 12  # digits of a digest in a message


def left_out(network: nn.Module, backbones: Iterable[nn.Module] | None = None) -> set[str]:
    """Return the names of the tensors that the file of pretrained weights already holds.

    Args:
        network: without DDP or torch.compile around it.
        backbones: the parts of it that read the file; None: it is a backbone itself. What else a
            head has frozen, in blocks of its own, no file can bring back.
    """
    brought = {
        id(parameter)
        for backbone in ([network] if backbones is None else backbones)
        for name, parameter in backbone.named_parameters(remove_duplicate=False)
        if not parameter.requires_grad and IN_BLOCKS.search(name) and not RESIZED.search(name)
    }
    named = network.named_parameters(remove_duplicate=False)
    return {name for name, parameter in named if id(parameter) in brought}


def is_in_file(missing: Collection[str] | None) -> bool:
    """Tell whether a file of weights brought all blocks, so that a checkpoint may leave them to it.

    Args:
        missing: names of the backbone's tensors that the file lacks; None: there was no file, or
            nobody knows what it brought.
    """
    return missing is not None and not any(IN_BLOCKS.search(name) for name in missing)


def stored_tensors(
    network: nn.Module, everything: bool = False, backbones: Iterable[nn.Module] | None = None
) -> dict[str, Tensor]:
    """Return the tensors that a checkpoint stores, by their names in the state dict.

    Args:
        network: without DDP or torch.compile around it.
        everything: also frozen blocks, of a network that was not started from a file.
        backbones: as in `left_out`.
    """
    absent = set() if everything else left_out(network, backbones)
    return {name: value for name, value in network.state_dict().items() if name not in absent}


def base_digest(network: nn.Module, backbones: Iterable[nn.Module] | None = None) -> str:
    """Return the sha256 of the left-out tensors, the same with and without adapters around them.

    About 1 second for a ViT-L on the CPU; '' where nothing is left out.
    """
    absent, state = left_out(network, backbones), network.state_dict()
    digest = hashlib.sha256()
    for _, name in sorted((name.replace(BASE, "."), name) for name in absent):
        tensor = state[name].detach().cpu().contiguous()
        shape = ",".join(map(str, tensor.shape))
        head = f"{name.replace(BASE, '.')}|{tensor.dtype}|{shape}|"
        digest.update(head.encode())
        digest.update(memoryview(tensor.reshape(-1).view(torch.uint8).numpy()))
    return digest.hexdigest() if absent else ""


def load_stored(
    network: nn.Module,
    weights: dict[str, Tensor],
    digest: str,
    *,
    backbones: Collection[nn.Module] | None = None,
) -> None:
    """Load a checkpoint's weights into a network that holds its base already.

    Args:
        network: built as for training, with the pretrained weights where `digest` is given.
        weights: as `stored_tensors` returned them.
        digest: as `base_digest` returned it; '': the weights are everything.
        backbones: as in `left_out`.

    Raises:
        ModelError: a tensor is missing, unexpected, or of another shape or type, or the network
            has another base; it is then what it was.
    """
    own = stored_tensors(network, everything=not digest, backbones=backbones)
    _check_names(own, weights)
    _check_kinds(own, weights)
    found = base_digest(network, backbones) if digest else ""
    if found != digest:
        raise ModelError(
            "The backbone's frozen weights are not those that the checkpoint was trained on: "
            f"digest {found[:SHOWN]}, needed {digest[:SHOWN]}.",
            fix="put the weights file that the run was started from where it was, or name it: "
            "predict --pretrained-weights FILE.",
        )
    network.load_state_dict(weights, strict=False)  # the names have been compared


def _check_names(own: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    difference = compared(own, weights)
    if difference:
        raise misfit("weights", difference)


def _check_kinds(own: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    other = [
        f"{name} is {_kind(weights[name])}, not {_kind(tensor)}"
        for name, tensor in sorted(own.items())
        if (tensor.shape, tensor.dtype) != (weights[name].shape, weights[name].dtype)
    ]
    if other:
        raise misfit("weights", shortened(other))


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
