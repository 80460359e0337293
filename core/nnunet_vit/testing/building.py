"""The head under test, built through the same door as in a run."""

from collections.abc import Callable, Sequence

import timm
import torch
from timm.models import register_model
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.factory import build_model
from nnunet_vit.modeling.head import Head, Loss
from nnunet_vit.modeling.loading import pretrained_weights
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import call_hook
from nnunet_vit.registry.plugins import load_plugin
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import PREFIX, SMALL_VITS, Case, SmallViT


def run_of(head: str, case: Case, method: str = "full") -> ViTnnUNetConfig:
    """Return the run of a case under a fine-tuning method."""
    _register()
    model = {
        "head": head,
        "backbone": f"timm:{PREFIX}{case.backbone}",
        "pretrained": False,
        "tuning": method,
        "decoder": dict(case.options),
    }
    return ViTnnUNetConfig.model_validate({"model": model, "lora": {"r": 2, "lora_dropout": 0.0}})


def build(
    head: str,
    case: Case,
    image_size: tuple[int, int],
    method: str = "full",
    classes: int = 3,
    channels: int = 3,
    deep_supervision: bool = False,
    seed: int = 0,
) -> nn.Module:
    """Build the head on the case's backbone, random weights by the seed.

    Args:
        head: its registered name.
        case: backbone and options.
        image_size: (H, W) in pixels.
        method: of fine-tuning.
        classes: channels of the logits.
        channels: of the images.
        deep_supervision: offered to the head as in nnU-Net's runs.
        seed: of the random weights.
    """
    run = run_of(head, case, method)
    torch.manual_seed(seed)
    with pretrained_weights(wanted=False):
        return build_model(
            run, classes, channels, image_size=image_size, deep_supervision=deep_supervision
        )


def head_on(
    head: str,
    backbone: nn.Module,
    options: JsonObject | None = None,
    **offered: object,
) -> nn.Module:
    """Return an installed head, built by its own hook on a backbone of the test.

    Args:
        head: its registered name.
        backbone: of nnunet_vit.testing.maps, or any other that has what heads use.
        options: of the head; its own defaults stand in.
        **offered: further arguments of the hook, num_classes (2 unless given) among them.
    """
    plugin = load_plugin(catalogue.find(catalogue.HEADS, head))
    model = call_hook(plugin, "head_options", {})
    arguments = {"num_classes": 2, "in_channels": 3, "deep_supervision": False, **offered}
    arguments |= {"backbone": backbone, "options": model(**(options or {}))}
    built: nn.Module = call_hook(plugin, "create_segmentation_model", arguments)
    return built


def images_of(size: tuple[int, int], batch: int = 2, channels: int = 3) -> Tensor:
    """Return normalized images (batch, channels, H, W), always the same ones."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, channels, *size, generator=generator)


def logits_of(model: nn.Module, images: Tensor) -> Tensor:
    """Return the finest logits (B, num_classes, H, W) of a model in prediction."""
    with torch.no_grad():
        output = model.eval()(images)
    return finest(output)


def finest(output: object) -> Tensor:
    """Return logits, or the first of a list of them."""
    first = output[0] if isinstance(output, list | tuple) and output else output
    if not isinstance(first, Tensor):
        raise ContractError(
            f"In eval mode the module returned {type(output).__name__}; needed: logits (B, "
            "num_classes, H, W), or with deep supervision a list of them.",
            fix="return a tensor from forward where self.training is false.",
        )
    return first


def step_loss(
    head: str, case: Case, model: nn.Module, *, images: Tensor, classes: int = 3
) -> Tensor:
    """Return the loss of a training step: the head's own, or one of all of its logits."""
    generator = torch.Generator().manual_seed(2)
    target = torch.randint(0, classes, (len(images), 1, *images.shape[-2:]), generator=generator)
    return loss_of(head, case, classes)(model.train()(images), target.float())


def loss_of(head: str, case: Case, classes: int) -> Loss:
    """Return the loss that the head is trained with here."""
    return Head(run_of(head, case)).loss(classes, False, None, default_loss=_cross_entropies)


def takes_deep_supervision(head: str, case: Case) -> bool:
    """Tell whether the head's hook names deep_supervision."""
    return Head(run_of(head, case)).deep_supervision


def head_parameters(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Return the parameters that belong to no ViT, by name."""
    inside = {id(value) for vit in vits_of(model) for value in vit.parameters()}
    return [(name, value) for name, value in model.named_parameters() if id(value) not in inside]


def _cross_entropies(output: Tensor | Sequence[Tensor], target: Tensor) -> Tensor:
    levels = [output] if isinstance(output, Tensor) else list(output)
    losses = []
    for level in levels:
        shrunk = functional.interpolate(target, size=level.shape[-2:], mode="nearest")
        losses.append(functional.cross_entropy(level, shrunk[:, 0].long()))
    # one class has a constant cross entropy, and no gradient
    squares = sum(level.square().mean() for level in levels)
    return torch.stack(losses).sum() + 0.01 * squares


def _register() -> None:
    """Make timm know the small ViTs, so that a head which builds its own can do so by name."""
    known = set(timm.list_models(f"{PREFIX}*"))
    for name, tiny in SMALL_VITS.items():
        if PREFIX + name not in known:
            register_model(_entry(PREFIX + name, tiny))


def _entry(name: str, tiny: SmallViT) -> Callable[..., nn.Module]:
    def create(pretrained: bool = False, **settings: object) -> nn.Module:
        settings.pop("pretrained_cfg", None)
        settings.pop("pretrained_cfg_overlay", None)
        settings.pop("cache_dir", None)
        model: nn.Module = timm.create_model(tiny.timm_name, **{**settings, **tiny.size})
        return model

    create.__name__ = name
    return create
