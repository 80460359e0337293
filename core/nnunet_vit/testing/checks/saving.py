"""A state that is saved and loaded, and the same parameters with and without deep supervision."""

import io

import torch
from torch import Tensor

from nnunet_vit.errors import message_of
from nnunet_vit.modeling.head import Head
from nnunet_vit.testing.building import (
    build,
    images_of,
    logits_of,
    run_of,
    step_loss,
    takes_deep_supervision,
)
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

LATE = 0.9  # share of the training: what a head has changed by then must be in its state


def check_saving(head: str, case: Case) -> None:
    """Check that a trained state, through a file, gives another build the same logits."""
    size = case.pixels(4, 6)
    trained, other = build(head, case, size), build(head, case, size, seed=1)
    optimizer = torch.optim.SGD(trained.parameters(), 0.1)
    step_loss(head, case, trained, images=images_of(size)).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    Head(run_of(head, case)).on_training_step(trained, LATE)
    images = images_of(size)
    before = logits_of(other, images)
    file = io.BytesIO()
    torch.save(trained.state_dict(), file)
    file.seek(0)
    try:
        other.load_state_dict(torch.load(file, weights_only=True))
    except Exception as error:
        raise ContractError(
            f"The saved state does not load: {message_of(error, 300)}",
            fix="build the same parameters every time, and keep tensors alone in the state.",
        ) from error
    after = logits_of(other, images)
    if torch.equal(after, before):
        raise ContractError(
            "Loading a saved state changes no logit.",
            fix="let forward use the parameters that are registered.",
        )
    if not torch.equal(logits_of(trained, images), after):
        raise ContractError(
            "After loading a saved state the logits differ from those before saving.",
            fix="keep every tensor that forward uses as a parameter or by register_buffer, and "
            "draw no random numbers in eval mode.",
        )


def check_deep_supervision(head: str, case: Case) -> str:
    """Check the list of logits; return a note for heads that have none."""
    if not takes_deep_supervision(head, case):
        return "the head names no deep_supervision"
    size = case.pixels(4, 6)
    deep = build(head, case, size, deep_supervision=True)
    plain = build(head, case, size, deep_supervision=False)
    if not isinstance(plain.eval()(images_of(size)), Tensor):
        raise ContractError(
            "With deep_supervision=False the module returns no tensor.",
            fix="return the finest logits alone where deep_supervision is False.",
        )
    output = deep.train()(images_of(size))
    if Head(run_of(head, case)).has_loss:
        return "the head's own loss takes its outputs in training"
    _check_levels(list(output) if isinstance(output, list | tuple) else [output], size)
    return ""


def _check_levels(levels: list[Tensor], size: tuple[int, int]) -> None:
    shapes = [tuple(level.shape) for level in levels]
    if shapes[0] != (2, 3, *size):
        raise ContractError(
            f"Deep supervision: the first of the logits has shape {shapes[0]}; needed: "
            f"{(2, 3, *size)}.",
            fix="return the list finest first, and the finest at the images' size.",
        )
    if any(shape[:2] != (2, 3) for shape in shapes):
        raise ContractError(
            f"Deep supervision: shapes {shapes}; each needs 2 images and 3 classes.",
            fix="give each level a classifier of num_classes channels.",
        )
    edges = [shape[2] for shape in shapes]
    if edges != sorted(edges, reverse=True):
        raise ContractError(
            f"Deep supervision: logits with {edges} rows; needed: finest first.",
            fix="reverse the list.",
        )
