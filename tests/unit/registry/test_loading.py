"""Loading: one plugin alone, its hooks checked, its failures named."""

import sys

import pytest

from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import broken_reason, load_module, load_plugin, plugin_failures

pytestmark = pytest.mark.unit

HOOK = "from nnunet_vit.hookspecs import hookimpl\n\n@hookimpl\n"
GOOD = HOOK + "def create_segmentation_model(backbone, num_classes): return backbone, num_classes\n"
FIX = "Fix: install what it misses, fix it, upgrade it or uninstall it."


def load(name, group=catalogue.HEADS):
    return load_plugin(catalogue.find(group, name))


def refusal(name):
    with pytest.raises(PluginError) as caught:
        load(name)
    return str(caught.value)


def test_only_the_plugin_that_is_asked_for_is_imported(fake_head):
    asked = fake_head("asked", GOOD, "asked-head")
    other = fake_head("other", GOOD, "other-head")
    plugin = load("asked")
    assert plugin.title == "Plugin 'asked' (asked-head 1.0)"
    assert list(plugin.hooks) == ["create_segmentation_model"]
    assert plugin.hook("create_segmentation_model")(1, 2) == (1, 2)
    assert asked in sys.modules
    assert other not in sys.modules


def test_a_plugin_is_loaded_again_and_beside_another(fake_head):
    fake_head("one", GOOD, "one-head")
    fake_head("two", GOOD.replace("return backbone, num_classes", "return 'two'"), "two-head")
    first, second, again = load("one"), load("two"), load("one")
    assert first.hooks == again.hooks
    assert second.hook("create_segmentation_model")(1, 2) == "two"
    assert first.hook("create_segmentation_model")(1, 2) == (1, 2)


def test_an_object_as_entry_point(fake_head):
    source = HOOK.removesuffix("@hookimpl\n") + (
        "class Head:\n"
        "    def __init__(self, width): self.width = width\n"
        "    @hookimpl\n"
        "    def create_segmentation_model(self, num_classes): return self.width, num_classes\n"
        "head = Head(7)\n"
    )
    fake_head("object", source, "object-head", attribute="head")
    assert load("object").hook("create_segmentation_model")(3) == (7, 3)


def test_functions_without_the_marker_are_no_hooks(fake_head):
    fake_head("bare", "def create_segmentation_model(backbone): ...\n", "bare-head")
    plugin = load("bare")
    assert plugin.hooks == {}
    with pytest.raises(PluginError) as caught:
        plugin.hook("create_segmentation_model")
    assert str(caught.value) == (
        "Plugin 'bare' (bare-head 1.0) has no create_segmentation_model; it has: no hook. Fix: "
        "decorate a function create_segmentation_model with nnunet_vit.hookspecs.hookimpl."
    )


def test_a_missing_hook_names_those_that_are_there(fake_head):
    fake_head("options", HOOK + "def head_options(): ...\n", "options-head")
    with pytest.raises(PluginError) as caught:
        load("options").hook("create_segmentation_model")
    assert str(caught.value) == (
        "Plugin 'options' (options-head 1.0) has no create_segmentation_model; it has: "
        "head_options. Fix: decorate a function create_segmentation_model with "
        "nnunet_vit.hookspecs.hookimpl."
    )


def test_a_hook_of_an_unknown_name(fake_head):
    module = fake_head("typo", HOOK + "def create_segmentation_modle(backbone): ...\n", "typo-head")
    assert refusal("typo") == (
        "Plugin 'typo' (typo-head 1.0) failed: PluginValidationError: unknown hook "
        f"'create_segmentation_modle' in plugin <module '{module}' from "
        f"'{sys.modules[module].__file__}'>. {FIX}"
    )


