"""The version of the defaults: which rate a pretrained backbone has where no rate is given."""

import pytest

from nnunet_vit.config.dump import run_as_yaml
from nnunet_vit.config.load import load_run
from nnunet_vit.config.recipe_version import as_first_recipe
from nnunet_vit.nnunet.run_names import plans_name

pytestmark = pytest.mark.unit

TRAINED = ("full", "last_blocks")
APART = ("frozen", "lora", "rslora", "dora", "vera", "ia3")


@pytest.mark.parametrize("recipe", ["", "recipe: 2\n"])
@pytest.mark.parametrize(("rate", "tenth"), [(0.001, 0.0001), (0.003, 0.0003), (0.01, 0.001)])
@pytest.mark.parametrize("tuning", TRAINED)
def test_pretrained_weights_learn_at_a_tenth(run_of, recipe, tuning, rate, tenth):
    run = run_of(f"{recipe}model: {{tuning: {tuning}}}\ntrain: {{initial_lr: {rate}}}\n")
    assert run.train.backbone_lr == run.train.own_backbone_lr == tenth


@pytest.mark.parametrize("tuning", [*TRAINED, *APART])
def test_the_first_recipe_has_one_rate(run_of, tuning):
    run = run_of(f"recipe: 1\nmodel: {{tuning: {tuning}}}\n")
    assert run.train.backbone_lr is None


@pytest.mark.parametrize("tuning", APART)
def test_what_leaves_the_weights_has_one_rate(run_of, tuning):
    assert run_of(f"model: {{tuning: {tuning}}}\n").train.backbone_lr is None


def test_random_weights_have_one_rate(run_of):
    run = run_of("model: {tuning: full, pretrained: false}\n")
    assert run.train.backbone_lr is None


def test_a_head_with_a_backbone_of_its_own_has_one_rate(run_of, run_folder, monkeypatch):
    (run_folder / "own_net.py").write_text("def create_segmentation_model(num_classes): ...\n")
    monkeypatch.syspath_prepend(run_folder)
    assert run_of("model: {model_path: own_net, tuning: full}\n").train.backbone_lr is None


@pytest.mark.parametrize(("given", "rate"), [("null", None), ("0.0005", 0.0005)])
@pytest.mark.parametrize("recipe", [1, 2])
def test_what_is_given_wins(run_of, recipe, given, rate):
    run = run_of(f"recipe: {recipe}\ntrain: {{backbone_lr: {given}}}\n")
    assert run.train.backbone_lr == rate


def test_a_run_keeps_its_rate_when_it_is_written(run_of, run_folder):
    for recipe in (1, 2):
        run = run_of(f"recipe: {recipe}\nmodel: {{tuning: full}}\n")
        (run_folder / "written.yaml").write_text(run_as_yaml(run))
        assert load_run(run_folder / "written.yaml") == run


def test_the_file_of_a_run_before_recipes_keeps_its_rate(run_of):
    """Such a file has every key, null among them, and no recipe."""
    text = run_as_yaml(run_of("recipe: 1\nmodel: {tuning: full}\n"))
    text = text.replace("backbone_lr: auto", "backbone_lr: null")
    lines = [line for line in text.splitlines() if not line.startswith("recipe")]
    assert run_of("\n".join(lines) + "\n").train.backbone_lr is None


@pytest.mark.parametrize(
    ("change", "rate"),
    [
        ("model.tuning=frozen", None),
        ("model.tuning=lora", None),
        ("model.pretrained=false", None),
        ("train.initial_lr=0.01", 0.001),
        ("recipe=1", None),
    ],
)
def test_a_written_run_that_is_changed_gets_the_rate_that_fits(run_of, run_folder, change, rate):
    path = run_folder / "written.yaml"
    path.write_text(run_as_yaml(run_of("model: {tuning: full}\n")))
    assert load_run(path, [change]).train.backbone_lr == rate


@pytest.mark.parametrize("rate", ["null", "0.0005"])
def test_a_rate_of_ones_own_is_written_as_it_is(run_of, run_folder, rate):
    path = run_folder / "written.yaml"
    path.write_text(run_as_yaml(run_of(f"train: {{backbone_lr: {rate}}}\n")))
    assert f"  backbone_lr: {rate}\n" in path.read_text()


def test_rates_by_layer_are_left_alone(run_of):
    run = run_of("model: {tuning: full}\ntrain: {layer_decay: 0.8}\n")
    assert run.train.backbone_lr is None and as_first_recipe(run) is None


@pytest.mark.parametrize("model", ["tuning: lora", "tuning: full, pretrained: false"])
def test_the_same_rate_by_hand_is_no_change_of_defaults(run_of, model):
    assert as_first_recipe(run_of(f"model: {{{model}}}\ntrain: {{backbone_lr: 0.0001}}\n")) is None


@pytest.mark.parametrize("tuning", [*TRAINED, *APART])
def test_a_run_that_did_not_change_keeps_its_name(run_of, tuning):
    first, second = (run_of(f"recipe: {each}\nmodel: {{tuning: {tuning}}}\n") for each in (1, 2))
    assert (plans_name(first) == plans_name(second)) is (tuning in APART)
    before = as_first_recipe(second)
    if tuning in APART:
        assert before is None
    else:
        assert before == first and plans_name(before) == plans_name(first)


def test_names_are_those_of_versions_before_recipes(run_of):
    text = "recipe: 1\nmodel: {head: tiny, tuning: full}\n"
    assert plans_name(run_of(text)).endswith("full-fbce0402")
    text = "model: {head: tiny, tuning: lora}\ntrain: {initial_lr: 0.01}\n"
    assert plans_name(run_of(text)).endswith("lora-4a08ce96")


@pytest.mark.parametrize("given", ["0", "3", "'2'", "null", "1.0"])
def test_no_other_version(faults_of, given):
    assert "recipe: given" in faults_of(f"recipe: {given}\n")
