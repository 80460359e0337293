"""The errors that a user can cause or fix, each with the exit code that a script can rely on."""

import difflib
from collections.abc import Iterable, Sequence


class UserError(Exception):
    """A problem outside this package: it is shown in one or two lines, without a traceback.

    Args:
        problem: what is wrong, where, what was given and what is allowed.
        fix: what to do, as a command or a value.
    """

    kind = "error"
    exit_code = 1

    def __init__(self, problem: str, fix: str = "") -> None:
        """Keep the two parts apart, so that a test can look at each."""
        self.problem = problem
        self.fix = fix
        apart = "\n" if "\n" in problem else " "  # a list's last line has a fix of its own
        super().__init__(problem if not fix else f"{problem}{apart}Fix: {fix}")


class ConfigError(UserError):
    """The run file or the command line asks for something that does not exist or cannot be."""

    kind = "config"
    exit_code = 2


class UnplacedError(ConfigError):
    """Keys of a run that do not fit its dataset, found where its file is not known any more.

    Args:
        problem: all of them, for whoever has no run file.
        found: each key, like `train.loss.dice`, with what is wrong with it.
    """

    def __init__(self, problem: str, found: Sequence[tuple[str, str]]) -> None:
        """Keep the keys, so that their lines can be looked up."""
        self.found = found
        super().__init__(problem)


class DataError(UserError):
    """The images, the labels or the dataset's description are not what nnU-Net can read."""

    kind = "data"
    exit_code = 3


class PluginError(UserError):
    """An installed head or backbone package breaks the contract."""

    kind = "plugin"
    exit_code = 4


class ModelError(UserError):
    """A checkpoint, a trained model or a file of pretrained weights cannot be used."""

    kind = "model"
    exit_code = 5


class MachineError(UserError):
    """The machine lacks something: a folder, a permission, memory, a device."""

    kind = "environment"
    exit_code = 6


class NumericsError(UserError):
    """The training or the prediction left the finite numbers."""

    kind = "numerics"
    exit_code = 7


class PartialError(UserError):
    """Some of what was asked for is there, and some is not."""

    kind = "partial"
    exit_code = 8


class Stopped(Exception):  # noqa: N818 - it is no error
    """The user, or the machine, stopped the work with a signal.

    Args:
        saved: a sentence that says what is there now.
        resumes: whether the same command with --continue resumes it.
    """

    def __init__(self, saved: str, resumes: bool = False) -> None:
        """Keep what the command line shows."""
        self.saved = saved
        self.resumes = resumes
        super().__init__(saved)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or an empty text."""
    nearest = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""


def message_of(error: BaseException, longest: int | None = None) -> str:
    """Return an exception's message in one line; its class where it has none.

    Args:
        error: of any library.
        longest: characters, where it is to be cut; None: all.
    """
    return (" ".join(str(error).split()) or type(error).__name__)[:longest]


def first_line(error: BaseException, longest: int | None = None) -> str:
    """Return the first line of an exception's message without its full stop; or its class."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:longest].rstrip(" .:")


def counted(number: int, noun: str) -> str:
    """Return a number of things: 1 case, 2 cases."""
    return f"{number} {noun}{'s' * (number != 1)}"


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def shortened(names: Iterable[str], most: int = 3) -> str:
    """Return the first few names, and how many there are where that is not all.

    What a terminal would obey, such as the escape character, is written as Python writes it.
    """
    names = list(names)
    first = ", ".join(map(_printable, names[:most]))
    return first if len(names) <= most else f"{first}, … ({len(names)} in all)"
