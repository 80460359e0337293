"""What a run file leaves to the planner, and the runs that may be planned."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.backbones import family, is_timm
from nnunet_vit.config.load import NO_FILE, content_of, run_of
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.overrides import RunSource, with_overrides
from nnunet_vit.config.yaml_source import YamlSource
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject

PATCH, BATCH = "train.patch_size", "train.batch_size"
CHECKPOINTING, PRECISION = "train.gradient_checkpointing", "model.precision"
EPOCHS, ITERATIONS = "train.num_epochs", "train.num_iterations_per_epoch"
VALIDATIONS = "train.num_val_iterations_per_epoch"
PLAIN = (PATCH, BATCH, PRECISION, CHECKPOINTING, EPOCHS, ITERATIONS, VALIDATIONS)
SIZE, TUNING = "model.backbone_size", "model.tuning"
ADAPTED = "lora"  # the method that takes least memory for what it learns
# of families whose names of sizes are sizes, smallest first: others name modalities
SCALES = ("tiny", "small", "small_plus", "base", "large", "giant", "huge", "huge_plus", "7b")


@dataclass(frozen=True)
class OpenKeys:
    """Keys of the run file that the planner may choose; the others are kept.

    Attributes:
        keys: by their whole names.
    """

    keys: frozenset[str]

    def __contains__(self, key: str) -> bool:
        """Tell whether the planner may choose a key."""
        return key in self.keys

    def with_(self, *keys: str) -> "OpenKeys":
        """Return these keys and more."""
        return OpenKeys(self.keys | set(keys))

    def without(self, *keys: str) -> "OpenKeys":
        """Return these keys but some."""
        return OpenKeys(self.keys - set(keys))


@dataclass(frozen=True)
class Variant:
    """A run whose backbone and tuning are settled.

    Attributes:
        run: resolved.
        changes: values by key that the run file did not give.
    """

    run: ViTnnUNetConfig
    changes: dict[str, str]

    def with_training(self, **values: object) -> ViTnnUNetConfig:
        """Return the run with other values in its section `train`."""
        train = self.run.train.model_copy(update=values)
        return self.run.model_copy(update={"train": train})


@dataclass(frozen=True)
class GivenRun:
    """What the user gave: a run file's content, or nothing, and its dataset.

    Attributes:
        file: as read.
        path: of the file, which need not be there: relative paths start at its folder.
        overrides: of the command line.
    """

    file: YamlSource
    path: Path
    overrides: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path | None, overrides: Sequence[str]) -> "GivenRun":
        """Return what a run file, or none, and the command line give.

        Raises:
            ConfigError: the file cannot be read.
        """
        return cls(content_of(path), path or NO_FILE, tuple(overrides))

    def run(self, changes: dict[str, str] | None = None) -> ViTnnUNetConfig:
        """Return the run, resolved, with values of the planner.

        Raises:
            ConfigError: names every problem.
        """
        return run_of(self.with_(changes or {})._source(), self.path)

    def allows(self, changes: dict[str, str]) -> bool:
        """Tell whether the run is valid with values of the planner."""
        try:
            self.run(changes)
        except ConfigError:
            return False
        return True

    def variant(self, changes: dict[str, str]) -> Variant:
        """Return a run with other values, and with what its weights say of the network."""
        from nnunet_vit.profiling.measured_run import with_its_network

        return Variant(with_its_network(self.run(changes)), changes)

    def with_(self, changes: dict[str, str]) -> "GivenRun":
        """Return the run with values that hold for whatever is tried."""
        return self.with_words([f"{key}={value}" for key, value in changes.items()])

    def with_words(self, words: Sequence[str]) -> "GivenRun":
        """Return the run with more overrides, in place of earlier ones of the same keys."""
        keys = {_key_of(word) for word in words}
        kept = [word for word in self.overrides if _key_of(word) not in keys]
        return replace(self, overrides=(*kept, *words))

    def open_keys(self) -> OpenKeys:
        """Return what is left to the planner: what is not there, and what is null."""
        data = self._source().data
        free = {key for key in PLAIN if not _given(data, key)}
        run = self.run()
        sized = _given(data, SIZE) or is_timm(run.model.backbone) or run.model.checkpoint_path
        tuned = any(_given(data, key) for key in (TUNING, "model.freeze_backbone", "lora"))
        free |= set() if sized else {SIZE}
        return OpenKeys(frozenset(free if tuned else {*free, TUNING}))

    def _source(self) -> RunSource:
        file = replace(self.file, value=copy.deepcopy(self.file.value))
        return with_overrides(file, self.overrides)


def variants_of(given: GivenRun, free: OpenKeys) -> Iterator[Variant]:
    """Yield the runs to try, what is nearest to the run file first.

    As it is; with LoRA; then, from size to size, a smaller backbone trained as the run file says,
    and with LoRA. LoRA is left out where it would keep random weights, and so are runs that the run
    file's other keys do not allow.
    """
    run = given.run()
    sizes = [None, *smaller_sizes(run)] if SIZE in free else [None]
    methods = [None, ADAPTED] if TUNING in free and run.model.pretrained else [None]
    for size in sizes:
        for method in methods:
            named = {SIZE: size, TUNING: method}
            changes = {key: value for key, value in named.items() if value is not None}
            try:
                yield given.variant(changes)
            except ConfigError:
                if not changes:
                    raise


def smaller_sizes(run: ViTnnUNetConfig) -> list[str]:
    """Return the sizes below the run's, the largest first; none where names are no sizes."""
    if is_timm(run.model.backbone) or run.model.size_name not in SCALES:
        return []
    own = SCALES.index(run.model.size_name)
    there = family(run.model.backbone).sizes
    return [size for size in reversed(SCALES[:own]) if size in there]


def _key_of(override: str) -> str:
    return override.partition("=")[0]


def _given(data: JsonObject, key: str) -> bool:
    """Tell whether a key has a value other than null."""
    value: object = data
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value is not None
