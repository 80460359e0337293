"""The command line: one verb, one file, found by being here.

A verb's module has a function of its own name, whose docstring is the help and whose parameters
are typer's. Modules are light: what costs time is imported inside the function.
"""

import contextlib
import importlib
import os
import pkgutil
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from nnunet_vit.report import failure, startup, stopping, streams

# options that take several values after one flag, and what such a value looks like
SEVERAL_VALUES: dict[str, Callable[[str], bool]] = {
    "--folds": lambda word: word.isdecimal() or word == "all",
    "--label": lambda word: "=" in word,
    "--masks": lambda word: "=" in word,
    "--test-masks": lambda word: "=" in word,
    "--metrics": lambda word: not word.startswith("-"),
    "--set": lambda word: "=" in word,
}
IMAGES = ("-i", "--images")  # several for predict alone: elsewhere folders follow them
COMPLETION = ("--show-completion", "--install-completion")
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")  # that typer completes for
INTERRUPTED = 130
NO_WORDS = 2  # exit code of a bare `vit_cli`, which shows the help
NARROW = 52  # columns; typer lays help out for at least 50 and two more
HELP: dict[str, object] = {"help_option_names": ["-h", "--help"]}  # for the verbs too
NOTED = ("nnunet-vit", "nnunetv2", "torch", "timm", "peft", "transformers")  # by --version
# typer needs click or carries a copy of it, by version: the error class is reached through typer
(UsageError,) = typer.BadParameter.__bases__


def build_app() -> typer.Typer:
    """Return the command line with every verb of this folder."""
    app = typer.Typer(
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # its table cuts the names of options off at 80 columns
        context_settings={**HELP, **_narrow()},
        help="nnU-Net v2 with any ViT foundation model and any installed segmentation head.",
        epilog="--debug anywhere shows tracebacks and everything that nnU-Net prints.",
    )
    app.callback()(_before_the_verb)
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        verb = getattr(module, found.name)
        summary = (verb.__doc__ or "").partition("\n")[0]  # whole: typer would cut it
        app.command(found.name.replace("_", "-"), short_help=summary)(verb)
    return app


def _narrow() -> dict[str, int]:
    """Return typer's setting for a terminal that is narrower than it thinks that any is."""
    columns = shutil.get_terminal_size().columns
    return {"terminal_width": columns - 1} if columns < NARROW else {}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors are one or two lines and the exit code tells their kind."""
    streams.open_missing()
    startup.prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if debug:
        os.environ["NNUNET_VIT_DEBUG"] = "1"
    else:  # third parties' warnings, in spawned workers too
        warnings.simplefilter("ignore")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")
    with stopping.listening():
        stopping.follow_parent()
        code = _run(given, debug)
    startup.settle()
    sys.exit(code)


def train_alias() -> None:
    """Run `vit_cli train` under the name nnUNetv2_train_vit."""
    main(["train", *sys.argv[1:]])


def _run(given: list[str], debug: bool) -> int:
    words = spread([word for word in given if word != "--debug"])
    try:
        _check_shell(words)
        code = build_app()(words or ["--help"], "vit_cli", standalone_mode=False)
        if code == INTERRUPTED:  # how typer passes on the interrupt key
            raise KeyboardInterrupt
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a full disk or a closed pipe can be told
        return int(code or 0) if words else NO_WORDS
    except (Exception, KeyboardInterrupt) as error:
        return exit_code_of(error, debug, given)


def exit_code_of(error: BaseException, debug: bool, words: Sequence[str] = ()) -> int:
    """Show an error on standard error and return the exit code.

    Args:
        error: what ended the command.
        debug: whether to show where it comes from.
        words: the command's, for the one that resumes it.
    """
    if isinstance(error, OSError) and streams.drop_output() and error.filename is None:
        error.filename = "standard output"
    if isinstance(error, UsageError):
        text, code = f"error[usage]: {error.format_message()}", 2  # type: ignore[attr-defined]
    else:
        stopped = isinstance(error, typer.Abort)
        text, code = failure.described(KeyboardInterrupt() if stopped else error, list(words))
    with contextlib.suppress(OSError, ValueError):  # nobody can be told
        if debug and not isinstance(error, UsageError | KeyboardInterrupt | BrokenPipeError):
            traceback.print_exception(error)
        if text:
            print(text, file=sys.stderr, flush=True)
    return code


def _before_the_verb(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=lambda asked: _show_versions() if asked else None,
            help="show the versions of this package and of those that it works with",
        ),
    ] = False,
) -> None:  # fmt: skip
    """Take the options that belong to no verb."""


def _check_shell(words: Sequence[str]) -> None:
    """Refuse to complete for a shell that typer does not know, which it tells as a failure.

    Raises:
        ConfigError: the shell is another one, or cannot be told: under a program, in a container.
    """
    if not (words and words[0] in COMPLETION):
        return
    import shellingham

    from nnunet_vit.errors import ConfigError

    try:
        shell = str(shellingham.detect_shell()[0]).lower()
    except (shellingham.ShellDetectionFailure, RuntimeError):
        shell = ""
    if shell not in SHELLS:
        found = f"{shell} is not among them" if shell else "the shell of this command is not known"
        raise ConfigError(
            f"{words[0]} is for bash, zsh, fish and PowerShell; {found}.",
            fix="run it in one of these, or print what it installs: "
            "_VIT_CLI_COMPLETE=source_bash vit_cli, or source_zsh, source_fish, source_powershell.",
        )


def _show_versions() -> None:
    from importlib.metadata import PackageNotFoundError, version

    for name in NOTED:
        try:
            print(f"{name} {version(name)}")
        except PackageNotFoundError:
            print(f"{name} is not installed")
    print(f"Python {sys.version.split()[0]}")
    raise typer.Exit


def spread(words: list[str]) -> list[str]:
    """Repeat a flag before each of its values: `--folds 0 1` becomes `--folds 0 --folds 1`."""
    result: list[str] = []
    several = dict(SEVERAL_VALUES)
    if "predict" in words[:1]:
        several |= dict.fromkeys(IMAGES, lambda word: not word.startswith("-"))
    flag = ""
    for word in words:
        if flag and several[flag](word):
            result += [flag, word] if result[-1] != flag else [word]
            continue
        flag = word if word in several else ""
        result.append(word)
    return result
