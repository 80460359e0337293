"""What a head returns in prediction: logits and nothing else."""

import torch
from torch import Tensor, nn

from nnunet_vit.testing.building import build, images_of, takes_deep_supervision
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

NOISE = 0.5  # std of what is added to each parameter: logits then leave any range
TOLERANCE = 1e-3


def check_logits(head: str, case: Case) -> None:
    """Check that the output is one tensor, or finest first a list, and holds no probabilities."""
    size = case.pixels(3, 4)
    model = build(head, case, size).eval()
    images = images_of(size)
    with torch.no_grad():
        output = model(images)
    _check_kind(output, takes_deep_supervision(head, case))
    _disturb(model)
    with torch.no_grad():
        disturbed = model(images)
    first = disturbed if isinstance(disturbed, Tensor) else disturbed[0]
    _check_no_probabilities(first)


def _check_kind(output: object, several: bool) -> None:
    if isinstance(output, Tensor):
        return
    levels = output if isinstance(output, list) else []
    tensors = bool(levels) and all(isinstance(level, Tensor) for level in levels)
    if tensors and (several or len(levels) == 1):
        return
    fix = "return the logits alone from forward; other outputs belong in training, beside a loss "
    if tensors:
        problem = f"a list of {len(levels)} tensors without deep supervision"
        fix = "name deep_supervision among the arguments of create_segmentation_model and obey it."
    else:
        problem = f"a {type(output).__name__}"
        fix += "of the head's own (create_loss)."
    raise ContractError(
        f"In eval mode the module returned {problem}; needed: logits (B, num_classes, H, W).",
        fix=fix,
    )


def _disturb(model: nn.Module) -> None:
    """Add noise to every parameter: a classifier that starts at zero says something then."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_((NOISE * noise).to(parameter.dtype))


def _check_no_probabilities(output: Tensor) -> None:
    inside = bool(((output >= -TOLERANCE) & (output <= 1 + TOLERANCE)).all())
    if not inside or output.std() == 0:
        return
    sums = output.sum(1)
    whole = output.shape[1] > 1 and bool(((sums - 1).abs() <= TOLERANCE).all())
    told = "they lie in 0..1 and their sum over the classes is 1" if whole else "they lie in 0..1"
    raise ContractError(
        f"The output holds probabilities, not logits: {told}, whatever the weights.",
        fix=f"leave out the {'softmax' if whole else 'sigmoid'}: the loss and the prediction apply "
        "their own.",
    )
