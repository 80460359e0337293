"""Errors that a dataset brings to light name the run file, its lines and the overrides."""

from pathlib import Path

import pytest

from nnunet_vit.config.placing import placed
from nnunet_vit.config.problems import unplaced_error
from nnunet_vit.errors import ConfigError

pytestmark = pytest.mark.unit

TEXT = """model: {head: tiny, backbone: dinov2}
train:
  loss:
    dice: {classes: [a]}
    focal: 1
"""
FOUND = [("train.loss.focal", "bad"), ("train.loss.dice.classes", "worse")]


def told(found, *overrides):
    with pytest.raises(ConfigError) as caught, placed(Path("run.yaml"), overrides):
        raise unplaced_error(found)
    return str(caught.value)


def test_lines_and_overrides_are_looked_up(run_of):
    run_of(TEXT)
    assert told(FOUND) == (
        "run.yaml: 2 problems\n  line 4, train.loss.dice.classes: worse\n"
        "  line 5, train.loss.focal: bad"
    )
    assert told(FOUND[:1], "train.loss.focal=2") == (
        "run.yaml, --set train.loss.focal=2, train.loss.focal: bad"
    )


def test_a_file_that_is_gone_is_still_named():
    assert told(FOUND[:1]) == "run.yaml, train.loss.focal: bad"


def test_without_a_file_it_is_the_run():
    with pytest.raises(ConfigError, match=r"^the run, train\.loss\.focal: bad$"), placed(None):
        raise unplaced_error(FOUND[:1])
