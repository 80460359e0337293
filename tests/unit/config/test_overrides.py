"""`--set`: YAML values over those of the file, validated with the file's own."""

import pytest

pytestmark = pytest.mark.unit

FORM = "allowed: --set section.key=value, as in --set train.num_epochs=5"
SEED = "an integer of at least 0 and less than 4294967296, or null"


def test_values_are_read_as_yaml(run_of):
    run = run_of(
        "train: {num_epochs: 7, seed: 1}\n",
        "train.num_epochs=5",
        "train.seed=",
        "train.initial_lr=1e-3",
        "train.patch_size=[224,448]",
        "data.fold=all",
        "lora.enabled=false",
        "paths.raw=/data/a=b c",
        "model.head=tiny",
        "model.decoder.channels=[2]",
    )
    assert (run.train.num_epochs, run.train.seed, run.train.initial_lr) == (5, None, 0.001)
    assert run.train.patch_size == [224, 448]
    assert (run.data.fold, run.lora.enabled, run.paths.raw) == ("all", False, "/data/a=b c")
    assert run.model.decoder.model_dump() == {"dropout": 0.1, "channels": [2]}


def test_a_whole_section(run_of):
    run = run_of("train: {num_epochs: 7}\n", "train={seed: 1}")
    assert (run.train.num_epochs, run.train.seed) == (1000, 1)


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("train.num_epochs", f"--set train.num_epochs: malformed; {FORM}"),
        ("=5", f"--set =5: malformed; {FORM}"),
        ("train..seed=5", f"--set train..seed=5: malformed; {FORM}"),
        ("train.patch size=5", f"--set train.patch size=5: malformed; {FORM}"),
        (
            "train.seed=[",
            "--set train.seed=[: not YAML: expected the node content, but found '<stream end>' "
            "(while parsing a flow node from line 1, column 2); "
            "allowed: a YAML value, a string with signs in quotes",
        ),
        (
            "train.seed=@1",
            "--set train.seed=@1: not YAML: found character '@' that cannot start any token; "
            "allowed: a YAML value, a string with signs in quotes",
        ),
        ("train.seed=-1", f"--set train.seed=-1, train.seed: given -1; allowed: {SEED}"),
        ("train.seed=yes", f"--set train.seed=yes, train.seed: given 'yes'; allowed: {SEED}"),
        (
            "train.seed=2024-01-01",
            "--set train.seed=2024-01-01, train.seed: given 2024-01-01, a date to YAML; "
            "allowed: a string in quotes",
        ),
        (
            "lora={r: 0}",
            "--set lora={r: 0}, lora.r: given 0; allowed: an integer from 1 to 1024",
        ),
        (
            "modle.head=tiny",
            "--set modle.head=tiny, modle: unknown key, given 'modle'. Did you mean 'model'? "
            "Allowed: recipe, data, paths, model, lora, train, trackers",
        ),
        (
            "data.flod=1",
            "--set data.flod=1, data.flod: unknown key, given 'flod'. Did you mean 'fold'? "
            "Allowed: dataset, configuration, fold, groups, stratify, splits",
        ),
        (
            "train.num_epochs.x=1",
            "--set train.num_epochs.x=1: train.num_epochs is 7; allowed: a section with keys",
        ),
        (
            "model.backbone_size=huge",
            "--set model.backbone_size=huge, model.backbone_size: Backbone 'dinov3' has no size "
            "'huge'. Did you mean 'huge_plus'? Sizes: small, small_plus, base, large, huge_plus, "
            "7b.",
        ),
    ],
)
def test_a_faulty_override_stands_in_place_of_the_line(faults_of, override, text):
    assert faults_of("train: {num_epochs: 7}\n", override) == f"run.yaml, {text}"


def test_the_same_key_twice(faults_of):
    assert faults_of("train: {}\n", "train.seed=1", "train.seed=2") == (
        "run.yaml, --set train.seed=2: train.seed is given twice, before as 'train.seed=1'; "
        "allowed: once"
    )


def test_all_overrides_answer_with_the_file(faults_of):
    assert faults_of("train:\n  warmup: 2\n", "hello", "train.seed=-1") == (
        "run.yaml: 3 problems\n"
        "  line 2, train.warmup: given 2; allowed: a number of at least 0 and less than 1\n"
        f"  --set hello: malformed; {FORM}\n"
        f"  --set train.seed=-1, train.seed: given -1; allowed: {SEED}"
    )


def test_an_override_mends_the_file(run_of):
    assert run_of("train: {seed: x}\n", "train.seed=3").train.seed == 3
