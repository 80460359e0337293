"""Add the run file's lines to errors of a run that are found where its file is not known."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nnunet_vit.config.overrides import with_overrides
from nnunet_vit.config.problems import Problem, problems_error
from nnunet_vit.config.yaml_source import read_yaml
from nnunet_vit.errors import UnplacedError, UserError


@contextmanager
def placed(path: Path | None, overrides: Sequence[str] = ()) -> Iterator[None]:
    """Name the run file, with lines, in errors of its run that a dataset brings to light.

    Args:
        path: of the file that the run was loaded from.
        overrides: that it was loaded with.

    Raises:
        ConfigError: in place of an `UnplacedError`.
    """
    try:
        yield
    except UnplacedError as error:
        if path is None:
            raise
        raise problems_error(str(path), _problems(error, path, overrides)) from error


def _problems(error: UnplacedError, path: Path, overrides: Sequence[str]) -> list[Problem]:
    try:
        source = with_overrides(read_yaml(path), overrides)
    except UserError:  # the file has changed since
        return [Problem(key, None, text) for key, text in error.found]
    return [source.problem(tuple(key.split(".")), text) for key, text in error.found]