def test_a_hook_with_an_unknown_argument(fake_head):
    source = HOOK + "def create_segmentation_model(backbone, classes): ...\n"
    fake_head("argument", source, "argument-head")
    text = refusal("argument")
    assert text.startswith("Plugin 'argument' (argument-head 1.0) failed: PluginValidationError: ")
    assert text.endswith(f". {FIX}")
    assert "classes" in text


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("import surely_not_there", "ModuleNotFoundError: No module named 'surely_not_there'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise ValueError('two.\\nlines')", "ValueError: two. lines"),
        ("raise ValueError('stopped. ')", "ValueError: stopped"),
        ("raise ValueError('x' * 500)", f"ValueError: {'x' * 400}"),
        ("raise GeneratorExit", "GeneratorExit: no message"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_fails_at_import(fake_head, source, failure):
    module = fake_head("broken", source, "broken-head")
    assert refusal("broken") == f"Plugin 'broken' (broken-head 1.0) failed: {failure}. {FIX}"
    assert module not in sys.modules


def test_the_interrupt_key_is_not_a_plugins_failure(fake_head):
    fake_head("slow", "raise KeyboardInterrupt", "slow-head")
    with pytest.raises(KeyboardInterrupt):
        load("slow")


def test_an_entry_point_to_nothing(fake_head):
    module = fake_head("gone", GOOD, "gone-head", attribute="nothing")
    assert refusal("gone") == (
        "Plugin 'gone' (gone-head 1.0) failed: AttributeError: "
        f"module '{module}' has no attribute 'nothing'. {FIX}"
    )


def test_what_a_plugin_prints_goes_to_standard_error(fake_head, capsys):
    fake_head("loud", "print('hello')\n" + GOOD, "loud-head")
    load("loud")
    assert capsys.readouterr() == ("", "hello\n")


def test_the_problem_of_a_listing(fake_head, fake_backbone, capsys):
    fake_head("sound", GOOD, "sound-head")
    fake_head("loud", "import sys; print('x', file=sys.stderr)\nraise OSError('no disk')", "loud")
    fake_backbone("mine", GOOD)
    assert broken_reason(catalogue.find(catalogue.HEADS, "sound")) == ""
    assert broken_reason(catalogue.find(catalogue.HEADS, "loud")) == (
        "Plugin 'loud' (loud 1.0) failed: OSError: no disk."
    )
    assert broken_reason(catalogue.find(catalogue.BACKBONES, "mine")) == (
        "Plugin 'mine' (x-backbone 1.0) has no backbone_family; it has: create_segmentation_model."
    )
    assert capsys.readouterr() == ("", "")
    assert not [finder for finder in sys.meta_path if type(finder).__name__ == "Refusal"]


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """`own_module(source)` writes a module that model_path can name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source):
        (tmp_path / "own_package").mkdir()
        (tmp_path / "own_package" / "__init__.py").touch()
        (tmp_path / "own_package" / "my_model.py").write_text(source)
        return "own_package.my_model"

    yield write
    for name in ("own_package.my_model", "own_package"):
        sys.modules.pop(name, None)


def test_a_module_of_plain_functions(own_module):
    path = own_module("def create_segmentation_model(num_classes): return num_classes\nx = 1\n")
    plugin = load_module(path)
    assert plugin.title == f"Module '{path}' (model_path)"
    assert list(plugin.hooks) == ["create_segmentation_model"]
    assert plugin.hook("create_segmentation_model")(5) == 5


def test_a_module_without_the_function(own_module):
    path = own_module("create_segmentation_model = 'no function'\ndef head_options(): ...\n")
    with pytest.raises(PluginError) as caught:
        load_module(path).hook("create_segmentation_model")
    assert str(caught.value) == (
        f"Module '{path}' (model_path) has no create_segmentation_model; it has: head_options. "
        "Fix: write a function create_segmentation_model in the module."
    )


def test_a_module_that_fails(own_module):
    path = own_module("raise SystemExit(3)")
    with pytest.raises(PluginError) as caught:
        load_module(path)
    assert str(caught.value) == f"Module '{path}' (model_path) failed: SystemExit: 3. {FIX}"


@pytest.mark.parametrize("path", ["", "a-b", "a..b", "./x", "x.py ", "1a"])
def test_what_is_no_module_name(path):
    with pytest.raises(ConfigError) as caught:
        load_module(path)
    assert str(caught.value) == (
        f"model_path must be a dotted module name like my_package.my_model, given '{path}'."
    )


def test_an_error_for_the_user_passes_unchanged():
    error = ConfigError("mine")
    with pytest.raises(ConfigError) as caught, plugin_failures("Plugin 'x'"):
        raise error
    assert caught.value is error
