"""An optimizer's state as named tensors and plain settings, and back without any change of a bit.

Tensors are named `<number of the parameter>.<name>`, as in `3.exp_avg`.
"""

from torch import Tensor
from torch.optim import Optimizer

from nnunet_vit.checkpoints.misfits import compared, misfit
from nnunet_vit.checkpoints.plain import plain
from nnunet_vit.files.json_file import JsonObject

PART = "optimizer values"


def optimizer_tensors(optimizer: Optimizer) -> tuple[dict[str, Tensor], JsonObject]:
    """Return an optimizer's tensors, and everything else about it as JSON has it."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, JsonObject] = {}
    for number, entries in state["state"].items():
        scalars[str(number)] = {}
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{name}"] = value
            else:
                scalars[str(number)][name] = plain(value)
    settings = {
        "optimizer": type(optimizer).__name__,
        "shapes": [list(parameter.shape) for parameter in _parameters(optimizer)],
        "groups": [plain(group) for group in state["param_groups"]],
        "scalars": scalars,
        "tensors": sorted(tensors),
    }
    return tensors, settings


def restore_optimizer(
    optimizer: Optimizer, tensors: dict[str, Tensor], settings: JsonObject
) -> None:
    """Give an optimizer the state that `optimizer_tensors` returned; it then continues bit by bit.

    Raises:
        ModelError: the state is of another optimizer or of other parameters, or a part of it is
            missing; the optimizer is what it was.
    """
    own = optimizer.state_dict()["param_groups"]
    _check_kind(optimizer, settings)
    _check_shapes(optimizer, settings)
    if [len(group["params"]) for group in own] != [len(g["params"]) for g in settings["groups"]]:
        raise misfit(PART, "the parameters are grouped in another way")
    _check_tensors(optimizer, tensors, settings)
    state: dict[int, JsonObject] = {
        int(number): dict(entries) for number, entries in settings["scalars"].items()
    }
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state[int(number)][name] = tensor
    groups = [_group(*pair) for pair in zip(own, settings["groups"], strict=True)]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _group(own: JsonObject, saved: JsonObject) -> JsonObject:
    restored = {
        name: tuple(value) if isinstance(own.get(name), tuple) else value
        for name, value in saved.items()
    }
    return {**own, **restored, "params": own["params"]}  # a newer torch may have more settings


def _check_kind(optimizer: Optimizer, settings: JsonObject) -> None:
    kind = type(optimizer).__name__
    if settings["optimizer"] != kind:
        raise misfit(PART, f"they are of {settings['optimizer']}, this run has {kind}")


def _check_shapes(optimizer: Optimizer, settings: JsonObject) -> None:
    shapes = [list(parameter.shape) for parameter in _parameters(optimizer)]
    if len(shapes) != len(settings["shapes"]):
        raise misfit(
            PART, f"they are of {len(settings['shapes'])} parameters, this network {len(shapes)}"
        )
    for number, (own, saved) in enumerate(zip(shapes, settings["shapes"], strict=True)):
        if own != saved:
            raise misfit(PART, f"parameter {number} has shape {saved}, in this network {own}")


def _check_tensors(optimizer: Optimizer, tensors: dict[str, Tensor], settings: JsonObject) -> None:
    difference = compared(settings["tensors"], tensors)
    if difference:
        raise misfit(PART, difference)
    parameters = _parameters(optimizer)
    for name, tensor in tensors.items():
        parameter = parameters[int(name.partition(".")[0])]
        if tensor.ndim and tensor.shape != parameter.shape:
            raise misfit(
                PART, f"{name} has shape {list(tensor.shape)}, not {list(parameter.shape)}"
            )
