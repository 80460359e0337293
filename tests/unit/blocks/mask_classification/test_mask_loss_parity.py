"""The loss and the matching are Mask2Former's, as transformers has them."""

import pytest
import torch

from nnunet_vit.blocks.mask_classification import MaskClassificationLoss
from nnunet_vit.blocks.mask_classification.loss import mask_cross_entropy, mask_dice
from nnunet_vit.blocks.mask_classification.points import PointSampler

pytestmark = pytest.mark.unit

HEIGHT, WIDTH, QUERIES = 12, 20, 9
WEIGHTS = {"class_weight": 2.0, "mask_weight": 3.0, "dice_weight": 4.0, "no_object_weight": 0.3}


@pytest.fixture(scope="module")
def theirs():
    reason = "the reference implementation is not installed"
    return pytest.importorskip(
        "transformers.models.mask2former.modeling_mask2former", reason=reason
    )


def their_loss(theirs, classes, points=HEIGHT * WIDTH):
    config = theirs.Mask2FormerConfig(
        **WEIGHTS, train_num_points=points, oversample_ratio=3.0, importance_sample_ratio=0.75
    )
    config.num_labels = classes
    return theirs.Mask2FormerLoss(config, {})


def centres(pixels):
    """Return the places in [0, 1] of pixels (N, K), as (N, K, 2)."""
    return torch.stack([(pixels % WIDTH + 0.5) / WIDTH, (pixels // WIDTH + 0.5) / HEIGHT], -1)


@pytest.fixture
def at_all_pixels(theirs, monkeypatch):
    """Their two ways to choose points choose all pixels, as ours do where there are few."""
    every = centres(torch.arange(HEIGHT * WIDTH)[None])
    monkeypatch.setattr(torch, "rand", lambda *size, **_: every.expand(*size))
    monkeypatch.setattr(
        theirs.Mask2FormerLoss,
        "sample_points_using_uncertainty",
        lambda self, masks, *_: every.expand(len(masks), -1, -1),
    )


def outputs_of(classes, sizes, batch=3, scale=3.0):
    return [
        {
            "class_logits": scale * torch.randn(batch, QUERIES, classes + 1),
            "mask_logits": scale * torch.randn(batch, QUERIES, *size),
        }
        for size in sizes
    ]


def labels_of(target, classes, kind):
    """Return their two lists: an image's segments (S, H, W) and their classes (S)."""
    if kind != "regions":
        target = torch.cat([target == number for number in range(classes)], dim=1)
    shown = [image.flatten(1).any(1).nonzero()[:, 0] for image in target]
    return [image[s].float() for image, s in zip(target, shown, strict=True)], shown


def total(losses):
    of = {"loss_cross_entropy": "class_weight", "loss_mask": "mask_weight"}
    of["loss_dice"] = "dice_weight"
    return sum(
        WEIGHTS[next(of[k] for k in of if key.startswith(k))] * losses[key] for key in losses
    )


def regions(classes, batch=3):
    target = torch.randn(batch, classes, HEIGHT, WIDTH) > 0.5
    target[0, -1] = False
    return target


TARGETS = {
    "labels": lambda classes: torch.randint(0, classes, (3, 1, HEIGHT, WIDTH)).float(),
    "one_label": lambda classes: torch.full((3, 1, HEIGHT, WIDTH), classes - 1),
    "regions": regions,
}


@pytest.mark.usefixtures("at_all_pixels")
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("classes", [1, 2, 5, QUERIES + 3])
@pytest.mark.parametrize(
    "sizes",
    [[(HEIGHT, WIDTH)], [(6, 10)], [(3, 5), (6, 10), (7, 9)]],
    ids=["full", "half", "stages"],
)
def test_the_same_loss_and_gradients(theirs, kind, classes, sizes):
    torch.manual_seed(classes)
    target, outputs = TARGETS[kind](classes), outputs_of(classes, sizes)
    inputs = [tensor.requires_grad_() for stage in outputs for tensor in stage.values()]
    loss = MaskClassificationLoss(classes, kind == "regions", None, **WEIGHTS)(outputs, target)
    of_them = [
        {"masks_queries_logits": s["mask_logits"], "class_queries_logits": s["class_logits"]}
        for s in outputs
    ]
    masks, shown = labels_of(target, classes, kind)
    expected = total(
        their_loss(theirs, classes)(
            **of_them[0], mask_labels=masks, class_labels=shown, auxiliary_predictions=of_them[1:]
        )
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for ours, reference in zip(
        torch.autograd.grad(loss, inputs), torch.autograd.grad(expected, inputs), strict=True
    ):
        assert (ours - reference).abs().max() <= 1e-5 * reference.abs().max()


@pytest.mark.usefixtures("at_all_pixels")
@pytest.mark.parametrize("classes", [2, 5, QUERIES + 3])
def test_the_same_assignments(theirs, classes, matches_of):
    torch.manual_seed(classes)
    target, (stage,) = TARGETS["labels"](classes), outputs_of(classes, [(6, 10)], batch=3)
    loss = MaskClassificationLoss(classes, False, None, **WEIGHTS)
    found = matches_of(loss, stage, target)
    masks, shown = labels_of(target, classes, "labels")
    pairs = their_loss(theirs, classes).matcher(
        stage["mask_logits"], stage["class_logits"], masks, shown
    )
    assert found == {
        (image, query.item(), shown[image][segment].item())
        for image, (queries, segments) in enumerate(pairs)
        for query, segment in zip(queries, segments, strict=True)
    }
    assert len(found) == 3 * min(classes, QUERIES)


def test_the_same_uncertain_points(theirs, monkeypatch):
    """Fed with the same candidates, both keep the same, and give the same two losses there."""
    points, masks = 40, 4
    torch.manual_seed(0)
    drawn = [torch.rand(masks, 3 * points), torch.rand(masks, points - 30)]
    logits, images = torch.randn(masks, 6, 10), torch.tensor([0, 0, 1, 1])
    queue = list(drawn)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: queue.pop(0))
    sampler = PointSampler(torch.ones(2, HEIGHT, WIDTH, dtype=torch.bool), points)
    ours = sampler.uncertain(images, logits)
    queue = [centres((shares * HEIGHT * WIDTH).long()) for shares in drawn]
    loss = their_loss(theirs, 2, points)
    places = loss.sample_points_using_uncertainty(
        logits[:, None], loss.calculate_uncertainty, points, 3, 0.75
    )
    torch.testing.assert_close(centres(ours.pixels), places)
    values = sampler.sampled(logits[:, None], ours.pixels)[:, 0]
    reference = theirs.sample_point(logits[:, None], places, align_corners=False)[:, 0]
    torch.testing.assert_close(values, reference, rtol=1e-5, atol=1e-5)
    truth = (torch.randn(masks, points) > 0).float()
    expected = theirs.sigmoid_cross_entropy_loss(reference, truth, 1)
    assert mask_cross_entropy(values, truth, ours.counted).sum().item() == pytest.approx(
        expected.item(), rel=1e-5
    )
    expected = theirs.dice_loss(reference, truth, 1)
    assert mask_dice(values, truth, ours.counted).sum().item() == pytest.approx(
        expected.item(), rel=1e-5
    )
