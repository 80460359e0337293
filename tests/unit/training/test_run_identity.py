"""Under which name a run's results are: its own, or that of the shorter run that it lengthens."""

import json
from types import SimpleNamespace

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.nnunet.plans import KEY, NAMED_EPOCHS
from nnunet_vit.nnunet.run_names import plans_name
from nnunet_vit.training import run_identity
from nnunet_vit.training.run_identity import identity_of, results_of_first_recipe

pytestmark = pytest.mark.unit

DATASET = SimpleNamespace(name="Dataset001_A")


def run_of(epochs, **train):
    model = {"head": "linear", "backbone": "timm:test_vit", "pretrained": False}
    return ViTnnUNetConfig.model_validate(
        {"model": model, "train": {"num_epochs": epochs, **train}}
    )


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(run_identity, "folder", lambda _: tmp_path)
    return tmp_path / DATASET.name


def leave(results, run, planned=None, **arguments):
    """Leave the results of a run, lengthened to so many epochs, with arguments of its network."""
    name, epochs = plans_name(run), planned or run.train.num_epochs
    folder = results / f"nnUNetTrainer_vit__{name}__2d"
    folder.mkdir(parents=True)
    content = {"run": {"train": {"num_epochs": epochs}}}
    if planned:
        content[NAMED_EPOCHS] = run.train.num_epochs
    configuration = {"architecture": {"arch_kwargs": arguments}}
    plans = {KEY: content, "configurations": {"2d": configuration}}
    (folder / "plans.json").write_text(json.dumps(plans))
    return folder


def found(run, lengthens=True):
    return identity_of(DATASET, run, lengthens=lengthens)


@pytest.mark.parametrize("lengthens", [True, False])
def test_a_new_run_has_its_own_name(results, lengthens):
    identity = found(run_of(5), lengthens)
    assert (identity.name, identity.planned_epochs) == (plans_name(run_of(5)), None)


def test_a_shorter_run_is_lengthened_when_it_is_continued(results):
    folder = leave(results, run_of(2))
    leave(results, run_of(2, seed=1))  # another run
    identity = found(run_of(5))
    assert (identity.folder, identity.named_epochs, identity.planned_epochs) == (folder, 2, 2)
    assert found(run_of(5), lengthens=False).name == plans_name(run_of(5))


def test_a_lengthened_run_is_found_again_before_a_shorter_one(results):
    folder = leave(results, run_of(2), planned=5)
    leave(results, run_of(3))
    identity = found(run_of(5))
    assert (identity.folder, identity.named_epochs) == (folder, 2)
    assert found(run_of(9, seed=1)).planned_epochs is None


def test_the_runs_own_results_come_first(results):
    leave(results, run_of(2))
    own = leave(results, run_of(5))
    assert found(run_of(5)).folder == own


def test_several_shorter_runs_are_not_guessed_at(results):
    leave(results, run_of(2))
    leave(results, run_of(3))
    with pytest.raises(ConfigError, match=r"could lengthen several runs: .*2 epochs.*3 epochs"):
        found(run_of(5))


def test_a_lengthened_run_is_not_shortened(results):
    leave(results, run_of(2), planned=5)
    with pytest.raises(ConfigError, match=r"was lengthened to 5 epochs; train\.num_epochs is 2"):
        found(run_of(2))


def test_a_longer_run_is_none_to_continue(results):
    leave(results, run_of(9))
    assert found(run_of(5)).planned_epochs is None


@pytest.mark.parametrize("text", [None, "", "{}", "[1]"])
def test_results_without_plans_are_the_runs_own(results, text):
    folder = leave(results, run_of(2))
    (folder / "plans.json").unlink()
    if text is not None:
        (folder / "plans.json").write_text(text)
    assert found(run_of(2)).folder == folder


@pytest.mark.parametrize(("left", "expected"), [({}, False), ({"cpu_bfloat16": True}, True)])
def test_a_run_keeps_the_precision_on_cpus_that_it_was_begun_with(results, left, expected):
    leave(results, run_of(5), **left)
    assert found(run_of(5)).cpu_bfloat16 is expected
    assert found(run_of(6), lengthens=False).cpu_bfloat16 is True  # a new one


def pretrained(epochs, **train):
    run = run_of(epochs, initial_lr=0.01, **train)
    model = run.model.model_copy(update={"pretrained": True, "tuning": "full"})
    return run.model_copy(update={"model": model})


def test_results_of_a_version_before_recipes_are_found(results):
    def older(run, lengthens=False):
        return results_of_first_recipe(DATASET, run, lengthens=lengthens)

    run = pretrained(3, backbone_lr=0.001)
    assert older(run) is None
    leave(results, pretrained(3, backbone_lr=0.002))
    assert older(run) is None
    before = pretrained(3, backbone_lr=None)
    leave(results, before)
    assert older(run) == results / f"nnUNetTrainer_vit__{plans_name(before)}__2d"
    assert older(before) is None
    longer = pretrained(5, backbone_lr=0.001)
    assert older(longer) is None and older(longer, lengthens=True) == older(run)
