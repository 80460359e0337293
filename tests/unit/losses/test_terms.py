"""Each term against a second implementation: nnU-Net's, torch's, MONAI's, scipy's."""

import numpy as np
import pytest
import torch
from compared_batches import CLASSES, IGNORE, facts
from monai.losses import FocalLoss, SoftclDiceLoss, TverskyLoss
from nnunetv2.training.loss.compound_losses import DC_and_BCE_loss, DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from scipy.ndimage import distance_transform_edt
from torch.nn import functional

from nnunet_vit.losses.computing.signed_distances import distances_by_scipy, distances_by_torch
from nnunet_vit.losses.computing.soft_skeleton import soft_skeleton

pytestmark = pytest.mark.unit

KIND = {"dice_class": MemoryEfficientSoftDiceLoss}


def one_hot(target):
    return functional.one_hot(target[:, 0].long(), 3).movedim(-1, 1).float()


@pytest.mark.parametrize("batch_dice", [True, False])
@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_dice_and_cross_entropy_are_nnunets(value_of, logits, target, batch_dice, ignore):
    if ignore is not None:
        target[:, :, :7] = ignore
    dice = {"batch_dice": batch_dice, "smooth": 1e-5, "do_bg": False, "ddp": False}
    theirs = DC_and_CE_loss(dice, {}, ignore_label=ignore, **KIND)
    about = facts(batch_dice=batch_dice, ignore_label=ignore)
    ours = [value_of(name, logits, target, about) for name in ("dice", "cross_entropy")]
    torch.testing.assert_close(sum(ours), theirs(logits, target))


@pytest.mark.parametrize("weights", [{}, {"disc": 5.0, "vessel": 5.0, "background": 5.0}])
@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_dice_and_cross_entropy_of_regions_are_nnunets(value_of, logits, target, ignore, weights):
    regions = one_hot(target).bool()
    if ignore is not None:
        regions = torch.cat([regions, torch.rand(target.shape) > 0.7], 1)
    dice = {"batch_dice": True, "smooth": 1e-5, "do_bg": True, "ddp": False}
    theirs = DC_and_BCE_loss({}, dice, use_ignore_label=ignore is not None, **KIND)
    about = facts(regions=True, ignore_label=ignore, class_weights=weights)
    ours = [value_of(name, logits, regions, about) for name in ("dice", "cross_entropy")]
    torch.testing.assert_close(sum(ours), theirs(logits, regions.float()))


def test_cross_entropy_with_weights_and_smoothing_is_torchs(value_of, logits, target):
    weights = {"background": 0.5, "vessel": 4.0}
    theirs = functional.cross_entropy(
        logits, target[:, 0].long(), weight=torch.tensor([0.5, 1.0, 4.0])
    )
    about = facts(class_weights=weights)
    torch.testing.assert_close(value_of("cross_entropy", logits, target, about), theirs)
    smoothed = functional.cross_entropy(logits, target[:, 0].long(), label_smoothing=0.2)
    ours = value_of("cross_entropy", logits, target, label_smoothing=0.2)
    torch.testing.assert_close(ours, smoothed)


@pytest.mark.parametrize("regions", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 2.0, 3.5])
def test_focal_is_monais(value_of, logits, target, regions, gamma):
    truth = one_hot(target)
    theirs = FocalLoss(gamma=gamma, use_softmax=not regions, reduction="none")(logits, truth)
    expected = theirs.mean() if regions else theirs.sum(1).mean()
    given = truth.bool() if regions else target
    ours = value_of("focal", logits, given, facts(regions=regions), gamma=gamma)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("batch_dice", [True, False])
def test_tversky_is_monais(value_of, logits, target, batch_dice):
    theirs = TverskyLoss(
        include_background=False, softmax=True, alpha=0.2, beta=0.9, batch=batch_dice
    )
    options = {"false_positives": 0.2, "false_negatives": 0.9}
    ours = value_of("tversky", logits, target, facts(batch_dice=batch_dice), **options)
    torch.testing.assert_close(ours, theirs(logits, one_hot(target)))


def test_tversky_with_an_exponent_is_a_power_of_each_class(value_of, logits, target):
    each = [value_of("tversky", logits, target, classes=[name]) for name in CLASSES[1:]]
    ours = value_of("tversky", logits, target, exponent=0.75)
    torch.testing.assert_close(ours, torch.stack(each).pow(0.75).mean())


def test_cldice_is_monais(value_of, logits, target):
    p, truth = logits.softmax(1), one_hot(target)
    theirs = SoftclDiceLoss(iter_=3, smooth=1e-12)(p[:, 2:], truth[:, 2:])
    options = {"iterations": 3, "classes": ["vessel"]}
    ours = value_of("cldice", logits, target, facts(batch_dice=False), **options)
    torch.testing.assert_close(ours, theirs)


def test_the_skeleton_of_a_bar_is_its_middle():
    bar = torch.zeros(1, 1, 15, 30)
    bar[0, 0, 4:9, 3:27] = 1
    skeleton = soft_skeleton(bar, 5)[0, 0]
    assert skeleton[6, 8:22].eq(1).all()
    assert skeleton[:, 10].sum() == 1


def test_boundary_is_the_mean_of_distances_by_scipy(value_of, logits, target):
    target[:] = 0
    target[0, 0, 4:12, 5:20] = 1
    target[1, 0, 14:16, 2:30] = 1  # class 2 has no boundary
    means = []
    for image in range(2):
        mask = target[image, 0].numpy() == 1
        signed = np.where(mask, 1 - distance_transform_edt(mask), distance_transform_edt(~mask))
        p = logits[image].softmax(0)[1].numpy()
        means.append(float((signed * p).mean()) / np.hypot(24, 32))
    ours = value_of("boundary", logits, target)
    assert float(ours) == pytest.approx(np.mean(means) / 2, rel=1e-5)


def test_pixels_to_ignore_make_no_boundary(value_of, logits, target):
    target[:] = 0
    target[:, 0, 4:12, 5:20] = 1
    target[:, 0, :, 12:] = IGNORE
    about = facts(ignore_label=IGNORE)
    mask, known = target[0, 0].numpy() == 1, target[0, 0].numpy() != IGNORE
    outside = distance_transform_edt(mask | ~known)  # to the nearest pixel that is surely outside
    signed = np.where(mask, 1 - outside, distance_transform_edt(~mask))
    p = logits.softmax(1)[:, 1].numpy()
    means = [(signed * one)[known].mean() / np.hypot(24, 32) for one in p]
    ours = value_of("boundary", logits, target, about)
    assert float(ours) == pytest.approx(np.mean(means) / 2, rel=1e-5)
    target[target == 0] = IGNORE  # the object alone is known: nobody knows where it ends
    assert float(value_of("boundary", logits, target, about)) == 0


def test_both_ways_to_distances_agree():
    torch.manual_seed(3)
    masks = torch.rand(2, 3, 41, 30) < torch.tensor([0.01, 0.5, 0.97]).view(3, 1, 1)
    torch.testing.assert_close(distances_by_scipy(masks), distances_by_torch(masks))
