"""`train.loss` and `train.augmentation`: what they take, mean and are called."""

from dataclasses import replace

import pytest

from nnunet_vit import losses
from nnunet_vit.config.dump import run_as_yaml
from nnunet_vit.config.load import load_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe import (
    augmentation_text,
    chosen_augmentations,
    chosen_terms,
    loss_text,
)
from nnunet_vit.errors import ConfigError
from nnunet_vit.losses import own_terms
from nnunet_vit.nnunet.run_names import plans_name

pytestmark = pytest.mark.unit

USUAL = [
    "",
    "train: {loss: dice_ce, augmentation: nnunet}",
    "train: {loss: {class_weights: null}, augmentation: {}}",
    "train: {loss: {cross_entropy: 1, dice: {weight: 1.0}}, augmentation: {strength: 1}}",
]
MODEL = "model: {head: tiny, backbone: dinov2}\n"


@pytest.mark.parametrize("text", USUAL)
def test_all_words_for_nnunets_own_are_one_run(run_of, text):
    run = run_of(MODEL + text)
    assert run.train.loss.is_nnunet and run.train.augmentation.is_nnunet
    assert plans_name(run) == plans_name(run_of(MODEL))
    assert "loss: dice_ce\n  augmentation: nnunet\n" in run_as_yaml(run)


OTHERS = [
    "loss: focal",
    "loss: {focal: {gamma: 3}}",
    "loss: {dice: 2, cross_entropy: 1}",
    "loss: {class_weights: auto}",
    "loss: {class_weights: {disc: 2}}",
    "augmentation: none",
    "augmentation: {mirror: false}",
    "augmentation: {elastic: 1}",
    "augmentation: {elastic: {strength: 1, probability: 0.9}}",
]


def test_each_other_one_is_another_run_and_is_read_back(run_of, tmp_path):
    names = {plans_name(run_of(MODEL))}
    for text in OTHERS:
        run = run_of(f"{MODEL}train: {{{text}}}")
        names.add(plans_name(run))
        file = tmp_path / "written.yaml"
        file.write_text(run_as_yaml(run))
        assert load_run(file) == run
        stored = run.model_dump(mode="json", exclude={"paths"})
        assert ViTnnUNetConfig.model_validate(stored).train == run.train
    assert len(names) == 1 + len(OTHERS)


@pytest.mark.parametrize("name", ["focal", "tversky"])
def test_an_option_that_a_later_version_adds_renames_no_run(run_of, monkeypatch, name):
    class Later(own_terms()[name].options):
        later: float = 0.25

    run = run_of(f"{MODEL}train: {{loss: {{dice: 1, {name}: 2}}}}")
    now = plans_name(run)
    assert plans_name(run_of(f"{MODEL}train: {{loss: {{{name}: 2, dice: {{}}}}}}")) == now
    monkeypatch.setitem(losses.own_terms(), name, replace(own_terms()[name], options=Later))
    later = run_of(f"{MODEL}train: {{loss: {{dice: 1, {name}: 2}}}}")
    assert later.train.loss.terms[name]["later"] == 0.25
    assert plans_name(later) == plans_name(run) == now
    other = run_of(f"{MODEL}train: {{loss: {{dice: 1, {name}: {{weight: 2, later: 0.5}}}}}}")
    assert plans_name(other) != now


def test_a_number_is_the_weight_or_the_strength(run_of):
    train = run_of(
        f"{MODEL}train: {{loss: {{focal: 3, boundary: {{weight: 0.5}}}}, "
        "augmentation: {elastic: 2, colour: {hue: 0.1}}}"
    ).train
    terms = {each.term.name: each.options.weight for each in chosen_terms(train.loss)}
    assert terms == {"focal": 3, "boundary": 0.5}
    added = {e.kind.name: e.options.strength for e in chosen_augmentations(train.augmentation)}
    assert added == {"elastic": 2, "colour": 1}


