"""timm's own translation of files in the naming of other projects: CLIP, AIMv2, BEiT-3, PE."""

import contextlib
import io
import sys

from torch import Tensor, nn

from nnunet_vit.modeling.weights.sizes import POSITIONS, STEM, TABLE


def translated_by_timm(
    tensors: dict[str, Tensor], model: nn.Module
) -> tuple[dict[str, Tensor], frozenset[str]]:
    """Return what timm makes of a file for this model, and what it resized on the way.

    Both are empty where timm cannot translate it.
    """
    translate = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if translate is None:
        return {}, frozenset()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints a line per dropped bias
            made = dict(translate(dict(tensors), model))
    except Exception:  # names it does not know make it fail in ways of its own
        return {}, frozenset()
    made = {name: value for name, value in made.items() if isinstance(value, Tensor)}
    there = {tensor.untyped_storage().data_ptr() for tensor in tensors.values()}
    resized = {
        name
        for name, value in made.items()
        if name.endswith((STEM, POSITIONS, TABLE))
        and value.untyped_storage().data_ptr() not in there
    }
    return made, frozenset(resized)
