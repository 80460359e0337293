"""Calling a hook: it gets what it names, defaults or not, and no more."""

import pytest

from nnunet_vit.errors import PluginError
from nnunet_vit.registry.calling import argument_names, call_hook
from nnunet_vit.registry.plugins import LoadedPlugin

pytestmark = pytest.mark.unit

OFFERED = {"num_classes": 3, "lora_rank": 16, "options": None}


def call(function, offered=OFFERED):
    return call_hook(LoadedPlugin("Plugin 'x' (x 1.0)", {"build": function}), "build", offered)


def test_it_gets_what_it_names_by_name():
    assert call(lambda options, num_classes: (num_classes, options)) == (3, None)
    assert call(lambda: "nothing") == "nothing"


def test_an_argument_with_a_default_gets_the_runs_value():
    assert call(lambda num_classes=2, lora_rank=8: (num_classes, lora_rank)) == (3, 16)


def test_a_default_holds_where_nothing_is_offered():
    assert call(lambda num_classes, own=7: (num_classes, own)) == (3, 7)


def test_keyword_only_arguments():
    def build(*, num_classes, lora_rank=8):
        return num_classes, lora_rank

    assert call(build) == (3, 16)


def test_all_other_arguments():
    def build(num_classes, **others):
        return num_classes, others

    assert call(build) == (3, {"lora_rank": 16, "options": None})


def test_star_arguments_are_left_empty():
    def build(*args, num_classes):
        return args, num_classes

    assert call(build) == ((), 3)


def test_a_bound_method():
    class Head:
        def build(self, num_classes):
            return self, num_classes

    head = Head()
    assert call(head.build) == (head, 3)


@pytest.mark.parametrize(
    ("function", "missing"),
    [
        (lambda num_classes, surprise: ..., "surprise"),
        (lambda one, two, *, lora_rank: ..., "one, two"),
        (lambda one, **others: ..., "one"),
    ],
)
def test_an_argument_that_is_not_offered(function, missing):
    with pytest.raises(PluginError) as caught:
        call(function)
    assert str(caught.value) == (
        f"Plugin 'x' (x 1.0): build asks for {missing}, which is not offered; "
        "offered: num_classes, lora_rank, options."
    )


def test_what_the_hook_raises_is_not_changed_here():
    def build(num_classes):
        raise KeyError(num_classes)

    with pytest.raises(KeyError):
        call(build)


def test_argument_names():
    def build(backbone, num_classes=2, *, options=None): ...

    plugin = LoadedPlugin("x", {"build": build})
    assert argument_names(plugin, "build") == ("backbone", "num_classes", "options")


def test_every_offered_argument_is_in_the_specification():
    """pluggy refuses a hook that names an argument outside the specification."""
    import inspect

    from nnunet_vit import hookspecs
    from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
    from nnunet_vit.modeling.factory import _plain_arguments
    from nnunet_vit.modeling.head import Head

    run = ViTnnUNetConfig(model=ViTModelConfig(head="linear", backbone="timm:test_vit"))
    offered = {
        *_plain_arguments(
            run, Head(run).options, 2, in_channels=3, image_size=(32, 32), deep_supervision=False
        ),
        "backbone",
    }
    assert offered == set(inspect.signature(hookspecs.create_segmentation_model).parameters)
