"""Terms that packages bring."""

from functools import partial

import pytest
import torch
from outside_packages import documented, hook_that_returns

from nnunet_vit.config.load import load_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe import chosen_terms
from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.losses import named_term
from nnunet_vit.nnunet.plans import recipe_packages

pytestmark = pytest.mark.unit

BRIER = documented("loss_and_augmentation.md", "A term of your own")
RUN = "model: {head: linear, backbone: 'timm:test_vit'}\n"


@pytest.fixture
def fake_term(fake_head):
    """Install a term for this test alone: `fake_term("brier", source)`."""
    return partial(fake_head, distribution="x-loss", group="nnunet_vit.losses")


def test_the_term_of_the_documentation(fake_term, value_of, logits, target, tmp_path):
    fake_term("brier", BRIER)
    truth = torch.nn.functional.one_hot(target[:, 0].long(), 3).movedim(-1, 1)
    expected = (logits.softmax(1) - truth).abs().pow(3).mean()
    torch.testing.assert_close(value_of("brier", logits, target, power=3.0), expected)
    file = tmp_path / "run.yaml"
    file.write_text(f"{RUN}train: {{loss: {{brier: {{weight: 2, power: 3}}, dice: 1}}}}\n")
    loss = load_run(file).train.loss
    assert loss.terms["brier"] == {"weight": 2.0, "power": 3.0}
    assert [each.options.weight for each in chosen_terms(loss)] == [2.0, 1.0]


def test_plans_say_whose_term_it_is(fake_term):
    run = ViTnnUNetConfig.model_validate({"train": {"loss": {"brier": 1, "dice": 1}}})
    assert recipe_packages(run) == {}
    fake_term("brier", BRIER)
    assert recipe_packages(run) == {"x-loss": "1.0"}


def test_what_is_wrong_with_its_options(fake_term, tmp_path):
    fake_term("brier", BRIER)
    file = tmp_path / "run.yaml"
    file.write_text(f"{RUN}train:\n  loss: {{brier: {{power: 9}}}}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(file)
    assert str(caught.value).endswith(
        "run.yaml, line 3, train.loss.brier.power: given 9; allowed: a number from 1 to 4"
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("brier", "3", "segmentation_loss returned int; needed: nnunet_vit.losses.LossTerm."),
        (
            "brier",
            "LossTerm('other', '', None)",
            "segmentation_loss returned the term 'other'; needed: 'brier', the name of its entry "
            "point.",
        ),
    ],
)
def test_a_broken_one(fake_term, name, value, problem):
    needs = "nnunet_vit.losses.LossTerm"
    fake_term(name, hook_that_returns("segmentation_loss", value, needs=needs))
    with pytest.raises(PluginError) as caught:
        named_term(name)
    assert caught.value.problem == f"Plugin '{name}' (x-loss 1.0): {problem}"


def test_one_that_fails_is_named(fake_term, value_of, logits, target):
    fake_term("brier", BRIER.replace("wrong = (", "wrong = (missing + "))
    with pytest.raises(PluginError) as caught:
        value_of("brier", logits, target)
    assert caught.value.problem == (
        "Plugin 'brier' (x-loss 1.0): value failed: NameError: name 'missing' is not defined."
    )


def test_one_that_is_called_as_ours(fake_term):
    fake_term("dice", BRIER.replace('"brier"', '"dice"'))
    with pytest.raises(PluginError, match="The loss term 'dice' comes from nnunet-vit and from"):
        named_term("dice")
