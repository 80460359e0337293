"""The head of a run and its options: the keys of model.decoder, validated by the head."""

from pydantic import Field, ValidationError
from pydantic_core import to_json

from nnunet_vit.config.models import DecoderConfig, ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.config.problems import Parts, Problem, path_text, problems_error, shown
from nnunet_vit.config.validation import problem_texts
from nnunet_vit.errors import PluginError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.hookspecs import HeadOptions
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import call_hook
from nnunet_vit.registry.plugins import LoadedPlugin, load_module, load_plugin, plugin_failures

DECODER: Parts = ("model", "decoder")


class PlainOptions(HeadOptions):
    """The options of a head that describes none of its own."""

    hidden_size: int = Field(
        default=256, ge=1, le=8192, description="channels, handed over as decoder_hidden_size"
    )


def head_plugin(model: ViTModelConfig) -> LoadedPlugin:
    """Import the head that the run names, and nothing else.

    Raises:
        ConfigError: no installed package has it, or model_path is no module name.
        PluginError: it is installed twice, cannot be imported or builds no model.
    """
    name = model.head_name
    if name is not None:
        plugin = load_plugin(catalogue.find(catalogue.HEADS, name))
    else:
        plugin = load_module(model.model_path or "")
    plugin.hook("create_segmentation_model")
    return plugin


def options_model(plugin: LoadedPlugin) -> type[HeadOptions]:
    """Return the pydantic model of the head's options.

    Raises:
        PluginError: head_options fails or returns something else.
    """
    if "head_options" not in plugin.hooks:
        return PlainOptions
    with plugin_failures(f"{plugin.title}: head_options"):
        model = call_hook(plugin, "head_options", {})
    if isinstance(model, type) and issubclass(model, HeadOptions):
        return model
    raise PluginError(
        f"{plugin.title}: head_options returned {shown(model)}; "
        "allowed: a subclass of nnunet_vit.hookspecs.HeadOptions."
    )


def decoder_options(config: ViTnnUNetConfig) -> HeadOptions:
    """Return the options of the run's head, validated by the head that is installed now.

    Raises:
        ConfigError: the head is not installed, or does not take these options.
        PluginError: the head's package is broken.
    """
    plugin = head_plugin(config.model)
    options, texts = validate_options(plugin, config.model.decoder.model_dump())
    if options is None:
        problems = [Problem(path_text((*DECODER, *key)), None, text) for key, text in texts.items()]
        raise problems_error(plugin.title, problems)
    return options


def validate_options(
    plugin: LoadedPlugin, given: JsonMapping
) -> tuple[HeadOptions | None, dict[Parts, str]]:
    """Return the validated options, or None with what is wrong by key.

    Raises:
        PluginError: the head's own validation fails with anything but a complaint.
    """
    model = options_model(plugin)
    with plugin_failures(f"{plugin.title}: its options"):
        try:
            # As JSON: a strict model then takes a list for a tuple and a word for an enum.
            options = model.model_validate_json(to_json(dict(given), fallback=repr))
        except ValidationError as error:
            return None, problem_texts(error, model, given)
        try:
            stored(options)
        except ValidationError as error:
            return None, problem_texts(error, DecoderConfig, options.model_dump(mode="json"))
    return options, {}


def stored(options: HeadOptions) -> DecoderConfig:
    """Return the options, defaults included, as the run keeps them.

    Raises:
        ValidationError: the head gives hidden_size another type than every run has.
    """
    return DecoderConfig.model_validate(options.model_dump(mode="json", by_alias=True))
