"""The parameters of a network by part."""

from torch import nn

from nnunet_vit.modeling.backbone import backbone_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.profiling.cost import Part
from nnunet_vit.tuning.adapters.adapter_names import adapted_layers, layer_of

OF_TIMM = {
    "patch_embed": "patches",
    "embeds": "patches",
    "blocks": "blocks",
    "norm": "norm",
    "fc_norm": "norm",
}
TOKENS = "tokens and positions"
ADAPTERS = ("adapters", "")
INNER = ("patches", TOKENS, "blocks", "norm", "other")


def parts_of(network: ViTSegmentationNetwork) -> list[Part]:
    """Return the parts in the image's order; adapters stand apart from what they adapt."""
    backbone = backbone_of(network)
    inside = {id(p): name for name, p in backbone.model.named_parameters()} if backbone else {}
    parameters = dict(network.named_parameters())
    layers = adapted_layers(parameters)
    places: dict[tuple[str, str], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        of_adapter = bool(layer_of(name, layers))
        place = ADAPTERS if of_adapter else _place(name, inside.get(id(parameter)))
        places.setdefault(place, []).append(parameter)
    order = [("input bridge", ""), ("backbone", ""), ADAPTERS, ("head", "")]
    order[2:2] = [("backbone", name) for name in INNER]
    parts = [_part(whole, inner, places) for whole, inner in order]
    return [part for part in parts if part.parameters or part.name in ("input bridge", "head")]


def _place(name: str, in_timm: str | None) -> tuple[str, str]:
    """Return the part and the part's part of a parameter, by its names in network and ViT."""
    if in_timm is None:
        return ("input bridge" if name.startswith("bridge.") else "head", "")
    first, dot, _ = in_timm.partition(".")
    return ("backbone", OF_TIMM.get(first, "other" if dot else TOKENS))


def _part(whole: str, inner: str, places: dict[tuple[str, str], list[nn.Parameter]]) -> Part:
    mine = [
        parameter
        for place, parameters in places.items()
        if place[0] == whole and inner in ("", place[1])
        for parameter in parameters
    ]
    return Part(
        name=inner or whole,
        parameters=sum(parameter.numel() for parameter in mine),
        trained=sum(parameter.numel() for parameter in mine if parameter.requires_grad),
        within=whole if inner else "",
    )


def adapted_kinds(network: nn.Module) -> list[str]:
    """Return the names of the kinds of layers that adapters were put into, in their order."""
    parameters = dict(network.named_parameters())
    layers = adapted_layers(parameters)
    owners = (layer_of(name, layers) for name in parameters)
    return list(dict.fromkeys(owner.rpartition(".")[2] for owner in owners if owner))
