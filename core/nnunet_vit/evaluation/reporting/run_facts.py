"""A run in plain words: what was trained, with what, on what, and how to do it again."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.config.dump import run_as_yaml
from nnunet_vit.config.models import ViTnnUNetConfig, ViTTrainConfig
from nnunet_vit.data.dataset import number_of
from nnunet_vit.errors import counted
from nnunet_vit.evaluation.comparing.run_cost import cost_of
from nnunet_vit.evaluation.reporting.home_folder import run_file_text, without_home
from nnunet_vit.evaluation.reporting.run_source import RUN_FILE, RunSource
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.plans import KEY, run_of_plans
from nnunet_vit.quantities import duration_text, parameters_text, sizes_text
from nnunet_vit.tuning import method_name

Facts = list[tuple[str, str]]


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run.

    Attributes:
        title: what it is, in a few words.
        words: the same in sentences.
        facts: names and values.
        run_file: the whole run as YAML; empty: it is not one of ours.
        commands: that make it again.
    """

    title: str
    words: str
    facts: Facts
    run_file: str
    commands: Sequence[str]


def facts_of(source: RunSource) -> RunFacts:
    """Return what plans, folders and logs say of a run."""
    if source.model is None:  # plans beside masks are of one of the models that made them
        return _of_masks(source)
    if source.plans.get(KEY):
        return _of_ours(source, run_of_plans(source.plans))
    return _of_others(source)


def _of_masks(source: RunSource) -> RunFacts:
    """Return what is known of masks alone: of a run, an ensemble, or other people's."""
    dataset = str(source.plans.get("dataset_name") or "")
    facts = [("Dataset", dataset)] if dataset else []
    title = source.given.absolute().name
    return RunFacts(title, f"A folder of masks. {_folds(source)}", facts, "", [])


def _of_ours(source: RunSource, run: ViTnnUNetConfig) -> RunFacts:
    head, backbone = run.model.head_name or str(run.model.model_path), _backbone(run)
    train, dataset = run.train, str(source.plans["dataset_name"])
    steps = train.num_epochs * train.num_iterations_per_epoch
    words = (
        f"The head {head} on the backbone {backbone} {_weights(run)}, trained on {dataset} "
        f"({run.data.configuration}) for {counted(train.num_epochs, 'epoch')}, "
        f"{counted(steps, 'step')}, with tuning {method_name(run)}. {_folds(source)}"
    )
    facts = [
        ("Dataset", dataset),
        ("Head", head),
        ("Backbone", backbone),
        ("Weights at the start", _weights(run)),
        ("Fine-tuning", method_name(run)),
        ("Epochs", f"{train.num_epochs}, each of {train.num_iterations_per_epoch} steps"),
        ("Optimizer", f"{train.optimizer}, rate {_rates(train)}, {train.schedule}"),
        ("Seed", "none" if train.seed is None else str(train.seed)),
        *_sizes(source, run.data.configuration),
        *_cost(source),
        ("Run", source.results.name),
    ]
    folds = " ".join(map(str, source.folds))
    folds = f"--folds {folds}" if len(source.folds) > 1 else folds
    command = (
        f"vit_cli train {number_of(dataset)} {run.data.configuration} {folds} --config {RUN_FILE}"
    )
    return RunFacts(f"{head} on {backbone}", words, facts, _run_file(source, run), [command])


def _backbone(run: ViTnnUNetConfig) -> str:
    return " ".join(filter(None, (run.model.backbone, run.model.backbone_size)))


def _weights(run: ViTnnUNetConfig) -> str:
    if run.model.checkpoint_path:
        return f"from {Path(run.model.checkpoint_path).name}"
    return "from published weights" if run.model.pretrained else "from random weights"


def _folds(source: RunSource) -> str:
    cases = counted(len(source.results.masks), "case")
    if not source.folds:
        return f"{cases}, whose masks lie in {without_home(str(source.given))}."
    each = "each predicted by the model that did not see it"
    numbers = ", ".join(map(str, source.folds))
    return f"Fold{'s' * (len(source.folds) > 1)} {numbers}: {cases}, {each}."


def _run_file(source: RunSource, run: ViTnnUNetConfig) -> str:
    for folder in source.fold_folders():
        if (folder / RUN_FILE).is_file():
            text = (folder / RUN_FILE).read_text(encoding="utf-8", errors="replace")
            return run_file_text(text)
    return run_file_text(run_as_yaml(run))


def _rates(train: ViTTrainConfig) -> str:
    backbone = train.own_backbone_lr
    own = "" if backbone is None else f", of the backbone {backbone:g}"
    return f"{train.initial_lr:g}{own}"


def _sizes(source: RunSource, configuration: str) -> Facts:
    plans = _section(_section(source.plans, "configurations"), configuration)
    found, patch = [], plans.get("patch_size")
    if isinstance(patch, list) and patch:
        found.append(("Patch", f"{sizes_text(patch)} pixels"))
    if plans.get("batch_size"):
        found.append(("Batch", str(plans["batch_size"])))
    return found


def _section(content: JsonObject, key: str) -> JsonObject:
    """Return a section; empty: the file, which people may have edited, has none."""
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _cost(source: RunSource) -> Facts:
    if source.model is None:
        return []
    cost = cost_of(source.model, source.folds)
    found = []
    if cost.parameters is not None:
        found.append(("Parameters", parameters_text(cost.parameters)))
    if cost.hours is not None:
        found.append(("Time of all epochs", duration_text(3600 * cost.hours)))
    if cost.seconds is not None:
        found.append(("Prediction of a case", duration_text(cost.seconds)))
    return found


def _of_others(source: RunSource) -> RunFacts:
    """Return what is known of nnU-Net's own runs."""
    parts = source.model.name.split("__") if source.model is not None else []
    dataset = str(source.plans.get("dataset_name") or "")
    if len(parts) != 3:
        return _of_masks(source)
    trainer, plans, configuration = parts
    words = f"nnU-Net's {trainer} with the plans {plans} on {dataset} ({configuration})."
    facts = [
        ("Dataset", dataset), ("Trainer", trainer), ("Plans", plans),
        ("Configuration", configuration), *_network(source, configuration),
        *_sizes(source, configuration), *_cost(source),
    ]  # fmt: skip
    commands = [
        shlex.join(["nnUNetv2_train", dataset, configuration, str(fold), "-tr", trainer,
                    "-p", plans])
        for fold in source.folds
    ]  # fmt: skip
    return RunFacts(f"{trainer}, {plans}", f"{words} {_folds(source)}", facts, "", commands)


def _network(source: RunSource, configuration: str) -> Facts:
    plans = _section(_section(source.plans, "configurations"), configuration)
    name = _section(plans, "architecture").get("network_class_name")
    return [("Network", str(name).rpartition(".")[2])] if name else []
