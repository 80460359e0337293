"""Fine-tuning methods that packages bring."""

from functools import partial

import pytest
from outside_packages import documented, hook_that_returns

from nnunet_vit.config.load import load_run
from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.tuning import named_method

pytestmark = pytest.mark.unit

NORMS = documented("fine_tuning.md", "A method of your own")


@pytest.fixture
def fake_method(fake_head):
    """Install a fine-tuning method for this test alone: `fake_method("norms", source)`."""
    return partial(fake_head, distribution="x-tuning", group="nnunet_vit.tuning")


def returning(value):
    return hook_that_returns("tuning_method", value, needs="nnunet_vit.tuning.TuningMethod")


def test_the_method_of_the_documentation(fake_method, vit, tmp_path):
    fake_method("norms", NORMS)
    file = tmp_path / "run.yaml"
    file.write_text("model: {head: linear, backbone: 'timm:test_vit', tuning: norms}\n")
    run = load_run(file)
    model = vit()
    named_method(run.model.tuning).tune(model, run)
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert trained == {name for name, _ in model.named_parameters() if "norm" in name}
    assert "blocks.0.norm1.weight" in trained


def test_it_goes_on_the_list_of_what_there_is(fake_method):
    fake_method("norms", NORMS)
    with pytest.raises(ConfigError) as caught:
        named_method("norm")
    assert "Did you mean 'norms'?" in str(caught.value)
    assert str(caught.value).endswith("rslora, vera, norms.")


def test_what_trains_part_of_the_backbone_is_not_frozen(fake_method, tmp_path):
    fake_method("norms", NORMS)
    file = tmp_path / "run.yaml"
    file.write_text(
        "model: {head: linear, backbone: 'timm:test_vit', tuning: norms, freeze_backbone: true}\n"
        "train: {backbone_lr: 0.001}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_run(file)
    assert "model.freeze_backbone: given true together with tuning 'norms'" in str(caught.value)
    assert "backbone_lr" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("norms", "3", "tuning_method returned int; needed: nnunet_vit.tuning.TuningMethod."),
        (
            "norms",
            "TuningMethod('other', 'x', print)",
            "tuning_method returned the method 'other'; needed: 'norms', the name of its entry "
            "point.",
        ),
        (
            "norms",
            "TuningMethod('norms', 'x', print, trains_backbone='sum')",
            "tuning_method failed: ValueError: trains_backbone is 'sum'; allowed: all, some, none",
        ),
        (
            "norms",
            "TuningMethod('norms', 'x', print, uses_adapters=True, reads=('rank',))",
            "reads is ('rank',); allowed: some of r, lora_alpha, lora_dropout",
        ),
        ("lora", "1", "The tuning method 'lora' comes from nnunet-vit and from x-tuning 1.0."),
    ],
)
def test_what_is_no_method(fake_method, name, value, problem):
    fake_method(name, returning(value))
    with pytest.raises(PluginError) as caught:
        named_method(name)
    assert problem in str(caught.value)


def test_a_method_that_fails_names_its_package(fake_method):
    fake_method("norms", returning("TuningMethod('norms', 'x', lambda model: None)"))
    with pytest.raises(PluginError) as caught:
        named_method("norms").tune(None, None)
    assert "Plugin 'norms' (x-tuning 1.0): tune failed: TypeError" in str(caught.value)


def test_a_broken_package_is_one_problem_of_the_run_file(fake_method, tmp_path):
    fake_method("norms", "import no_such_module\n")
    file = tmp_path / "run.yaml"
    file.write_text("model: {head: linear, backbone: 'timm:test_vit', tuning: norms}\n")
    with pytest.raises(PluginError) as caught:  # the only problem: its own kind and remedy
        load_run(file)
    assert "no_such_module" in str(caught.value)
    assert str(caught.value).endswith("fix it, upgrade it or uninstall it.")
    file.write_text(file.read_text() + "train: {num_epochs: 0}\n")
    with pytest.raises(ConfigError) as both:
        load_run(file)
    assert "model.tuning: Plugin 'norms'" in str(both.value) and "num_epochs" in str(both.value)
