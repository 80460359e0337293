"""One change, one file: what is put into a folder that is its own list is found there."""

import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from small_training import SmallTraining

from nnunet_vit import augmentation, backbones, cli, losses, trackers, tuning
from nnunet_vit.config.recipe import chosen_terms
from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.evaluation import metrics
from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.losses.computing.facts import LossFacts
from nnunet_vit.losses.computing.total_loss import TotalLoss
from nnunet_vit.training import callbacks
from nnunet_vit.training.run_transforms import transforms_of_run

pytestmark = pytest.mark.contract

VERB = '''
def count_words(text: str) -> None:
    """Count words."""
    print(len(text.split()))
'''
FAMILY = """
from nnunet_vit.backbones.family import BackboneFamily

FAMILY = BackboneFamily(
    name="own", summary="one's own", timm_name="vit_{size}_patch16_224", sizes=("small",),
    default_size="small", patch_size=16, licence="MIT",
)
"""
METHOD = """
from nnunet_vit.tuning.method import TuningMethod

METHODS = (TuningMethod("own", "one's own", lambda model, run: model.requires_grad_(False)),)
"""
METRIC = """
from nnunet_vit.evaluation.metric import Metric

METRICS = (
    Metric("own", "own", "pixels of the prediction.", lambda masks: masks.prediction.sum()),
)
"""
FOLLOWER = """
from nnunet_vit.trackers.tracker import Tracker

TRACKER = Tracker("own", "one's own", "sys", "sys", lambda followed, options: None)
"""
TERM = """
from nnunet_vit.losses.term import LossTerm

TERMS = (LossTerm("own", "one's own", lambda compared, options: compared.logits.sum()),)
"""
AUGMENTATION = """
from nnunet_vit.augmentation.kind import Augmentation

AUGMENTATIONS = (Augmentation("own", "one's own", lambda transforms, *more: transforms[1:]),)
"""
PAGE = Path(__file__).parents[2] / "docs/architecture.md"
CALLBACK = re.search(r"## A callback.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]


KNOWN = (
    backbones.own_families,
    tuning.own_methods,
    metrics.own_metrics,
    losses.own_terms,
    augmentation.own_augmentations,
    trackers.own_trackers,
)


@pytest.fixture
def put(tmp_path, monkeypatch):
    """`put(package, source)` lets a package's folder have one more file, own.py or `name`.py."""
    added = []

    def write(package, source, name="own"):
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        importlib.invalidate_caches()
        added.append(f"{package.__name__}.{name}")

    yield write
    for module in added:
        sys.modules.pop(module, None)
    for known in KNOWN:
        known.cache_clear()


def test_a_verb(put, capsys):
    put(cli, VERB, "count_words")
    with pytest.raises(SystemExit) as ended:
        cli.main(["count-words", "two words"])
    assert (ended.value.code, capsys.readouterr().out) == (0, "2\n")


def test_a_backbone_family(put):
    put(backbones, FAMILY)
    backbones.own_families.cache_clear()
    assert backbones.timm_name("own", "small") == "vit_small_patch16_224"


def test_a_fine_tuning_method(put):
    put(tuning, METHOD)
    tuning.own_methods.cache_clear()
    assert tuning.named_method("own").leaves_backbone


def test_a_metric(put):
    put(metrics, METRIC)
    metrics.own_metrics.cache_clear()
    (metric,) = metrics.chosen_metrics(["own"])
    square = np.ones((3, 4), bool)
    masks = ClassMasks(square, square, (1.0, 1.0), {"n_ref": 12, "n_pred": 12})
    assert metric.value(masks) == 12
    assert "own" in [each.name for each in metrics.chosen_metrics(["all"])]


def test_a_tracker(put):
    put(trackers, FOLLOWER)
    trackers.own_trackers.cache_clear()
    assert trackers.named_tracker("own").summary == "one's own"


def test_a_term_of_the_loss(put):
    put(losses, TERM)
    losses.own_terms.cache_clear()
    (chosen,) = chosen_terms(ViTTrainConfig.model_validate({"loss": "own"}).loss)
    total = TotalLoss([chosen], LossFacts(["background", "disc"]))
    assert total(torch.full((1, 2, 3, 3), 0.5), torch.zeros(1, 1, 3, 3)) == 9


def test_an_augmentation(put):
    put(augmentation, AUGMENTATION)
    augmentation.own_augmentations.cache_clear()
    section = ViTTrainConfig.model_validate({"augmentation": {"own": 2}}).augmentation
    first, second = MirrorTransform((0,)), MirrorTransform((1,))
    patches = augmentation.PatchFacts((8, 8), [])
    ours = transforms_of_run(ComposeTransforms([first, second]), section, patches)
    assert ours.transforms == [second]


def test_a_callback(put, tmp_path):
    put(callbacks, CALLBACK)
    training = SmallTraining(tmp_path)
    training.build_network()
    training.fold_folder.path.mkdir()
    training.epoch()
    training.epoch()
    lines = (training.fold_folder.path / "losses.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"epoch": 1, "loss": 0.5},
        {"epoch": 2, "loss": 0.5},
    ]
