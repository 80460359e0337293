"""Each key by itself: what was given, what is allowed, one problem per key."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from nnunet_vit.config import models
from nnunet_vit.config.validation import problem_texts

pytestmark = pytest.mark.unit
FOLD = (
    "an integer of at least 0, 'all', or a list of at least 1 value, each an integer of at least 0"
)

MODEL_KEYS = ", ".join(models.ViTModelConfig.model_fields)
LORA_KEYS = ", ".join(models.ViTLoRAConfig.model_fields)
DATA_KEYS = ", ".join(models.DataConfig.model_fields)
AT_LEAST_1 = "an integer of at least 1"
PATCH = "an integer from 2 to 64, or null"
SHARE = "a number greater than 0 and at most 1"
RATE = "a number greater than 0 and at most 10"


@pytest.mark.parametrize(
    ("section", "key", "written", "text"),
    [
        ("train", "initial_lr", "fast", f"given 'fast'; allowed: {RATE}"),
        ("train", "initial_lr", "0", f"given 0; allowed: {RATE}"),
        ("train", "initial_lr", "null", f"given null; allowed: {RATE}"),
        ("train", "initial_lr", "true", f"given true; allowed: {RATE}"),
        ("train", "initial_lr", "[1]", f"given [1]; allowed: {RATE}"),
        ("train", "num_epochs", "0", f"given 0; allowed: {AT_LEAST_1}"),
        ("train", "num_epochs", "5.0", f"given 5.0; allowed: {AT_LEAST_1}"),
        ("train", "num_epochs", "'5'", f"given '5'; allowed: {AT_LEAST_1}"),
        ("train", "num_epochs", "true", f"given true; allowed: {AT_LEAST_1}"),
        ("train", "batch_size", "-2", f"given -2; allowed: {AT_LEAST_1}, or null"),
        ("train", "optimizer", "adam", "given 'adam'; allowed: 'adamw' or 'sgd'"),
        ("train", "warmup", "1", "given 1; allowed: a number of at least 0 and less than 1"),
        (
            "train",
            "patch_size",
            "[224]",
            f"given [224]; allowed: a list of 2 values, each {AT_LEAST_1}, or null",
        ),
        ("model", "pretrained", "no", "given 'no'; allowed: true or false"),
        ("model", "backbone", "5", "given 5; allowed: a string"),
        ("model", "decoder", "5", "given 5; allowed: a section with keys"),
        ("data", "fold", "-1", f"given -1; allowed: {FOLD}"),
        ("data", "fold", "x", f"given 'x'; allowed: {FOLD}"),
        (
            "data",
            "dataset",
            "-1",
            "given -1; allowed: an integer of at least 0, a string, or null",
        ),
        ("lora", "r", "1000000", "given 1000000; allowed: an integer from 1 to 1024"),
        ("lora", "enabled", "1", "given 1; allowed: true or false"),
        ("lora", "lora_alpha", ".inf", "given .inf; allowed: a finite number"),
        (
            "lora",
            "target_modules",
            "qkv",
            "given 'qkv'; allowed: a list of at least 1 value, each a string, or null",
        ),
        ("model", "vit_patch_size", "[224, 224]", f"given [224, 224]; allowed: {PATCH}"),
        ("model", "vit_patch_size", "1", f"given 1; allowed: {PATCH}"),
        ("model", "expected_coverage", "0", f"given 0; allowed: {SHARE}"),
        ("model", "expected_coverage", "90", f"given 90; allowed: {SHARE}"),
        ("model", "trained_blocks", "0", f"given 0; allowed: {AT_LEAST_1}"),
        (
            "model",
            "precision",
            "float16",
            "given 'float16'; allowed: 'auto' or 'bfloat16' or 'float32'",
        ),
        ("train", "schedule", "step", "given 'step'; allowed: 'poly' or 'cosine'"),
        ("train", "layer_decay", "1.5", f"given 1.5; allowed: {SHARE}"),
        ("train", "backbone_lr", "0", f"given 0; allowed: {RATE}, 'auto', or null"),
        ("train", "ema", "1", "given 1; allowed: a number of at least 0 and less than 1"),
        ("train", "gradient_accumulation", "0", f"given 0; allowed: {AT_LEAST_1}"),
        ("train", "save_every", "0", f"given 0; allowed: {AT_LEAST_1}"),
    ],
)
def test_one_wrong_value(faults_of, section, key, written, text):
    assert faults_of(f"{section}:\n  {key}: {written}\n") == (
        f"run.yaml, line 2, {section}.{key}: {text}"
    )


def test_an_item_of_a_list(faults_of):
    assert faults_of("train:\n  patch_size:\n    - 224\n    - wide\n") == (
        f"run.yaml, line 4, train.patch_size[1]: given 'wide'; allowed: {AT_LEAST_1}"
    )


@pytest.mark.parametrize("written", ["", "null", "5", "[1]"])
def test_a_section_that_is_a_value(faults_of, written):
    given = written or "null"
    assert faults_of(f"data: {written}\n") == (
        f"run.yaml, line 1, data: given {given}; allowed: a section with the keys {DATA_KEYS}"
    )


def test_unknown_keys_at_every_depth(faults_of):
    assert faults_of("model:\n  haed: tiny\nmodle: {}\nlora:\n  xyz: 1\n") == (
        "run.yaml: 3 problems\n"
        "  line 2, model.haed: unknown key, given 'haed'. Did you mean 'head'? "
        f"Allowed: {MODEL_KEYS}\n"
        "  line 3, modle: unknown key, given 'modle'. Did you mean 'model'? "
        "Allowed: recipe, data, paths, model, lora, train, trackers\n"
        "  line 5, lora.xyz: unknown key, given 'xyz'. "
        f"Allowed: {LORA_KEYS}"
    )


def test_a_key_of_another_section_is_sent_there(faults_of):
    assert faults_of("model:\n  batch_size: 2\n") == (
        "run.yaml, line 2, model.batch_size: unknown key, given 'batch_size'. "
        f"Did you mean 'train.batch_size'? Allowed: {MODEL_KEYS}"
    )


def test_all_sections_answer_at_once_with_what_yaml_found(faults_of):
    text = (
        "data:\n  fold: -7\n"
        "model:\n  head: tiny\n  backbone_size: big\n  decoder:\n    dropout: 2\n"
        "train:\n  initial_lr: fast\n  seed: 012\n"
    )
    assert faults_of(text, "lora.r=0") == (
        "run.yaml: 6 problems\n"
        "  line 2, data.fold: given -7; allowed: an integer of at least 0, 'all', "
        "or a list of at least 1 value, each an integer of at least 0\n"
        "  line 5, model.backbone_size: Backbone 'dinov3' has no size 'big'. "
        "Sizes: small, small_plus, base, large, huge_plus, 7b.\n"
        "  line 7, model.decoder.dropout: given 2; "
        "allowed: a number of at least 0 and less than 1\n"
        f"  line 9, train.initial_lr: given 'fast'; allowed: {RATE}\n"
        "  line 10, train.seed: given 012; "
        "allowed: a decimal number without leading zeros, or a string in quotes\n"
        "  --set lora.r=0, lora.r: given 0; allowed: an integer from 1 to 1024"
    )


class _Inner(BaseModel):
    size: int


class _Strange:
    pass


class _Options(BaseModel):
    width: int
    inner: _Inner | None = None
    word: Annotated[str, Field(max_length=3, pattern="^a")] = "a"
    mode: Literal[1, "two"] = 1
    level: Annotated[int, Field(ge=0, lt=4)] = 2
    table: dict[str, int] = Field(default_factory=dict)
    ratio: float = 0.5

    @field_validator("ratio")
    @classmethod
    def _not_three(cls, value: float) -> float:
        if value == 3:
            raise ValueError("three is not a ratio")
        return value


class _WithoutSchema(BaseModel, arbitrary_types_allowed=True):
    count: int = 1
    strange: _Strange | None = None


def _texts(model, data):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return problem_texts(caught.value, model, data)


def test_words_for_what_a_head_may_declare():
    given = {
        "inner": {},
        "word": "bcde",
        "mode": "x",
        "level": 4,
        "table": {"a": "b"},
        "ratio": 3,
    }
    assert _texts(_Options, given) == {
        ("width",): "missing; allowed: an integer",
        ("inner", "size"): "missing; allowed: an integer",
        ("word",): "given 'bcde'; allowed: a string of at most 3 characters that matches '^a'",
        ("mode",): "given 'x'; allowed: 1, or 'two'",
        ("level",): "given 4; allowed: an integer of at least 0 and less than 4",
        ("table", "a"): "given 'b'; allowed: an integer",
        ("ratio",): "given 3; three is not a ratio",
    }


def test_a_model_without_schema_falls_back_on_pydantic():
    assert _texts(_WithoutSchema, {"count": "x"}) == {
        ("count",): "given 'x'; allowed: a valid integer, unable to parse string as an integer"
    }
