"""The run's own plans: a name that no other run has, and the run inside."""

import copy
import json

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.nnunet.plans import run_of_plans, run_plans, says_cpu_bfloat16, write_plans
from nnunet_vit.nnunet.run_names import plans_name

pytestmark = pytest.mark.unit

RUN = {
    "data": {"dataset": 5, "fold": 0},
    "model": {"head": "segformer", "backbone": "dinov3", "backbone_size": "large"},
    "lora": {"enabled": True, "r": 8},
    "train": {"num_epochs": 10, "patch_size": None},
}
PLANS = {
    "dataset_name": "Dataset005_Mine",
    "plans_name": "nnUNetPlans",
    "configurations": {
        "2d": {
            "patch_size": [40, 56],
            "batch_size": 12,
            "data_identifier": "nnUNetPlans_2d",
            "architecture": {"network_class_name": "a.U.Net"},
        },
        "2d_large": {"inherits_from": "2d", "batch_size": 3},
        "3d_fullres": {"patch_size": [8, 8, 8]},
    },
}
STATISTICS = ([0.5, 0.0], [0.25, 1.0])


def run_of(**changes):
    """Return a run; `train__num_epochs=3` changes a key of a section."""
    content = copy.deepcopy(RUN)
    for key, value in changes.items():
        section, _, name = key.partition("__")
        content.setdefault(section, {})[name] = value
    return ViTnnUNetConfig.model_validate(content)


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({}, "segformer-dinov3-large-lora-"),
        ({"lora__enabled": False}, "segformer-dinov3-large-full-"),
        (
            {"lora__enabled": False, "model__freeze_backbone": True},
            "segformer-dinov3-large-frozen-",
        ),
        (
            {"model__backbone": "timm:vit_tiny_patch16_224", "model__backbone_size": None},
            "segformer-timm_vit_tiny_patch16_224-lora-",
        ),
        (
            {"model__head": None, "model__model_path": "my_pack.__private__.model"},
            "my_pack_private_model-dinov3-large-lora-",
        ),
        (
            {"model__head": None, "model__model_path": "nnunetv2.model.model_segformer_1"},
            "segformer-dinov3-large-lora-",
        ),
    ],
)
def test_a_name_that_people_can_read(changes, start):
    name = plans_name(run_of(**changes))
    assert name.startswith(start)
    assert len(name) == len(start) + 8
    assert name == plans_name(run_of(**changes))
    assert "__" not in name and "/" not in name and ":" not in name


CHANGES = [
    {"model__backbone_size": "small"},
    {"model__decoder": {"hidden_size": 64}},
    {"model__input_mean": [0.1], "model__input_std": [1.0]},
    {"model__pretrained": False},
    {"model__freeze_backbone": True},
    {"lora__r": 4},
    {"lora__target_modules": ["qkv", "proj"]},
    {"lora__enabled": False},
    {"train__num_epochs": 11},
    {"train__patch_size": [64, 64]},
    {"train__seed": 1},
    {"train__weight_decay": 0.1},
    {"data__configuration": "2d_large"},
]


def test_every_change_of_model_lora_train_or_configuration_is_another_run():
    names = [plans_name(run_of(**changes)) for changes in [{}, *CHANGES]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "changes",
    [
        {"data__fold": 3},
        {"data__fold": "all"},
        {"data__dataset": 7},
        {"paths__raw": "/x"},
        {"train__save_every": 5},
        {"train__save_whole_model": False},
        {"train__gradient_checkpointing": True},
        {"train__gradient_accumulation": 2},
    ],
)
def test_folds_folders_and_what_is_saved_share_the_name(changes):
    assert plans_name(run_of(**changes)) == plans_name(run_of())


def test_weights_are_told_apart_by_content_and_not_by_place(tmp_path):
    for name, content in (("a.pth", b"1"), ("b.pth", b"1"), ("c.pth", b"2")):
        (tmp_path / name).write_bytes(content)
    names = [plans_name(run_of(model__checkpoint_path=str(tmp_path / f"{n}.pth"))) for n in "abc"]
    assert names[0] == names[1]
    assert len({plans_name(run_of()), *names}) == 3


def test_a_key_at_its_default_is_no_other_run():
    # so that the keys of a later version do not orphan the runs of this one
    assert plans_name(run_of(train__ema=0.0, model__trained_blocks=4)) == plans_name(run_of())
    assert plans_name(run_of(train__ema=0.9)) != plans_name(run_of())


