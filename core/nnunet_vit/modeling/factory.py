"""Build a network from a run: backbone, weights, tuning, then the head's own hook."""

import torch
from pydantic import ValidationError
from torch import nn

from nnunet_vit.backbones import default_targets, timm_name
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.config.problems import Problem, path_text, problems_error
from nnunet_vit.config.validation import problem_texts
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.hookspecs import HeadOptions
from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.loading import (
    RGB,
    load_backbone,
    pretrained_weights,
    weights_wanted,
)
from nnunet_vit.modeling.vit.hub_network import as_repository_says
from nnunet_vit.modeling.vit.timm_models import build_timm
from nnunet_vit.registry.calling import takes_backbone
from nnunet_vit.registry.plugins import LoadedPlugin
from nnunet_vit.tuning import method_of
from nnunet_vit.tuning.adapters.adapted_layers import target_names


def build_model(
    run: ViTnnUNetConfig,
    num_classes: int,
    in_channels: int,
    *,
    image_size: tuple[int, int] | None,
    deep_supervision: bool = False,
) -> nn.Module:
    """Build the run's head on the run's backbone.

    Shapes: the module maps images (B, in_channels, H, W) to logits (B, num_classes, H, W), or with
    deep supervision to a list of logits, finest first.

    Raises:
        ConfigError: unknown head, backbone or size; an image size that the patch does not divide.
        ModelError: the weights cannot be had or do not fit.
        PluginError: the head's package breaks the contract.
    """
    head = Head(run)
    offered = _plain_arguments(
        run,
        head.options,
        num_classes,
        in_channels=in_channels,
        image_size=image_size,
        deep_supervision=deep_supervision,
    )
    if takes_backbone(head.plugin):
        offered["backbone"] = build_backbone(run, in_channels, image_size)
    else:
        _check_plain(head.plugin, run)
    if "lora_target_modules" in head.arguments and offered["use_lora"]:
        targets = offered["lora_target_modules"] or _targets_of_timm(run.model)
        offered["lora_target_modules"] = targets
    return head.build(offered)


def build_backbone(
    run: ViTnnUNetConfig, in_channels: int, image_size: tuple[int, int] | None
) -> ViTBackbone:
    """Build the run's backbone, load its weights and apply the run's tuning method."""
    model = as_repository_says(run).model
    loaded = load_backbone(model, image_size, in_channels)
    method_of(run).tune(loaded.model, run)
    return ViTBackbone(loaded.model)


def create_segmentation_model(
    head: str,
    num_classes: int,
    backbone_name: str = "dinov3",
    backbone_size: str | None = None,
    decoder_hidden_size: int | None = None,
    checkpoint_path: str | None = None,
    freeze_backbone: bool = False,
    use_lora: bool = False,
    lora_rank: int = 8,
    lora_alpha: float = 16.0,
    lora_dropout: float = 0.05,
    lora_target_modules: list[str] | None = None,
    in_channels: int = 3,
    image_size: tuple[int, int] | None = None,
    deep_supervision: bool = False,
    pretrained: bool = True,
    options: JsonObject | None = None,
) -> nn.Module:
    """Build any registered head from Python, without nnU-Net and without a run file.

    Args:
        head: a registered head.
        num_classes: channels of the logits.
        backbone_name: a registered family, or timm:<name>.
        backbone_size: a size of the family; None: its default.
        decoder_hidden_size: the head's option hidden_size.
        checkpoint_path: a weights file; None: the published weights.
        freeze_backbone: train the head alone.
        use_lora: low-rank adapters in the backbone.
        lora_rank: of the adapters.
        lora_alpha: scale of the adapters is lora_alpha / lora_rank.
        lora_dropout: before the adapters.
        lora_target_modules: linear layers by name; None: the backbone's own default.
        in_channels: of the images, normalized as the weights expect.
        image_size: (H, W) in pixels; None: any multiple of the patch.
        deep_supervision: return a list of logits, finest first, where the head can.
        pretrained: False for random weights.
        options: the head's other options.

    Shapes: images (B, in_channels, H, W) to logits (B, num_classes, H, W).

    Raises:
        UserError: as build_model.
    """
    run = _run_from_arguments(
        model={
            "head": head,
            "backbone": backbone_name,
            "backbone_size": backbone_size,
            "checkpoint_path": checkpoint_path or "",
            "freeze_backbone": freeze_backbone,
            "decoder": _decoder(decoder_hidden_size, options or {}),
        },
        lora={
            "enabled": use_lora,
            "r": lora_rank,
            "lora_alpha": lora_alpha,
            "lora_dropout": lora_dropout,
            "target_modules": lora_target_modules,
        },
    )
    with pretrained_weights(wanted=pretrained):
        return build_model(
            run, num_classes, in_channels, image_size=image_size, deep_supervision=deep_supervision
        )


