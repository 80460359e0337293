"""A folder with one run file, and heads that only the test installs."""

from pathlib import Path

import pytest
from schema_judge import judged_alike

from nnunet_vit.errors import ConfigError
from nnunet_vit.registry import catalogue

PLAIN_HEAD = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(backbone, num_classes): ...
"""

TINY_HEAD = """
from pydantic import Field
from nnunet_vit.hookspecs import HeadOptions, hookimpl

class TinyOptions(HeadOptions):
    dropout: float = Field(0.1, ge=0, lt=1, description="share dropped")
    channels: tuple[int, ...] = Field((8, 4), min_length=1, description="per stage")

@hookimpl
def head_options(): return TinyOptions

@hookimpl
def create_segmentation_model(backbone, num_classes, options): ...
"""


@pytest.fixture(autouse=True)
def run_folder(tmp_path, monkeypatch, fake_head):
    """The test stands in an empty folder; `segformer` and `tiny` are the only heads installed."""
    monkeypatch.chdir(tmp_path)
    real = catalogue.entry_points
    monkeypatch.setattr(
        catalogue,
        "entry_points",
        lambda group: [entry for entry in real(group=group) if entry.value.endswith("_module")],
    )
    fake_head("segformer", PLAIN_HEAD, "nnunet-vit-segformer")
    fake_head("tiny", TINY_HEAD, "tiny-head")
    return tmp_path


@pytest.fixture
def run_of():
    """`run_of(text, *overrides)` writes run.yaml and loads it."""

    def load(text, *overrides):
        content = text if isinstance(text, bytes) else text.encode("utf-8")
        Path("run.yaml").write_bytes(content)
        return judged_alike(Path("run.yaml"), overrides)

    return load


@pytest.fixture
def faults_of(run_of):
    """`faults_of(text, *overrides)` returns the whole text of the ConfigError."""

    def load(text, *overrides):
        with pytest.raises(ConfigError) as caught:
            run_of(text, *overrides)
        return str(caught.value)

    return load
