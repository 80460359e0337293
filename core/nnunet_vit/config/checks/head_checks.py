"""The head: one, by a name or as a module, and installed."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.head_options import head_plugin
from nnunet_vit.config.model_section import MODEL_PATH_ALIASES
from nnunet_vit.config.name_rules import NAME, NAME_WORDS
from nnunet_vit.config.problems import shown
from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.registry.plugins import LoadedPlugin

_LONGEST_MODULE = 200


def load_head(draft: Draft) -> LoadedPlugin | None:
    """Import the head, or add the problem that prevents it and return None."""
    if not draft.sound("model.head", "model.model_path"):
        return None
    model = draft.config.model
    path = "model.head" if model.model_path is None else "model.model_path"
    try:
        return head_plugin(model)
    except ConfigError as error:
        draft.add(path, str(error))
    except PluginError as error:  # a module of model_path is the run file's choice, not a package
        draft.add(path, str(error), cause=error if model.head_name else None)
    return None


def check_head(draft: Draft) -> None:
    """Validate `model.head` and `model.model_path`, without an import."""
    model = draft.config.model
    if not draft.sound("model.head", "model.model_path"):
        return
    if model.head is not None and model.model_path is not None:
        draft.add(
            "model.model_path",
            f"given {shown(model.model_path)} together with head {shown(model.head)}; "
            "allowed: one of the two",
        )
    if model.head is not None and not NAME.fullmatch(model.head):
        draft.add("model.head", f"given {shown(model.head)}; allowed: {NAME_WORDS}")
    if model.model_path is not None and not _is_module_name(model.model_path):
        draft.add(
            "model.model_path",
            f"given {shown(model.model_path)}; "
            "allowed: a dotted module name like my_package.my_model",
        )


def _is_module_name(path: str) -> bool:
    well_formed = all(part.isidentifier() for part in path.split("."))
    return path in MODEL_PATH_ALIASES or (well_formed and len(path) <= _LONGEST_MODULE)
