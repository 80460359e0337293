"""From a run file, or none, to the planned one."""

import json
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.config.load import run_of
from nnunet_vit.config.model_section import DEFAULT_HEAD, ViTModelConfig
from nnunet_vit.config.name_rules import GROUP_TABLE, absolute
from nnunet_vit.config.overrides import with_overrides
from nnunet_vit.config.problems import escaped
from nnunet_vit.config.recipe_version import NEWEST, WHY_RECIPE
from nnunet_vit.config.yaml_source import yaml_of
from nnunet_vit.config.yaml_text import read_text
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.writing import write_text
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.planning.plan_run import Plan
from nnunet_vit.planning.reasons import Planned, planned_values
from nnunet_vit.planning.values_in_yaml import planned_text

NEW = """\
# Planned by vit_cli plan; what is not here is a default.
recipe: {recipe} # {why_recipe}
data:
  dataset: {dataset}
model:
  head: {head}
  backbone: {backbone}
"""
PATHS = ("paths.raw", "paths.preprocessed", "paths.results", "model.checkpoint_path",
         "data.splits", "data.groups")  # fmt: skip


@dataclass(frozen=True)
class PlannedFile:
    """A run file that becomes another one.

    Attributes:
        text: of the user's file, or of a new one.
        path: of the user's file, or the one to write.
        dataset: of the command line; None: the file's.
    """

    text: str
    path: Path
    dataset: str | None

    @classmethod
    def of(cls, config: Path | None, dataset: str | None, output: Path | None) -> "PlannedFile":
        """Read the run file, or begin a new one.

        Raises:
            ConfigError: it cannot be read.
        """
        if dataset is not None and dataset.isdecimal():
            dataset = str(int(dataset))  # nnU-Net's users write 004
        if config is None:
            return cls(_new(dataset), output or Path("run.yaml"), dataset)
        return cls(read_text(config), config, dataset)

    def given(self) -> GivenRun:
        """Return what the user gave.

        Raises:
            ConfigError: the text is not YAML.
        """
        source = yaml_of(self.text, escaped(str(self.path)))
        named = () if self.dataset is None else (f"data.dataset={self.dataset}",)
        return GivenRun(source, self.path, named)

    def write(self, plan: Plan, output: Path) -> None:
        """Write the planned run file, after it has been read back as the planned run.

        Raises:
            ConfigError: the file's own way of writing does not let the values in.
            MachineError: the disk refuses.
        """
        values = planned_values(plan)
        named = [*self._versioned(), *self._named(), *self._moved(output)]
        text = planned_text(self.text, [*named, *values])
        written = run_of(with_overrides(yaml_of(text, str(output)), ()), output)
        if written != self.given().with_words([value.word for value in values]).run():
            raise ConfigError(
                f"{self.path}: the planned values cannot be put into this file.",
                fix="write its sections over several lines, one key a line.",
            )
        write_text(text, output)

    def _versioned(self) -> list[Planned]:
        """Return the version of the defaults, where the file has none."""
        there = "recipe" in (yaml_of(self.text, "").data or {})
        return [] if there else [Planned("recipe", NEWEST, WHY_RECIPE)]

    def _named(self) -> list[Planned]:
        """Return the dataset of the command line, where the file has another one or none."""
        if self.dataset is None:
            return []
        wanted = int(self.dataset) if self.dataset.isdecimal() else self.dataset
        before = (yaml_of(self.text, "").data.get("data") or {}).get("dataset")
        return [] if before == wanted else [Planned("data.dataset", wanted, "planned for it")]

    def _moved(self, output: Path) -> list[Planned]:
        """Return the paths that start at the file's folder, where the new file has another one."""
        before, after = (path.absolute().parent for path in (self.path, output))
        data = yaml_of(self.text, "").data
        found = []
        for key in PATHS:
            section, name = key.split(".")
            path = (data.get(section) or {}).get(name)
            if key == "data.groups" and not str(path).lower().endswith(GROUP_TABLE):
                continue  # a pattern, or false
            if path and absolute(path, before) != absolute(path, after):
                found.append(Planned(key, absolute(path, before), f"{path}, from {before}"))
        return found


def _new(dataset: str | None) -> str:
    model = ViTModelConfig()
    named = dataset if dataset and dataset.isdecimal() else json.dumps(dataset)
    return NEW.format(
        dataset=named, head=DEFAULT_HEAD, backbone=model.backbone, recipe=NEWEST,
        why_recipe=WHY_RECIPE,
    )  # fmt: skip
