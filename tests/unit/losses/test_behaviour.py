"""What holds for every term: gradients, odd masks, pixels to ignore, weights of classes."""

import pytest
import torch
from compared_batches import IGNORE, facts, in_doubles

from nnunet_vit.errors import PluginError
from nnunet_vit.losses import LossTerm, TermOptions, own_terms
from nnunet_vit.losses.computing.class_balance import balanced
from nnunet_vit.losses.computing.compared import compared
from nnunet_vit.losses.computing.total_loss import TotalLoss
from nnunet_vit.losses.term import ChosenTerm, ClassOptions

pytestmark = pytest.mark.unit

TERMS = sorted(own_terms())
OF_CLASSES = [name for name, term in own_terms().items() if issubclass(term.options, ClassOptions)]


@pytest.mark.parametrize("regions", [False, True])
@pytest.mark.parametrize("name", TERMS)
def test_the_gradient_is_that_of_finite_differences(name, regions, logits, target):
    term = own_terms()[name]
    given = torch.cat([target == 1, target == 2, target > 0], 1) if regions else target
    both = in_doubles(compared(logits[:1, :, :5, :6], given[:1, :, :5, :6], facts(regions=regions)))

    def value(z):
        other = type(both)(z, both.truth, both.valid, both.facts)
        return term.value(other, term.options())

    assert torch.autograd.gradcheck(value, both.logits.clone().requires_grad_(), eps=1e-7)


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("label", [0, 2, IGNORE, None])
@pytest.mark.parametrize("name", TERMS)
def test_it_is_finite_whatever_the_masks_hold(value_of, name, label, scale, logits, target):
    if label is not None:
        target[:] = label
    logits = (scale * logits).requires_grad_()
    value = value_of(name, logits, target, facts(ignore_label=IGNORE))
    (gradient,) = torch.autograd.grad(value, logits)
    assert torch.isfinite(value) and torch.isfinite(gradient).all()


@pytest.mark.parametrize("regions", [False, True])
@pytest.mark.parametrize("name", TERMS)
def test_ignored_pixels_have_no_gradient(value_of, name, regions, logits, target):
    target[:, :, 5:9, 5:9] = IGNORE
    if regions:
        target = torch.cat([target == 1, target == 2, target == 0, target == IGNORE], 1)
    logits.requires_grad_()
    value = value_of(name, logits, target, facts(regions=regions, ignore_label=IGNORE))
    (gradient,) = torch.autograd.grad(value, logits)
    assert gradient[:, :, 5:9, 5:9].eq(0).all()
    assert gradient.ne(0).any()


@pytest.mark.parametrize("name", TERMS)
def test_a_better_prediction_has_a_lower_loss(value_of, name, target):
    target[:] = 0
    target[:, 0, 4:18, 6:12], target[:, 0, 6:20, 20:22] = 1, 2
    truth = torch.nn.functional.one_hot(target[:, 0].long(), 3).movedim(-1, 1).float()
    values = [float(value_of(name, scale * truth, target)) for scale in (-4, 0, 4, 12)]
    assert values == sorted(values, reverse=True) and values[0] > values[-1] + 1e-3


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_class_counts_by_its_weight(value_of, name, logits, target):
    disc, vessel = (value_of(name, logits, target, classes=[which]) for which in ("disc", "vessel"))
    weighted = value_of(name, logits, target, facts(class_weights={"disc": 3.0}))
    torch.testing.assert_close(weighted, (3 * disc + vessel) / 4)


def test_auto_weights_are_of_mean_1_and_grow_with_rarity():
    weights = balanced({"background": 0.81, "disc": 0.01, "vessel": 0.09, "none": 0.0})
    assert sum(weights[name] for name in ("background", "disc", "vessel")) == pytest.approx(3)
    assert weights["disc"] / weights["background"] == pytest.approx(9)
    assert weights["none"] == 1
    assert balanced({"background": 0.0}) == {"background": 1.0}


def test_the_total_is_the_weighted_sum(logits, target):
    terms = own_terms()
    chosen = [
        ChosenTerm(terms[name], terms[name].options(weight=weight))
        for name, weight in (("dice", 1.0), ("focal", 2.5))
    ]
    both = compared(logits, target, facts())
    dice, focal = (each.term.value(both, each.options) for each in chosen)
    torch.testing.assert_close(TotalLoss(chosen, facts())(logits, target), dice + 2.5 * focal)


def test_a_term_that_gives_no_number_is_named(logits, target):
    term = LossTerm("maps", "a map", lambda compared, options: compared.probabilities)
    with pytest.raises(PluginError) as caught:
        TotalLoss([ChosenTerm(term, TermOptions())], facts())(logits, target)
    assert str(caught.value).startswith(
        "The loss term 'maps' returned [2, 3, 24, 32]; needed: a tensor of one number."
    )
