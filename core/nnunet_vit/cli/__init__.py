"""The command line: one verb, one file, found by being here.

A verb's module has a function of its own name, whose docstring is the help and whose parameters
are typer's. Modules are light: what costs time is imported inside the function.
"""

import importlib
import os
import pkgutil
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence

import typer

from nnunet_vit.errors import UserError

# options that take several values after one flag, and what such a value looks like
SEVERAL_VALUES: dict[str, Callable[[str], bool]] = {
    "--folds": lambda word: word.isdecimal() or word == "all",
    "--set": lambda word: "=" in word,
}
INTERRUPTED = 130
# typer needs click or carries a copy of it, by version: the error class is reached through typer
(UsageError,) = typer.BadParameter.__bases__


def build_app() -> typer.Typer:
    """Return the command line with every verb of this folder."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="nnU-Net v2 with any ViT foundation model and any installed segmentation head.",
        epilog="--debug anywhere shows tracebacks and everything that nnU-Net prints.",
    )
    app.callback()(lambda: None)
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        app.command(found.name.replace("_", "-"))(getattr(module, found.name))
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors are one or two lines and the exit code tells their kind."""
    words = spread(list(sys.argv[1:] if arguments is None else arguments))
    debug = "--debug" in words
    if debug:
        os.environ["NNUNET_VIT_DEBUG"] = "1"
    else:  # third parties' warnings, in spawned workers too
        warnings.simplefilter("ignore")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")
    try:
        code = build_app()(
            [word for word in words if word != "--debug"], "vit_cli", standalone_mode=False
        )
        if code == INTERRUPTED:  # how typer passes on the interrupt key
            code = report(KeyboardInterrupt(), debug)
    except (Exception, KeyboardInterrupt) as error:
        code = report(error, debug)
    sys.exit(code or 0)


def train_alias() -> None:
    """Run `vit_cli train` under the name nnUNetv2_train_vit."""
    main(["train", *sys.argv[1:]])


def report(error: BaseException, debug: bool) -> int:
    """Show an error on standard error and return the exit code."""
    if debug and not isinstance(error, UsageError | KeyboardInterrupt):
        traceback.print_exception(error)
    if isinstance(error, UserError):
        text, code = f"error[{error.kind}]: {error}", error.exit_code
    elif isinstance(error, UsageError):
        text, code = f"error[usage]: {error.format_message()}", 2  # type: ignore[attr-defined]
    elif isinstance(error, KeyboardInterrupt | typer.Abort):
        text, code = "Stopped.", INTERRUPTED
    elif type(error).__name__ == "OutOfMemoryError":  # torch's, without importing torch
        fix = "Fix: a smaller train.batch_size or train.patch_size, or a smaller backbone."
        text, code = f"error[environment]: The device is out of memory. {fix}", 6
    elif isinstance(error, OSError):
        text, code = f"error[environment]: {error}", 6
    else:
        detail = str(error).strip().splitlines()
        text = (
            f"error[bug]: {type(error).__name__}: {detail[0] if detail else 'no message'}. "
            "Fix: please report it with the output of the same command and --debug."
        )
        code = 1
    if not text.endswith("]: "):  # typer's error after a bare `vit_cli`, which showed the help
        print(text, file=sys.stderr)
    return code


def spread(words: list[str]) -> list[str]:
    """Repeat a flag before each of its values: `--folds 0 1` becomes `--folds 0 --folds 1`."""
    result: list[str] = []
    flag = ""
    for word in words:
        if flag and SEVERAL_VALUES[flag](word):
            result += [flag, word] if result[-1] != flag else [word]
            continue
        flag = word if word in SEVERAL_VALUES else ""
        result.append(word)
    return result
