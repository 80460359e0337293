"""What a head asks its backbone for in a training step, found out by one step without gradient."""

import torch
from torch import Tensor

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.backbone import ViTBackbone, vits_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.backbone_watch import Call, undisturbed, watched
from nnunet_vit.registry.plugins import plugin_failures

FIX = (
    "leave out train.feature_cache, or choose a head that asks the backbone for feature maps and "
    "changes nothing in it: linear, segformer, mask2former, dpt and others."
)


def only_backbone(network: ViTSegmentationNetwork) -> ViTBackbone:
    """Return the network's one backbone.

    Raises:
        ConfigError: the head brings its own, or has several.
    """
    found = [module for module in network.modules() if isinstance(module, ViTBackbone)]
    if len(found) != 1 or vits_of(network) != [found[0].model]:
        raise refused("the head builds its backbone itself")
    return found[0]


def asked_features(network: ViTSegmentationNetwork, images: Tensor) -> list[Call]:
    """Return the different calls of the backbone in a training step, in their order.

    Shapes: images (B, C, H, W), B at least 2. Network and random numbers are left as they were.

    Raises:
        ConfigError: the head uses the ViT in another way, or on other images than it gets.
        PluginError: the head fails.
    """
    backbone = only_backbone(network)
    with watched(network, backbone) as seen, undisturbed(network), torch.no_grad():
        network.train()
        with plugin_failures("The head's forward"):
            network(images)
    if not seen.calls or seen.starts != len(seen.calls):
        raise refused("the head runs the ViT itself, or block by block")
    if seen.other_images:
        raise refused("the head gives the backbone other images than those that it gets")
    return list(dict.fromkeys(seen.calls))


def refused(reason: str) -> ConfigError:
    """Return the error for a network whose features cannot be kept."""
    return ConfigError(f"train.feature_cache: {reason}.", fix=FIX)
