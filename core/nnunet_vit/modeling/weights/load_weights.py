"""Load pretrained weights into a timm ViT, wholly or not at all."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import nn

from nnunet_vit.modeling.weights.coverage import Coverage
from nnunet_vit.modeling.weights.files.weights_reading import read_weights
from nnunet_vit.modeling.weights.judging import judge_names, judge_values, refuse_lost_bias
from nnunet_vit.modeling.weights.names.candidates import Reading, best_reading
from nnunet_vit.modeling.weights.other_networks import refuse_other_networks
from nnunet_vit.modeling.weights.relatives import fitting_backbones
from nnunet_vit.modeling.weights.shapes.class_tokens import REGISTERS, with_own_class_position
from nnunet_vit.modeling.weights.shapes.grids import FileGrid, grid_of_snapshot
from nnunet_vit.modeling.weights.shapes.sizes import with_own_sizes


def load_backbone_weights(
    model: nn.Module,
    path: Path,
    expected_coverage: float = 1.0,
    *,
    key: str | None = None,
    grid: FileGrid | None = None,
) -> Coverage:
    """Load a file or a Hugging Face snapshot folder of weights into a timm ViT.

    The naming may be timm's, Meta's or Hugging Face's, inside mappings and prefixes of training
    code. The stem is adapted to channels and patch, position embeddings to the image size.

    Args:
        model: is left as it was where the file is refused.
        path: a .safetensors or .pth file, or a folder.
        expected_coverage: share of the backbone's parameters that the file must bring. Below 1,
            what lies outside a ViT in the file is left aside too.
        key: which part of the file is meant, by its mapping or prefix; None: the best.
        grid: what is known of the grid of its positions beside the file itself.

    Raises:
        ModelError: it is no weights file, holds objects that are not tensors, or does not cover
            the backbone.
    """
    reading = best_reading(read_weights(path), model, key, path=path)
    own = model.state_dict()
    refuse_other_networks(reading, own, path)
    fitting = partial(fitting_backbones, reading.layout.tensors, model)
    judge_names(reading.tensors, own, expected_coverage, path=path, fitting=fitting)
    refuse_lost_bias(reading.tensors, own, path, fitting=fitting)
    known_grid = replace(grid or FileGrid(), pixels=grid_of_snapshot(path))
    registers = any(name.endswith(REGISTERS) for name in reading.layout.tensors)
    placed, note = with_own_class_position(
        reading.tensors, model, registers, path=path, grid=known_grid
    )
    known = {name: tensor for name, tensor in placed.items() if name in own}
    open_sizes = {name: tensor for name, tensor in known.items() if name not in reading.resized}
    adapted, notes = with_own_sizes(open_sizes, model, path, grid=known_grid)
    known.update(adapted)
    judge_values(known, own, path)
    model.load_state_dict(known, strict=False)
    coverage = _coverage(reading, model, {*reading.resized, *adapted}, path=path)
    notes = (note, *notes) if note else notes
    return replace(coverage, grid=notes, notes=(*coverage.notes, *notes))


def _coverage(reading: Reading, model: nn.Module, resized: set[str], *, path: Path) -> Coverage:
    own = model.state_dict()
    loaded = [name for name in own if name in reading.tensors]
    return Coverage(
        file=path.resolve().name,
        loaded=tuple(loaded),
        resized=tuple(name for name in loaded if name in resized),
        skipped=(*(name for name in reading.tensors if name not in own), *reading.rest),
        missing=tuple(name for name in own if name not in reading.tensors),
        parameters=sum(own[name].numel() for name in loaded),
        all_parameters=sum(tensor.numel() for tensor in own.values()),
        notes=reading.notes,
    )
