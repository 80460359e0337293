"""A repository of the model hub as backbone: only its name is looked at, and nothing is fetched."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name", ["", "name", "a/b/c", "../b", "a/b@main", "-a/b", "https:/example.org/a/b", "a/b c"]
)
def test_the_name_of_a_repository(faults_of, name):
    backbone = f"timm:hf-hub:{name}"
    assert faults_of(f"model:\n  backbone: '{backbone}'\n") == (
        f"run.yaml, line 2, model.backbone: given '{backbone}'; allowed: timm:hf-hub:OWNER/NAME, "
        "the name of a repository on the model hub"
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("a/b/c", "given 'a/b/c'; allowed: OWNER/NAME, or null"),
        ("a/b", "given 'a/b' with backbone 'dinov3'; allowed: null, or a backbone timm:<name>"),
    ],
)
def test_a_repository_of_weights(faults_of, given, text):
    found = faults_of(f"model:\n  repository: {given}\n")
    assert found == f"run.yaml, line 2, model.repository: {text}"


def test_a_repository_of_the_hub_is_a_name_and_nothing_is_fetched(run_of, monkeypatch):
    import socket

    monkeypatch.setattr(socket, "socket", None)
    text = "model: {backbone: 'timm:hf-hub:MahmoodLab/UNI2-h'}\n"
    assert run_of(text).model.backbone == "timm:hf-hub:MahmoodLab/UNI2-h"
    assert run_of("model: {backbone: timm:vit_x, repository: a/b.c}").model.repository == "a/b.c"


@pytest.mark.parametrize(
    ("lines", "key", "text"),
    [
        (
            "backbone: timm:hf-hub:a/b, repository: c/d",
            "repository",
            "given 'c/d' with backbone 'timm:hf-hub:a/b'; allowed: one of the two",
        ),
        (
            "backbone: timm:hf-hub:a/b, checkpoint_path: weights.pth",
            "checkpoint_path",
            "given 'weights.pth' with backbone 'timm:hf-hub:a/b'; allowed: '', or backbone "
            "timm:<architecture>, which config.json of the repository names",
        ),
        (
            "backbone: timm:vit_x, checkpoint_path: weights.pth, repository: c/d",
            "repository",
            "given 'c/d' together with checkpoint_path 'weights.pth'; allowed: one of the two",
        ),
    ],
)
def test_weights_from_two_places(faults_of, run_folder, lines, key, text):
    Path("weights.pth").touch()
    assert faults_of(f"model: {{{lines}}}\n") == f"run.yaml, line 1, model.{key}: {text}"
