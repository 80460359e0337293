"""One training step: everything that is trained must get a gradient."""

import itertools

from torch import nn

from nnunet_vit.modeling.head import Head
from nnunet_vit.testing.building import build, head_parameters, images_of, run_of, step_loss
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case
from nnunet_vit.tuning.adapters.adapter_names import adapted_layers, layer_of

METHODS = ("full", "lora", "frozen")
STAGES = (0.0, 0.999)  # of the training, for heads that change in it
SHOWN = 4  # names in an error


def check_gradients(head: str, case: Case) -> None:
    """Check full fine-tuning, LoRA and the frozen backbone, as nnU-Net's runs build the head."""
    size = case.pixels(4, 6)
    for method, progress in itertools.product(METHODS, _stages(head, case)):
        model = build(head, case, size, method, deep_supervision=True)
        Head(run_of(head, case)).on_training_step(model, progress)
        step_loss(head, case, model, images=images_of(size)).backward()  # type: ignore[no-untyped-call]
        _check_used(model, method)
        _check_head_learns(model, method)
        _check_method(model, method)


def _stages(head: str, case: Case) -> tuple[float, ...]:
    return STAGES if Head(run_of(head, case)).has_training_step else STAGES[:1]


def _check_used(model: nn.Module, method: str) -> None:
    unused = [
        name
        for name, value in model.named_parameters()
        if value.requires_grad and value.grad is None
    ]
    if unused:
        raise ContractError(
            f"tuning {method}: {len(unused)} trained parameters are never used: {_some(unused)}. "
            "Training on several GPUs would stop.",
            fix="build only what forward uses, and ask feature_maps for the last block, -1, too.",
        )


def _check_head_learns(model: nn.Module, method: str) -> None:
    trained = [value for _, value in head_parameters(model) if value.requires_grad]
    if not trained:
        raise ContractError(
            f"tuning {method}: the head has no trained parameter.",
            fix="register the layers as attributes of the module and leave requires_grad on.",
        )
    if not any(value.grad is not None and value.grad.count_nonzero() for value in trained):
        raise ContractError(
            f"tuning {method}: every gradient of the head is 0.",
            fix="no detach() or no_grad() between the layers and the logits.",
        )


def _check_method(model: nn.Module, method: str) -> None:
    own = {name for name, _ in head_parameters(model)}
    of_vit = {name: value for name, value in model.named_parameters() if name not in own}
    trained = {name: value for name, value in of_vit.items() if value.requires_grad}
    if method == "frozen" and trained:
        raise ContractError(
            f"tuning frozen: {len(trained)} parameters of the backbone are trained: "
            f"{_some(list(trained))}.",
            fix="leave requires_grad of the backbone's parameters as they come.",
        )
    if method != "frozen" and not trained:
        raise ContractError(
            f"tuning {method}: nothing of the backbone is trained.",
            fix="leave requires_grad of the backbone's parameters as they come.",
        )
    if method == "lora":
        _check_adapters(of_vit)


def _check_adapters(of_vit: dict[str, nn.Parameter]) -> None:
    layers = adapted_layers(of_vit)
    adapters = {name: value for name, value in of_vit.items() if layer_of(name, layers)}
    if not adapters:
        raise ContractError(
            "tuning lora: the network has no adapter.",
            fix="keep the backbone that the hook is given, or follow use_lora.",
        )
    dead = [n for n, value in adapters.items() if value.grad is None or not value.grad.any()]
    if dead:
        raise ContractError(
            f"tuning lora: no gradient reaches {len(dead)} of {len(adapters)} adapters: "
            f"{_some(dead)}.",
            fix="no detach() or no_grad() around backbone.feature_maps, and use block -1.",
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
