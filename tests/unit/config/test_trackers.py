"""`trackers` in the run file: names, or names with keys; every fault in one error."""

import pytest

from nnunet_vit.config.load import load_run
from nnunet_vit.errors import ConfigError
from nnunet_vit.registry import catalogue
from nnunet_vit.trackers import named_tracker

pytestmark = pytest.mark.unit

RUN = "model: {head: tiny}\n"


@pytest.fixture
def load(tmp_path):
    def read(trackers):
        file = tmp_path / "run.yaml"
        file.write_text(f"{RUN}trackers: {trackers}\n")
        return load_run(file)

    return read


@pytest.fixture(autouse=True)
def all_installed(monkeypatch):
    """The packages of all trackers can be found."""
    monkeypatch.setattr("nnunet_vit.config.checks.tracker_checks.find_spec", lambda name: name)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("[]", {}),
        ("[tensorboard, mlflow]", {"tensorboard": {}, "mlflow": {}}),
        (
            "{tensorboard: , wandb: {mode: offline}}",
            {"tensorboard": {}, "wandb": {"mode": "offline"}},
        ),
    ],
)
def test_they_are_named(load, given, options):
    assert load(given).options_of_trackers == options


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("tensorboard", "trackers: given 'tensorboard'; allowed: "),
        ("[tensorbord]", "trackers: there is no tracker 'tensorbord'. Did you mean 'tensorboard'?"),
        ("{mlflow: {experimet: x}}", "unknown key, given 'experimet'. Did you mean 'experiment'?"),
        ("{wandb: {mode: of}}", "trackers.wandb.mode: given 'of'; allowed: 'online' or 'offline'"),
        (
            "{mlflow: {uri: 'http://localhost:b@localhost'}}",
            "given one with a user, a password or a query, which plans",
        ),
        ("{mlflow: {uri: 'http://localhost/?token=b'}}", "given one with a user, a password or a"),
        ("{mlflow: 3}", "trackers: given {'mlflow': 3}; allowed: a list"),
    ],
)
def test_a_fault_is_one_error(load, given, text):
    with pytest.raises(ConfigError) as caught:
        load(given)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["[tensorbord, wandbb]", "[tensorbord, 3, wandbb]",
                                   "{tensorbord: , wandbb: , mlflow: 3}"])  # fmt: skip
def test_every_wrong_name_is_said_whatever_else_is_wrong(load, given):
    with pytest.raises(ConfigError) as caught:
        load(given)
    assert "there is no tracker 'tensorbord'. Did you mean 'tensorboard'?" in str(caught.value)
    assert "there is no tracker 'wandbb'. Did you mean 'wandb'?" in str(caught.value)
    assert ("given " in str(caught.value)) == ("3" in given)


def test_a_missing_package_is_named(load, monkeypatch):
    monkeypatch.setattr("nnunet_vit.config.checks.tracker_checks.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install mlflow-skinny"):
        load("[mlflow]")


def test_an_unknown_one_names_the_group_of_packages():
    with pytest.raises(ConfigError, match="install the package that brings 'zz'"):
        named_tracker("zz")
    assert catalogue.KINDS[catalogue.TRACKERS] == "tracker"
