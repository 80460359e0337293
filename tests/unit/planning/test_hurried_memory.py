"""A plan that gives something up has the memory of what it is then, by the same meter."""

import pytest

from nnunet_vit.config.yaml_source import YamlSource
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.haste import UNHURRIED, Haste
from nnunet_vit.planning.memory_limit import limit_of
from nnunet_vit.planning.meter import Meter
from nnunet_vit.planning.open_keys import BATCH, SIZE, TUNING, GivenRun
from nnunet_vit.planning.plan_run import plan_for
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

RGB = {str(number): "rgb_to_0_1" for number in range(3)}
DATASET = Dataset("Dataset001_X", {"channel_names": RGB, "labels": {"background": 0, "a": 1}}, None)
GIVEN = {
    "data": {"dataset": 1},
    "model": {"head": "linear", "backbone": "dinov2"},
    "train": {"patch_size": [224, 224]},
}


def planned(meter, haste, path):
    given = GivenRun(YamlSource(GIVEN), path / "run.yaml", ("model.backbone_size=base",))
    return plan_for(
        given.with_words(["model.backbone_size=null"]) if SIZE in haste.changes else given,
        DATASET, ["RGBTo01Normalization"] * 3, size=DatasetSize((224, 224), 500, 500),
        limit=limit_of(24, "cuda"), progress=Progress(), meter=meter, haste=haste,
    )  # fmt: skip


def test_each_plan_has_the_memory_of_its_own_network(tmp_path):
    shared = Meter(DATASET, ["RGBTo01Normalization"] * 3, "cuda")
    before = planned(shared, UNHURRIED, tmp_path)
    batch = str(before.choice.step.tile.batch)
    for changes in ({TUNING: "frozen", BATCH: batch}, {SIZE: "small", BATCH: batch}):
        haste = Haste(changes, {key: "why" for key in changes})
        found = planned(shared, haste, tmp_path)
        alone = planned(Meter(DATASET, shared.schemes, "cuda"), haste, tmp_path)
        assert found.choice.step.memory == alone.choice.step.memory
        assert found.choice.step.total < 0.8 * before.choice.step.total
        assert found.changes == changes
