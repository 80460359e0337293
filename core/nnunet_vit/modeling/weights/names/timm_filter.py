"""timm's own translation of files in the naming of other projects: CLIP, AIMv2, BEiT-3, PE."""

import contextlib
import io
import sys
from collections.abc import Iterator
from types import ModuleType
from unittest.mock import patch

from torch import Tensor, nn

from nnunet_vit.modeling.weights.shapes.sizes import POSITIONS

RESIZING = ("resample_abs_pos_embed", "resample_patch_embed", "resize_rel_pos_bias_table")


@contextlib.contextmanager
def _sizes_left_alone(module: ModuleType) -> Iterator[None]:
    """Keep timm from resizing: it takes every grid for a square."""
    with contextlib.ExitStack() as stack:
        for name in RESIZING:
            if name in vars(module):
                stack.enter_context(patch.object(module, name, _as_it_is))
        yield


def _as_it_is(tensor: Tensor, *_: object, **__: object) -> Tensor:
    return tensor


def translated_by_timm(
    tensors: dict[str, Tensor], model: nn.Module
) -> tuple[dict[str, Tensor], frozenset[str]]:
    """Return what timm makes of a file for this model, and what it resized on the way.

    Both are empty where timm cannot translate it.
    """
    module = sys.modules[type(model).__module__]
    translate = getattr(module, "checkpoint_filter_fn", None)
    if translate is None:
        return {}, frozenset()
    try:
        # it prints a line per dropped bias
        with contextlib.redirect_stdout(io.StringIO()), _sizes_left_alone(module):
            made = dict(translate(dict(tensors), model))
    except Exception:  # names it does not know make it fail in ways of its own
        return {}, frozenset()
    made = {name: value for name, value in made.items() if isinstance(value, Tensor)}
    there = {tensor.untyped_storage().data_ptr() for tensor in tensors.values()}
    resized = {
        name
        for name, value in made.items()
        if name.endswith(POSITIONS)
        and value.ndim == 4  # of SAM; the others are resized by their grids, which are known here
        and value.untyped_storage().data_ptr() not in there
    }
    return made, frozenset(resized)
