"""The loss of masks with classes: ignored pixels, empty images, stages, gradients, learning."""

import pytest
import torch

from nnunet_vit.blocks.mask_classification import MaskClassificationLoss, semantic_logits
from nnunet_vit.errors import PluginError

pytestmark = pytest.mark.unit

IGNORED = 3
SIZE = (8, 12)


def labels(batch=2, classes=3):
    return torch.randint(0, classes, (batch, 1, *SIZE), generator=torch.Generator()).float()


def half_ignored(has_regions):
    """Return a target whose right half is to be ignored."""
    target = labels()
    if has_regions:
        target = torch.cat([target == number for number in range(IGNORED + 1)], dim=1).float()
        target[:, -1, :, 6:] = 1
        return target
    target[..., 6:] = IGNORED
    return target


@pytest.mark.parametrize("has_regions", [False, True])
def test_what_is_ignored_changes_nothing(stage, has_regions):
    loss = MaskClassificationLoss(3, has_regions, IGNORED)
    outputs, target = stage(), half_ignored(has_regions)
    before = loss([outputs], target)
    before.backward()
    assert outputs["mask_logits"].grad[..., 6:].count_nonzero() == 0
    assert outputs["mask_logits"].grad[..., :6].count_nonzero() > 0
    with torch.no_grad():
        outputs["mask_logits"][..., 6:] = 100 * torch.randn(2, 6, 8, 6)
        if has_regions:
            target[:, :-1, :, 6:] = 1 - target[:, :-1, :, 6:]
    after = loss([outputs], target)
    assert after.item() == pytest.approx(before.item(), rel=1e-6)
    with torch.no_grad():
        outputs["mask_logits"][..., :6] *= -1
    assert abs(loss([outputs], target).item() - before.item()) > 0.1


def test_half_ignored_is_the_half_alone(stage):
    outputs, target = stage(), half_ignored(False)
    whole = MaskClassificationLoss(3, False, IGNORED)([outputs], target)
    left = {**outputs, "mask_logits": outputs["mask_logits"][..., :6]}
    part = MaskClassificationLoss(3, False, None)([left], target[..., :6])
    assert whole.item() == pytest.approx(part.item(), rel=1e-5)


@pytest.mark.parametrize("points", [20, 12544])
def test_an_ignored_image_takes_no_part(stage, points):
    loss = MaskClassificationLoss(3, False, IGNORED, points=points)
    outputs, target = stage(), labels()
    target[1] = IGNORED
    torch.manual_seed(0)
    both = loss([outputs], target)
    both.backward()
    assert outputs["class_logits"].grad[1].count_nonzero() == 0
    assert outputs["mask_logits"].grad[1].count_nonzero() == 0
    if points > 20:
        alone = loss([{key: value[:1] for key, value in outputs.items()}], target[:1])
        assert both.item() == pytest.approx(alone.item(), rel=1e-6)


def test_nothing_but_ignored_images_costs_nothing(stage):
    outputs = stage()
    loss = MaskClassificationLoss(3, False, IGNORED)([outputs], torch.full((2, 1, *SIZE), IGNORED))
    assert loss.item() == 0
    loss.backward()
    assert all(tensor.grad.count_nonzero() == 0 for tensor in outputs.values())


def test_an_image_without_any_region_wants_no_object(stage):
    outputs = stage(classes=1)
    loss = MaskClassificationLoss(1, True, None)([outputs], torch.zeros(2, 1, *SIZE))
    expected = -2 * outputs["class_logits"].log_softmax(-1)[..., -1].mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    loss.backward()
    assert (outputs["class_logits"].grad[..., 1] < 0).all()
    assert outputs["mask_logits"].grad.count_nonzero() == 0


def test_one_region_gets_the_query_that_fits(stage, matches_of):
    outputs = stage(classes=1)
    target = torch.zeros(2, 1, *SIZE, dtype=torch.bool)
    target[0, 0, :4], target[1, 0, :, 5:] = True, True
    with torch.no_grad():
        outputs["mask_logits"][0, 4] = torch.where(target[0, 0], 5.0, -5.0)
        outputs["mask_logits"][1, 2] = torch.where(target[1, 0], 5.0, -5.0)
    found = matches_of(MaskClassificationLoss(1, True, None), outputs, target)
    assert found == {(0, 4, 0), (1, 2, 0)}


def test_every_stage_and_every_query_learns(stage):
    """Stages may have masks of their own size; queries without a match learn their class."""
    sizes = [SIZE, (4, 6), (3, 5)]
    outputs = [stage(size=size, seed=seed) for seed, size in enumerate(sizes)]
    loss = MaskClassificationLoss(3, False, None, points=40)
    loss(outputs, labels()).backward()
    for level in outputs:
        assert (level["class_logits"].grad.abs().sum(-1) > 0).all()
        matched = level["mask_logits"].grad.flatten(2).count_nonzero(2) > 0
        assert matched.sum(1).tolist() == [3, 3]


def test_the_stages_are_summed_and_matched_each_for_itself(stage):
    loss = MaskClassificationLoss(3, False, None)
    outputs, target = [stage(seed=seed) for seed in range(3)], labels()
    alone = sum(loss([level], target).item() for level in outputs)
    assert loss(outputs, target).item() == pytest.approx(alone, rel=1e-6)


