"""Heads written before nnunet_vit.blocks find everything where it was."""

import importlib

import pytest

pytestmark = pytest.mark.unit

SUBMODULES = ("loss", "matching", "points", "semantic", "targets")
MOVED = (
    "pyramid", "resolution", "mask_classification",
    *(f"mask_classification.{name}" for name in SUBMODULES),
)  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_the_former_path_has_every_public_name(name):
    new = importlib.import_module(f"nnunet_vit.blocks.{name}")
    former = importlib.import_module(f"nnunet_vit.modeling.{name}")
    own = [
        public
        for public, value in vars(new).items()
        if not public.startswith("_")
        and getattr(value, "__module__", new.__name__).startswith(("nnunet_vit", "builtins"))
        and not (isinstance(value, type(importlib)) and public not in SUBMODULES)
    ]
    assert own
    for public in own:
        assert getattr(former, public) is getattr(new, public), public