def test_every_problem_at_once(faults_of):
    text = (
        "model: {head: tiny, backbone: dinov2}\n"
        "train:\n"
        "  loss: {dice: true, fokal: 1, focal: {gama: 3}, class_weights: {a: -1}}\n"
        "  augmentation: {strength: 7, elastik: 1, colour: 9}\n"
    )
    assert faults_of(text).splitlines()[1:] == [
        "  line 3, train.loss.class_weights: given {'a': -1}; allowed: a section of class names, "
        "each with a number greater than 0 and at most 1000, 'auto', or null",
        "  line 3, train.loss.dice: given true; allowed: a number, its weight, or a section with "
        "the keys weight, classes, smooth",
        "  line 3, train.loss.fokal: there is no term 'fokal'. Did you mean 'focal'? Terms: "
        "boundary, cldice, cross_entropy, dice, focal, tversky, dice_ce.",
        "  line 3, train.loss.focal.gama: unknown key, given 'gama'. Did you mean 'gamma'? "
        "Allowed: weight, gamma",
        "  line 4, train.augmentation.strength: given 7; allowed: a number from 0 to 3",
        "  line 4, train.augmentation.elastik: there is no augmentation 'elastik'. Did you mean "
        "'elastic'? Augmentations: colour, elastic, stain, strength, mirror, nnunet, none.",
        "  line 4, train.augmentation.colour: given 9; allowed: a number greater than 0 and at "
        "most 3",
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("loss: 5", "train.loss: given 5; allowed: a string, or a section with keys"),
        ("loss: fokal", "train.loss: there is no term 'fokal'. Did you mean 'focal'? Terms: "
         "boundary, cldice, cross_entropy, dice, focal, tversky, dice_ce."),
        ("loss: {}", "train.loss: given {}; allowed: 'dice_ce', a term's name, or terms"),
        ("loss: cldice", "train.loss: given cldice without a term beside; too little of the mask "
         "counts to train a network. Fix: others beside, as in {dice: 1, cross_entropy: 1, "
         "cldice: 1}"),
        ("loss: {boundary: 0.5, cldice: {classes: [a]}}", "train.loss: given boundary and cldice "
         "without a term beside; too little of the mask counts to train a network. Fix: others "
         "beside, as in {dice: 1, cross_entropy: 1, boundary: 0.5, cldice: 1}"),
        ("loss: {class_weights: {}}", "train.loss.class_weights: given {}; allowed: a section of "
         "class names, each with a number greater than 0 and at most 1000, 'auto', or null"),
        ("loss: {class_weights: yes}", "train.loss.class_weights: given 'yes'; allowed: 'auto', a "
         "section with keys, or null"),
        ("augmentation: elastic", "train.augmentation: given 'elastic'; allowed: 'nnunet' or "
         "'none', or a section with keys"),
        ("augmentation: false", "train.augmentation: given false; allowed: 'nnunet' or 'none', or "
         "a section with keys"),
        ("augmentation: {stain: x}", "train.augmentation.stain: given 'x'; allowed: a number, its "
         "strength, or a section with the keys strength, probability, amount, offset"),
        ("loss: {tversky: {false_positives: 0, false_negatives: 0}}", "train.loss.tversky: given "
         "{'false_positives': 0, 'false_negatives': 0}; false_positives and false_negatives are "
         "both 0, so that no error counts; allowed: one of them greater than 0"),
        ("loss: {dice: 0, focal: 1}", "train.loss.dice: given 0; allowed: a number greater than 0 "
         "and at most 1000. Fix: leave dice out"),
        ("augmentation: {elastic: 0}", "train.augmentation.elastic: given 0; allowed: a number "
         "greater than 0 and at most 3. Fix: leave elastic out"),
        ("augmentation: {stain: {probability: 0.0}}", "train.augmentation.stain.probability: given "
         "0.0; allowed: a number greater than 0 and at most 1. Fix: leave stain out"),
        ("augmentation: {stain: false}", "train.augmentation.stain: given false; allowed: a "
         "number, its strength, or a section with the keys strength, probability, amount, offset. "
         "Fix: leave stain out"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_error(faults_of, given, text):
    assert faults_of(f"{MODEL}train: {{{given}}}") == f"run.yaml, line 2, {text}"


OWN_LOSS = """
from nnunet_vit.hookspecs import hookimpl
@hookimpl
def create_segmentation_model(backbone, num_classes): ...
@hookimpl
def create_loss(num_classes): ...
"""


def test_a_head_with_a_loss_of_its_own(fake_head, faults_of, run_of):
    fake_head("own", OWN_LOSS, "own-head")
    model = "model: {head: own, backbone: dinov2}\n"
    assert faults_of(f"{model}train: {{loss: focal}}") == (
        "run.yaml, line 2, train.loss: Plugin 'own' (own-head 1.0) is trained with a loss of its "
        "own; allowed: 'dice_ce'"
    )
    assert "loss of its own" in faults_of(f"{model}train: {{loss: cldice}}")
    assert run_of(f"{model}train: {{loss: {{dice: 1, cross_entropy: 1}}}}").train.loss.is_nnunet


def test_a_head_that_uses_the_loss_it_is_handed(fake_head, run_of):
    fake_head("own", OWN_LOSS.replace("loss(num_classes)", "loss(num_classes, default_loss)"))
    run = run_of("model: {head: own, backbone: dinov2}\ntrain: {loss: focal}")
    assert list(run.train.loss.terms) == ["focal"]


def test_words_for_people(run_of):
    train = run_of(
        f"{MODEL}train: {{loss: {{dice: 1, cldice: {{weight: 0.5, classes: [a, b]}}, "
        "class_weights: {a: 2}}, augmentation: {strength: 0.5, mirror: false, elastic: 2}}"
    ).train
    assert loss_text(train.loss) == (
        "dice 1 + cldice 0.5 (classes a b); class weights a 2, others 1"
    )
    assert augmentation_text(train.augmentation) == (
        "nnU-Net's set, strength 0.5 + elastic 2, no mirroring, in prediction neither"
    )
    usual = run_of(MODEL).train
    assert loss_text(usual.loss) == "dice_ce: nnU-Net's Dice and cross entropy"
    assert augmentation_text(usual.augmentation) == "nnU-Net's set"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("none", "none"),
        ("{strength: 0}", "mirroring"),
        ("{strength: 0, mirror: false, colour: 1}", "colour 1"),
    ],
)
def test_words_for_less_than_nnunets_set(run_of, given, text):
    assert (
        augmentation_text(run_of(f"{MODEL}train: {{augmentation: {given}}}").train.augmentation)
        == text
    )


def test_what_is_not_installed_any_more_is_an_error():
    section = ViTnnUNetConfig.model_validate({"train": {"loss": {"gone": 1}}}).train.loss
    with pytest.raises(ConfigError, match=r"the run, train\.loss\.gone: there is no term 'gone'"):
        chosen_terms(section)
