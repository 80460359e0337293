"""Read a run file: a complete, valid run, or one error that names everything to fix."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from nnunet_vit.backbones import default_targets
from nnunet_vit.config.checks import run_checks
from nnunet_vit.config.checks.head_checks import load_head
from nnunet_vit.config.draft import Draft, draft_of
from nnunet_vit.config.head_options import DECODER, head_plugin, stored, validate_options
from nnunet_vit.config.models import DataConfig, DecoderConfig, ViTnnUNetConfig
from nnunet_vit.config.name_rules import GROUP_TABLE, absolute
from nnunet_vit.config.overrides import RunSource, with_overrides
from nnunet_vit.config.problems import Parts, problems_error
from nnunet_vit.config.recipe import resolved_augmentation, resolved_loss
from nnunet_vit.config.recipe_version import backbone_rate
from nnunet_vit.config.validation import problem_texts
from nnunet_vit.config.yaml_source import YamlSource, read_yaml
from nnunet_vit.errors import PluginError, UserError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.hookspecs import HeadOptions
from nnunet_vit.registry.calling import takes_backbone
from nnunet_vit.tuning import method_of

# what stands for the path where there is none: errors name it, relative paths start at its folder
NO_FILE = Path("without a run file")


def load_run(path: Path | None, overrides: Sequence[str] = ()) -> ViTnnUNetConfig:
    """Return the run of a file, with `overrides` like `train.num_epochs=5` put over it.

    Without a file it is the run of the defaults.

    The answer is complete: the head's name, the backbone's size, the fine-tuning method, a family's
    layers for adapters, all options of the head, and absolute paths (relative ones start at the
    file's folder). Nothing is read from the environment.

    Raises:
        ConfigError: names every problem of the file and of the overrides at once.
        PluginError: the only problem is a broken or doubly installed head or backbone package.
    """
    return run_of(with_overrides(content_of(path), overrides), Path(path or NO_FILE))


def content_of(path: Path | None) -> YamlSource:
    """Return what a run file holds; without one, nothing.

    Raises:
        ConfigError: it cannot be read, or is no run file.
    """
    return YamlSource({}) if path is None else read_yaml(Path(path))


def run_of(source: RunSource, path: Path) -> ViTnnUNetConfig:
    """Return the run of what was read, as `load_run` does.

    Args:
        source: content with overrides.
        path: of its file, which need not be there: relative paths start at its folder.

    Raises:
        ConfigError: names every problem at once.
        PluginError: the only problem is a broken or doubly installed package.
    """
    draft = draft_of(source, path.absolute().parent)
    run_checks(draft)
    decoder = _judge_decoder(draft)
    if draft.problems:
        raise _answer(path, draft)
    return _resolved(draft, decoder)


def _judge_decoder(draft: Draft) -> DecoderConfig:
    """Return the head's complete options; what is wrong with them is added to the draft."""
    plugin = load_head(draft)
    if DECODER in draft.broken or DECODER[:1] in draft.broken:
        return DecoderConfig()
    options: HeadOptions | None = None
    try:
        given = draft.given_options()
        options, texts = validate_options(plugin, given) if plugin else (None, _basic_texts(given))
    except PluginError as error:
        draft.add("model.head", str(error), cause=error)
        return DecoderConfig()
    for key, text in texts.items():
        if (*DECODER, *key) not in draft.source.unreadable:  # its problem is known
            draft.add_at((*DECODER, *key), text)
    return stored(options) if options else DecoderConfig()


def _basic_texts(given: JsonObject) -> dict[Parts, str]:
    """Validate what every run has, where no head can validate the rest."""
    try:
        DecoderConfig.model_validate(given)
    except ValidationError as error:
        return problem_texts(error, DecoderConfig, given)
    return {}


def _answer(path: Path, draft: Draft) -> UserError:
    causes = [problem.cause for problem in draft.problems]
    if len(causes) == 1 and causes[0] is not None:
        return causes[0]
    return problems_error(str(path), draft.problems)


def _resolved(draft: Draft, decoder: DecoderConfig) -> ViTnnUNetConfig:
    config, folder = draft.config, draft.folder
    model, checkpoint = config.model, config.model.checkpoint_path
    method = method_of(config)
    targets = config.lora.target_modules or default_targets(model.backbone)
    resolved_model = {
        "head": model.head_name,
        "model_path": None if model.head_name else model.model_path,
        "backbone_size": model.size_name,
        "checkpoint_path": absolute(checkpoint, folder) if checkpoint else "",
        "tuning": method.name,
        "decoder": decoder,
    }
    resolved_lora = {"enabled": method.uses_adapters, "target_modules": targets and list(targets)}
    resolved_train = {
        "backbone_lr": backbone_rate(config, takes_backbone(head_plugin(model))),
        "loss": resolved_loss(config.train.loss),
        "augmentation": resolved_augmentation(config.train.augmentation),
    }
    paths = {name: absolute(value, folder) for name, value in config.paths if value is not None}
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=_absolute_files(config.data, folder)),
            "model": model.model_copy(update=resolved_model),
            "lora": config.lora.model_copy(update=resolved_lora),
            "train": config.train.model_copy(update=resolved_train),
            "paths": config.paths.model_copy(update=paths),
        }
    )


def _absolute_files(data: DataConfig, folder: Path) -> dict[str, str]:
    """Return the files that say how folds are made; a pattern of groups is none."""
    given = {"groups": data.groups, "splits": data.splits}
    return {
        key: absolute(value, folder)
        for key, value in given.items()
        if isinstance(value, str) and (key == "splits" or value.lower().endswith(GROUP_TABLE))
    }
