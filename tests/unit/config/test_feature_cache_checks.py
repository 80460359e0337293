"""The section train.feature_cache: what is allowed beside it, and what names a run."""

import pytest

from nnunet_vit.nnunet.run_names import plans_name

pytestmark = pytest.mark.unit
FROZEN = "model: {head: segformer, pretrained: false, tuning: frozen}\n"
KEY = "train.feature_cache"


def test_it_is_off_by_itself(run_of):
    assert run_of(FROZEN).train.feature_cache is None
    assert run_of(f"{FROZEN}train: {{feature_cache: null}}\n").train.feature_cache is None


def test_its_defaults(run_of):
    section = run_of(f"{FROZEN}train: {{feature_cache: {{}}}}\n").train.feature_cache
    found = section.model_dump()
    assert found == {"views": 16, "where": "memory", "dtype": "bfloat16", "budget_gb": None}


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("{views: 3}", "given 3; allowed: an integer from 4 to 100000"),
        ("{where: gpu}", "given 'gpu'; allowed: 'memory' or 'disk'"),
        ("{dtype: float16}", "given 'float16'; allowed: 'bfloat16' or 'float32'"),
        ("{budget_gb: 0}", "given 0; allowed: a number greater than 0"),
        ("{view: 8}", "feature_cache.view"),
    ],
)
def test_wrong_values(faults_of, given, allowed):
    text = faults_of(f"{FROZEN}train:\n  feature_cache: {given}\n")
    assert f"run.yaml, line 3, {KEY}." in text and allowed in text


@pytest.mark.parametrize("name", ["full", "lora", "dora", "ia3"])
def test_a_method_that_changes_the_features(faults_of, name):
    words = f"model: {{tuning: {name}}}\ntrain:\n  feature_cache: {{views: 8}}\n"
    assert faults_of(words) == (
        f"run.yaml, line 3, {KEY}: given together with tuning '{name}', which changes the features "
        "in each step; allowed: with model.tuning frozen or last_blocks, or null"
    )


@pytest.mark.parametrize("words", ["freeze_backbone: true", "tuning: last_blocks"])
def test_methods_that_leave_something_frozen(run_of, words):
    run = run_of(f"model: {{{words}}}\ntrain: {{feature_cache: {{views: 8}}}}\n")
    assert run.train.feature_cache.views == 8


def test_parts_of_a_batch(faults_of):
    text = f"{FROZEN}train:\n  feature_cache: {{}}\n  gradient_accumulation: 2\n"
    assert "train.gradient_accumulation: given 2 together with train.feature_cache" in (
        faults_of(text)
    )


def test_a_run_is_named_by_what_changes_its_views(run_of):
    def name(section):
        return plans_name(run_of(f"{FROZEN}train: {{feature_cache: {section}}}\n"))

    assert name("{}") == name("{where: disk}") == name("{budget_gb: 3}") == name("{views: 16}")
    names = [name(each) for each in ("null", "{}", "{views: 8}", "{dtype: float32}")]
    assert len(set(names)) == 4
    assert names[0] == plans_name(run_of(FROZEN))
