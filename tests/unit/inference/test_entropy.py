"""Entropy and disagreement by their definitions."""

import math

import pytest
import torch
from scipy.stats import entropy as oracle
from torch import tensor

from nnunet_vit.inference.entropy import MemberMaps, disagreement_of, entropy_of

pytestmark = pytest.mark.unit


def test_classes():
    values = torch.softmax(torch.randn(5, 7, 8) * 4, dim=0)
    expected = oracle(values.numpy(), axis=0) / math.log(5)
    torch.testing.assert_close(entropy_of(values, regions=False), tensor(expected))
    sure = tensor([1.0, 0.0, 0.0])
    assert entropy_of(sure, regions=False) == 0
    assert entropy_of(torch.full((3,), 1 / 3), regions=False) == pytest.approx(1)


def test_regions():
    values = torch.rand(3, 4, 5)
    each = oracle(torch.stack([values, 1 - values]).numpy(), axis=0) / math.log(2)
    torch.testing.assert_close(entropy_of(values, regions=True), tensor(each.mean(axis=0)))
    assert entropy_of(tensor([0.0, 1.0]), regions=True) == 0


@pytest.mark.parametrize("regions", [False, True])
def test_members_that_agree_disagree_nowhere(regions):
    member = torch.softmax(torch.randn(3, 6), dim=0)
    found = disagreement_of(torch.stack([member] * 4), regions=regions)
    torch.testing.assert_close(found, torch.zeros(6), atol=1e-6, rtol=0)


def test_members_that_are_sure_of_other_classes():
    members = torch.eye(3)[:, :, None]
    assert disagreement_of(members, regions=False)[0] == pytest.approx(1)
    assert disagreement_of(members[:2], regions=False)[0] == pytest.approx(
        math.log(2) / math.log(3)
    )
    unsure = torch.full((3, 3, 1), 1 / 3)
    assert disagreement_of(unsure, regions=False)[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("regions", [False, True])
def test_the_maps_of_logits(regions):
    logits = torch.randn(4, 3, 5) * 3
    values = torch.sigmoid(logits) if regions else torch.softmax(logits, 1)
    maps = MemberMaps(regions, 4)
    entropy, disagreement = maps(logits)
    assert maps.channels == 2
    torch.testing.assert_close(entropy, entropy_of(values.mean(0), regions=regions))
    torch.testing.assert_close(disagreement, disagreement_of(values, regions=regions))
    assert (disagreement <= entropy).all()
    alone = MemberMaps(regions, 1)
    assert alone.channels == 1
    torch.testing.assert_close(alone(logits[:1])[0], entropy_of(values[0], regions=regions))