def test_the_order_of_queries_does_not_matter(stage):
    outputs, target, order = stage(), labels(), torch.tensor([3, 5, 0, 1, 4, 2])
    other = {key: value[:, order] for key, value in outputs.items()}
    loss = MaskClassificationLoss(3, False, None)
    assert loss([other], target).item() == pytest.approx(loss([outputs], target).item(), rel=1e-6)


def test_the_seed_decides(stage):
    outputs, target, found = stage(), labels(), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(MaskClassificationLoss(3, False, None, points=20)([outputs], target).item())
    assert found[0] == found[1] != found[2]


def test_points_estimate_the_loss_of_all_pixels(stage):
    outputs, target = stage(size=(40, 60)), labels().repeat(1, 1, 5, 5)
    exact = MaskClassificationLoss(3, False, None)([outputs], target).item()
    torch.manual_seed(0)
    some = MaskClassificationLoss(3, False, None, points=1000)([outputs], target).item()
    assert some == pytest.approx(exact, rel=0.2)
    assert some != exact


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_and_half_precision_change_nothing(stage, dtype):
    target, loss = labels(), MaskClassificationLoss(3, False, None)
    half = {key: value.to(dtype) for key, value in stage().items()}
    expected = loss([{key: value.float() for key, value in half.items()}], target)
    with torch.autocast("cpu", dtype):
        found = loss([half], target)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_autocast_does_not_blur_the_matching(matches_of):
    """Each query is a little better than the one before: less than bfloat16 can tell."""
    target = torch.zeros(1, 1, *SIZE)
    target[..., :7] = 1
    better = 1 + 1e-4 * torch.arange(6)[:, None, None]
    outputs = {"class_logits": torch.zeros(1, 6, 2), "mask_logits": better * (2 * target - 1)}
    with torch.autocast("cpu", torch.bfloat16):
        found = matches_of(MaskClassificationLoss(1, True, None), outputs, target)
    assert found == {(0, 5, 0)}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["class_logits", "mask_logits"])
@pytest.mark.parametrize("where", [(0, 1), (slice(None), slice(None))])
@pytest.mark.parametrize("points", [20, 12544])
def test_what_is_not_finite_comes_out_and_does_not_crash(stage, value, name, where, points):
    outputs = {key: tensor.detach() for key, tensor in stage().items()}
    outputs[name][where] = value
    loss = MaskClassificationLoss(3, False, None, points=points)([outputs], labels())
    assert not torch.isfinite(loss)


@pytest.mark.parametrize("scale", [1e4, 1e30])
def test_large_logits_have_a_finite_loss_or_none(stage, scale):
    outputs = {key: scale * tensor.detach() for key, tensor in stage().items()}
    loss = MaskClassificationLoss(3, False, None)([outputs], labels())
    assert torch.isfinite(loss)


def test_more_segments_than_queries(stage):
    outputs = stage(queries=2)
    loss = MaskClassificationLoss(3, False, None)([outputs], labels())
    loss.backward()
    assert torch.isfinite(loss)
    assert (outputs["mask_logits"].grad.flatten(2).count_nonzero(2) > 0).all()


@pytest.mark.parametrize(("has_regions", "classes"), [(False, 3), (True, 2)])
@pytest.mark.parametrize(("points", "size"), [(12544, SIZE), (48, SIZE), (12544, (4, 6))])
def test_free_logits_learn_the_target(stage, has_regions, classes, points, size):
    """Also through masks of half the size, for a target of blocks of 2 x 2 pixels."""
    torch.manual_seed(0)
    target = torch.randint(0, classes, (2, 1, 4, 6)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    if has_regions:  # the second inside the first
        inside = torch.rand(2, 1, *SIZE) < 0.5 if size == SIZE else target[:, :1].flip(3).bool()
        target = torch.cat([target > 0, (target > 0) & inside], dim=1)
    outputs = stage(classes=classes, size=size)
    loss = MaskClassificationLoss(classes, has_regions, None, points=points)
    optimizer = torch.optim.Adam(outputs.values(), 0.5)
    for _ in range(60):
        optimizer.zero_grad()
        loss([outputs], target).backward()
        optimizer.step()
    logits = semantic_logits(outputs["class_logits"], outputs["mask_logits"], SIZE)
    found = logits > 0 if has_regions else logits.argmax(1, keepdim=True)
    assert torch.equal(found, target)


def test_a_step_can_be_measured_without_memory(stage):
    """As `vit_cli describe` does: tensors without values count as an image with all classes."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        outputs = [stage(), stage(size=(4, 6))]
        loss = MaskClassificationLoss(3, False, None, points=40)
        loss(outputs, torch.zeros(2, 1, *SIZE)).backward()
    assert all(t.grad.shape == t.shape for level in outputs for t in level.values())


@pytest.mark.parametrize("channels", [2, 4])
def test_class_logits_without_no_object(stage, channels):
    loss = MaskClassificationLoss(3 if channels == 2 else 4, False, None)
    with pytest.raises(PluginError) as caught:
        loss([stage(classes=channels - 1)], labels())
    assert str(caught.value) == (
        f"The head's class_logits have {channels} channels; needed: {loss.num_classes + 1}, one "
        "per class or region and a last one for no object."
    )