def _run_from_arguments(**sections: JsonObject) -> ViTnnUNetConfig:
    try:
        return ViTnnUNetConfig.model_validate(sections)
    except ValidationError as error:
        texts = problem_texts(error, ViTnnUNetConfig, sections)
        problems = [Problem(path_text(key), None, text) for key, text in texts.items()]
        raise problems_error("create_segmentation_model", problems) from None


def _decoder(hidden_size: int | None, options: JsonObject) -> JsonObject:
    return options if hidden_size is None else {"hidden_size": hidden_size, **options}


def _plain_arguments(
    run: ViTnnUNetConfig,
    options: HeadOptions,
    num_classes: int,
    *,
    in_channels: int,
    image_size: tuple[int, int] | None,
    deep_supervision: bool,
) -> JsonObject:
    timm_name(run.model.backbone, run.model.size_name)  # heads get names that are known
    method = method_of(run)
    return {
        "num_classes": num_classes,
        "options": options,
        "backbone_name": run.model.backbone,
        "backbone_size": run.model.size_name,
        "decoder_hidden_size": getattr(options, "hidden_size", run.model.decoder.hidden_size),
        # a network that is rebuilt gets its weights from a checkpoint: no file is read or missed
        "checkpoint_path": run.model.checkpoint_path if weights_wanted() else "",
        "freeze_backbone": run.model.freeze_backbone or method.leaves_backbone,
        "use_lora": method.uses_adapters,
        "lora_rank": run.lora.r,
        "lora_alpha": run.lora.lora_alpha,
        "lora_dropout": run.lora.lora_dropout,
        "lora_target_modules": list(
            run.lora.target_modules or default_targets(run.model.backbone) or ()
        ),
        "in_channels": in_channels,
        "image_size": image_size,
        "deep_supervision": deep_supervision,
    }


def _targets_of_timm(model: ViTModelConfig) -> list[str]:
    """Return the layers that adapters go to by default in a ViT, which is not built yet."""
    with torch.device("meta"):
        built = build_timm(
            timm_name(model.backbone, model.size_name),
            None,
            RGB,
            more=model.backbone_arguments,
        )
    return target_names(built, None)


def _check_plain(plugin: LoadedPlugin, run: ViTnnUNetConfig) -> None:
    """Refuse keys that a head which builds its own backbone would never hear of."""
    unheard = {
        "model.vit_patch_size": run.model.vit_patch_size is not None,
        "model.expected_coverage": run.model.expected_coverage < 1,
        "model.checkpoint_key": run.model.checkpoint_key is not None,
        "model.repository": run.model.repository is not None,
        "model.backbone_arguments": bool(run.model.backbone_arguments.given()),
        "model.position_grid": run.model.position_grid is not None,
        "model.tuning": not method_of(run).said_by_arguments,
    }
    for key in (key for key, given in unheard.items() if given):
        raise ConfigError(
            f"{key}: {plugin.title} builds its backbone itself and does not know this key.",
            fix=f"leave out {key}, or choose a head that takes the argument `backbone`.",
        )
