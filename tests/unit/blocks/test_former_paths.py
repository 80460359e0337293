"""Code written for the first rooms of the package finds everything where it was."""

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


def test_what_creates_backbones_is_found_under_its_former_path():
    from nnunet_vit.modeling import creation, loading

    own = [n for n, v in vars(loading).items() if getattr(v, "__module__", "") == loading.__name__]
    public = [name for name in own if not name.startswith("_")]
    assert sorted(public) == sorted(creation.__all__)
    for name in public:
        assert getattr(creation, name) is getattr(loading, name)


def test_small_vits_are_found_under_their_former_names():
    from nnunet_vit.testing import small_vits, tiny

    assert tiny.TINY_VITS is small_vits.SMALL_VITS
    assert tiny.TinyVit is small_vits.SmallViT
    assert tiny.Case is small_vits.Case


def test_upsamplings_are_found_under_their_former_name():
    from nnunet_vit.blocks.resolution import upsamplings
    from nnunet_vit.modeling.resolution import doublings

    assert doublings is upsamplings
