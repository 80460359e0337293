"""The run's loss in nnU-Net's place, at one resolution and at several."""

from types import SimpleNamespace

import pytest
import torch
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper

from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.losses.computing.total_loss import TotalLoss
from nnunet_vit.training import run_loss
from nnunet_vit.training.run_loss import with_loss_of_run

pytestmark = pytest.mark.unit

LABELS = {"background": 0, "disc": 1}


@pytest.fixture
def trainer(said, tmp_path):
    """`trainer(loss)` returns what a loss asks of nnU-Net's trainer."""

    def make(loss, batch_dice=True, cases=("a", "b")):
        return SimpleNamespace(
            run=SimpleNamespace(train=ViTTrainConfig.model_validate({"loss": loss})),
            dataset_json={"labels": LABELS},
            label_manager=SimpleNamespace(has_regions=False, ignore_label=None),
            configuration_manager=SimpleNamespace(
                batch_dice=batch_dice, normalization_schemes=["ZScoreNormalization"]
            ),
            preprocessed_dataset_folder=str(tmp_path),
            do_split=lambda: (list(cases), ["c"]),
            print_to_log_file=lambda *words: None,
            progress=said,
        )

    return make


def test_nnunets_own_loss_is_its_very_object(trainer, said):
    usual = torch.nn.Identity()
    assert with_loss_of_run(trainer("dice_ce"), usual) is usual
    assert said.lines == []


def test_another_one_takes_its_place(trainer, said):
    loss = with_loss_of_run(trainer("focal", batch_dice=False), torch.nn.Identity())
    assert isinstance(loss, TotalLoss) and not loss.facts.batch_dice
    assert loss.facts.names == ["background", "disc"]
    assert said.lines == ["Loss: focal 1."]


def test_resolutions_keep_nnunets_weights(trainer):
    usual = DeepSupervisionWrapper(torch.nn.Identity(), [0.75, 0.25, 0])
    loss = with_loss_of_run(trainer("focal"), usual)
    assert loss is usual
    torch.manual_seed(0)
    logits = [torch.randn(2, 2, edge, edge) for edge in (16, 8, 4)]
    targets = [torch.randint(0, 2, (2, 1, edge, edge)) for edge in (16, 8, 4)]
    values = [loss.loss(one, other) for one, other in zip(logits, targets, strict=True)]
    torch.testing.assert_close(loss(logits, targets), 0.75 * values[0] + 0.25 * values[1])


def test_given_weights_are_taken(trainer, said):
    loss = with_loss_of_run(trainer({"class_weights": {"disc": 3}}), torch.nn.Identity())
    assert loss.facts.weights().tolist() == [1, 3]
    assert said.lines == ["Loss: dice 1 + cross_entropy 1; class weights disc 3, others 1."]


def test_weights_of_the_training_cases_are_said(trainer, said, monkeypatch):
    asked = []

    def shares(folder, cases, description):
        asked.append(cases)
        return {"background": 0.99, "disc": 0.01}

    monkeypatch.setattr(run_loss, "class_shares", shares)
    loss = with_loss_of_run(trainer({"class_weights": "auto"}), torch.nn.Identity())
    assert asked == [["a", "b"]]
    weights = loss.facts.weights()
    assert weights.mean() == pytest.approx(1) and weights[1] / weights[0] == pytest.approx(99**0.5)
    assert said.lines[1] == (
        "Class weights: background 0.183, disc 1.82; pixels of the 2 training cases: background "
        "99 %, disc 1 %."
    )
