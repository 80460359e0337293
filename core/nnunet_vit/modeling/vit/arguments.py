"""A timm network built with arguments of a run file or a snapshot: names turned into layers."""

import timm
from timm.layers import GluMlp, Mlp, RmsNorm, SwiGLU, SwiGLUPacked
from torch import nn

from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.files.json_file import JsonObject

NO_ARGUMENTS = BackboneArguments()
MLPS: JsonObject = {
    "Mlp": Mlp,
    "GluMlp": GluMlp,
    "SwiGLU": SwiGLU,
    "SwiGLUPacked": SwiGLUPacked,
}


def built_with(arguments: BackboneArguments, name: str, **more: object) -> nn.Module:
    """Return a timm network without weights.

    Args:
        arguments: in which it differs from its name; those of `more` win.
        name: timm's name.
        more: further arguments of timm.create_model.

    Raises:
        TypeError: the network does not take an argument.
        AssertionError: the arguments do not go together.
    """
    given = arguments.given()
    eps = given.pop("norm_eps", None)
    if "mlp_layer" in given:
        given["mlp_layer"] = MLPS[given["mlp_layer"]]
    try:
        model: nn.Module = timm.create_model(name, pretrained=False, **{**given, **more})
    except (ValueError, RuntimeError, ZeroDivisionError, KeyError) as error:
        if not given:
            raise
        raise AssertionError(str(error)) from error
    if eps is not None:
        _set_epsilon(model, eps)
    return model


def argument_text(arguments: BackboneArguments) -> str:
    """Return arguments as a run file writes them, like {init_values: 1e-05, reg_tokens: 4}."""
    texts = [f"{name}: {_value_text(value)}" for name, value in arguments.given().items()]
    return f"{{{', '.join(texts)}}}"


def _value_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    # YAML reads 1e-05 as a string, 1.0e-05 as a number
    return text.replace("e", ".0e", 1) if isinstance(value, float) and text[1:2] == "e" else text


def _set_epsilon(model: nn.Module, eps: float) -> None:
    """Set the epsilon of every norm: timm's networks take it with the class of norm alone."""
    for module in model.modules():
        if isinstance(module, nn.LayerNorm | RmsNorm):
            module.eps = eps