def test_the_architecture_and_the_sizes_are_the_runs():
    run = run_of(train__batch_size=5)
    own = run_plans(PLANS, run, (48, 64), statistics=STATISTICS)
    assert own["plans_name"] == plans_name(run)
    assert own["dataset_name"] == "Dataset005_Mine"
    assert list(own["configurations"]) == ["2d"]
    configuration = own["configurations"]["2d"]
    assert (configuration["patch_size"], configuration["batch_size"]) == ([48, 64], 5)
    assert configuration["data_identifier"] == "nnUNetPlans_2d"
    assert configuration["architecture"] == {
        "network_class_name": "nnunet_vit.modeling.network.ViTSegmentationNetwork",
        "arch_kwargs": {
            "model": run.model.model_dump(mode="json"),
            "lora": run.lora.model_dump(mode="json"),
            "image_size": [48, 64],
            "input_mean": [0.5, 0.0],
            "input_std": [0.25, 1.0],
            "cpu_bfloat16": True,
        },
        "_kw_requires_import": [],
    }


@pytest.mark.parametrize("begun_with", [True, False])
def test_plans_keep_what_a_run_was_begun_with(begun_with):
    own = run_plans(PLANS, run_of(), (48, 64), statistics=STATISTICS, cpu_bfloat16=begun_with)
    assert says_cpu_bfloat16(own) is begun_with
    arguments = own["configurations"]["2d"]["architecture"]["arch_kwargs"]
    assert ("cpu_bfloat16" in arguments) is begun_with  # as the plans of versions before are


def test_the_batch_size_is_the_planned_one_unless_the_run_says_so():
    own = run_plans(PLANS, run_of(), (48, 64), statistics=STATISTICS)
    assert own["configurations"]["2d"]["batch_size"] == 12


def test_a_configuration_that_inherits_stands_alone():
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    own = run_plans(PLANS, run_of(data__configuration="2d_large"), (48, 64), statistics=STATISTICS)
    configuration = PlansManager(own).get_configuration("2d_large")
    assert configuration.batch_size == 3
    assert configuration.data_identifier == "nnUNetPlans_2d"
    assert "inherits_from" not in own["configurations"]["2d_large"]


def test_the_datasets_plans_stay_as_they_are():
    before = copy.deepcopy(PLANS)
    own = run_plans(PLANS, run_of(), (48, 64), statistics=STATISTICS)
    own["configurations"]["2d"]["architecture"]["arch_kwargs"]["model"]["head"] = "changed"
    assert PLANS == before


@pytest.mark.parametrize("changes", [{}, *CHANGES, {"data__fold": "all"}])
def test_the_run_comes_back_from_the_file(tmp_path, changes):
    run = run_of(**changes, paths__raw="/somewhere")
    path = write_plans(run_plans(PLANS, run, (48, 64), statistics=STATISTICS), tmp_path)
    assert path == tmp_path / f"{plans_name(run)}.json"
    again = run_of_plans(json.loads(path.read_text()))
    assert again == run.model_copy(update={"paths": again.paths})
    assert again.paths.raw is None
    assert plans_name(again) == plans_name(run)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_nnunet_reads_the_plans(tmp_path):
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    path = write_plans(run_plans(PLANS, run_of(), (48, 64), statistics=STATISTICS), tmp_path)
    manager = PlansManager(str(path))
    configuration = manager.get_configuration("2d")
    assert manager.plans_name == plans_name(run_of())
    assert tuple(configuration.patch_size) == (48, 64)
    assert configuration.network_arch_class_name.endswith(".ViTSegmentationNetwork")


@pytest.mark.parametrize("name", ["nnUNetPlans", None])
def test_plans_of_others_are_refused(name):
    plans = {} if name is None else {"plans_name": name}
    with pytest.raises(ConfigError) as caught:
        run_of_plans(plans)
    assert str(caught.value) == (
        f"The plans '{name}' hold no run of nnunet-vit. "
        "Fix: `vit_cli train --config run.yaml` writes such plans beside nnUNetPlans.json."
    )


def test_a_write_that_fails_leaves_the_old_plans(tmp_path):
    plans = run_plans(PLANS, run_of(), (48, 64), statistics=STATISTICS)
    path = write_plans(plans, tmp_path)
    before = path.read_text()
    with pytest.raises(TypeError):
        write_plans({**plans, "new": object()}, tmp_path)
    assert path.read_text() == before
