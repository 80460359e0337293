"""Random outputs of a mask-classification head, and what the loss matches."""

import pytest


@pytest.fixture
def stage():
    """`stage(batch, classes, size)` returns one stage's outputs that want gradients."""

    def make(batch=2, classes=3, size=(8, 12), queries=6, seed=0):
        import torch

        torch.manual_seed(seed)
        return {
            "class_logits": torch.randn(batch, queries, classes + 1, requires_grad=True),
            "mask_logits": torch.randn(batch, queries, *size, requires_grad=True),
        }

    return make


@pytest.fixture
def matches_of(monkeypatch):
    """`matches_of(loss, stage, target)` returns the matched (image, query, class)."""

    def find(loss, stage, target):
        from nnunet_vit.blocks.mask_classification import loss as module

        real, found = module.cheapest_matches, []

        def noted(costs, present):
            matches = real(costs, present)
            found.extend((matches.images, matches.queries, matches.classes))
            return matches

        monkeypatch.setattr(module, "cheapest_matches", noted)
        loss([stage], target)
        monkeypatch.setattr(module, "cheapest_matches", real)
        return set(zip(*(tensor.tolist() for tensor in found), strict=True))

    return find
