"""The class token and its position: networks differ in whether they have the one and the other."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.shapes.grids import KEY, FileGrid, is_rehearsed, is_square
from nnunet_vit.modeling.weights.shapes.sizes import POSITIONS, class_positions, patch_of

TOKEN = "cls_token"
REGISTERS = "register_tokens"


@dataclass(frozen=True)
class _Counts:
    """Positions of patches in a file, if it gives the class token a position as the backbone does.

    Attributes:
        alike: if it does.
        unlike: if it does not, and the backbone does, or the other way round.
        own: of the run.
        gives: whether the backbone gives the class token a position.
    """

    alike: int
    unlike: int
    own: int
    gives: bool

    @property
    def with_token(self) -> int:
        return self.alike if self.gives else self.unlike

    @property
    def without_token(self) -> int:
        return self.unlike if self.gives else self.alike


@dataclass(frozen=True)
class _Verdict:
    is_unlike: bool = False
    is_open: bool = False  # either may be true
    is_noted: bool = False  # the other one is possible too


def likely_class_position(tensors: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Move the class token's position as with_own_class_position does, and guess where it refuses.

    For names and shapes that are only compared.
    """
    counts = _counts(tensors, model)
    if counts is None:
        return tensors
    verdict = _verdict(counts, tensors, REGISTERS in tensors, grid=FileGrid())
    return _moved(tensors, counts) if verdict.is_unlike or verdict.is_open else tensors


def with_own_class_position(
    tensors: dict[str, Tensor], model: nn.Module, registers: bool, *, path: Path, grid: FileGrid
) -> tuple[dict[str, Tensor], str]:
    """Move the class token's position to where the backbone has it; the function stays the same.

    A backbone with positions of patches alone has the position added to the token, as timm holds
    DINOv2 with registers. One that gives the token a position gets zeros for a file without it,
    such as DeiT III.

    Args:
        tensors: of the file, by the backbone's names.
        model: the backbone.
        registers: whether the file has them in Meta's names.
        path: of the file.
        grid: what is known of the file's grid.

    Returns:
        The tensors, and a sentence where the positions can be read in another way.

    Raises:
        ModelError: nothing tells whether the class token has a position.
    """
    counts = _counts(tensors, model)
    if counts is None:
        return tensors, ""
    verdict = _verdict(counts, tensors, registers, grid=grid)
    if verdict.is_open and not is_rehearsed():
        raise ModelError(
            f"{path}: its position embeddings can be read in two ways, as {_ways(counts)}.",
            fix=f"say the file's own grid, {KEY}: [H, W] in patches, or train at the image size "
            "that it was made for.",
        )
    note = _note(counts, verdict) if verdict.is_noted and not is_rehearsed() else ""
    return (_moved(tensors, counts) if verdict.is_unlike else tensors), note


def _counts(tensors: dict[str, Tensor], model: nn.Module) -> _Counts | None:
    """Return what the positions may be of; None: nothing can be moved."""
    positions, own = tensors.get(POSITIONS), class_positions(model)
    if positions is None or TOKEN not in tensors or positions.ndim != 3 or own not in (0, 1):
        return None
    if not hasattr(model, TOKEN):
        return None
    count, patches = positions.shape[1], int(model.pos_embed.shape[1]) - own  # type: ignore[index]
    return _Counts(count - own, count - 1 + own, patches, bool(own))


def _verdict(
    counts: _Counts, tensors: dict[str, Tensor], registers: bool, *, grid: FileGrid
) -> _Verdict:
    """Decide by what is said, then by the run's own grid, then by a square."""
    said = grid.of_pixels(patch_of(tensors))
    pixels = None if said is None else said[0] * said[1]
    if grid.stated is not None:
        return _Verdict(grid.stated[0] * grid.stated[1] == counts.unlike)
    if registers:
        return _Verdict(counts.with_token == counts.unlike)
    if pixels == counts.alike:
        return _Verdict()
    if pixels == counts.unlike:
        if counts.alike == counts.own or is_square(counts.alike):
            return _Verdict(is_open=True)
        # config.json alone does not tell that a position lacks: timm writes 224 pixels there by
        # default, and its 14 x 14 may be 13 x 15 and the class token
        return _by_grids(counts) if counts.gives else _Verdict(is_unlike=True)
    if grid.square and any(is_square(one) for one in (counts.alike, counts.unlike)):
        return _Verdict(is_square(counts.unlike))
    return _by_grids(counts)


def _by_grids(counts: _Counts) -> _Verdict:
    """Decide by counts alone: one that is a square by chance says less than the run's own grid."""
    if counts.alike == counts.own:
        return _Verdict(is_noted=is_square(counts.unlike))
    if is_square(counts.alike):
        return _Verdict(is_noted=counts.unlike == counts.own)
    if counts.unlike == counts.own:
        return _Verdict(is_unlike=True, is_noted=True)
    if not is_square(counts.unlike):
        return _Verdict()
    # a class token mostly has a position: what lies over a square is that, what lacks one is not
    return _Verdict(is_open=True) if counts.gives else _Verdict(is_unlike=True, is_noted=True)


def _moved(tensors: dict[str, Tensor], counts: _Counts) -> dict[str, Tensor]:
    positions, token = tensors[POSITIONS], tensors[TOKEN]
    if not counts.gives:
        return {**tensors, TOKEN: token + positions[:, :1], POSITIONS: positions[:, 1:]}
    nothing = torch.zeros_like(positions[:, :1])
    return {**tensors, POSITIONS: torch.cat([nothing, positions], dim=1)}


def _note(counts: _Counts, verdict: _Verdict) -> str:
    with_token = verdict.is_unlike != counts.gives
    taken = counts.with_token if with_token else counts.without_token
    there = "and one" if with_token else "and none"
    return (
        f"its positions are read as {taken} of patches {there} of the class token; if they are "
        f"{_way(counts, not with_token)}, write the file's grid, {KEY}: [H, W]"
    )


def _ways(counts: _Counts) -> str:
    return f"{_way(counts, True)}, or as {_way(counts, False)}"


def _way(counts: _Counts, with_token: bool) -> str:
    if with_token:
        return f"{counts.with_token} of patches and one of the class token"
    return f"{counts.without_token} of patches and none of the class token"
