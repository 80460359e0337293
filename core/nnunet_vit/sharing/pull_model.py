"""vit_cli pull: a model's bundle out of a repository of a model hub, and its installation."""

from dataclasses import replace
from pathlib import Path

from nnunet_vit.errors import MachineError, ModelError, shortened
from nnunet_vit.files.writable import check_writable
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by, followed
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.hub_repository import BUNDLE, Repository, asking, in_time
from nnunet_vit.sharing.install_model import Installed, Request, install
from nnunet_vit.sharing.whole_folder import scratch_folder

CANNOT = "cannot be read"


def pull(repository: Repository, request: Request, progress: Progress) -> Installed:
    """Install the model of a repository, as it was at one commit.

    Args:
        repository: of the hub.
        request: where to and how.
        progress: where to show what happens.

    Raises:
        UserError: the hub refuses or does not answer, or the bundle is refused; nothing is
            installed.
    """
    check_writable(request.results, f"--results {request.results}")
    progress.start_work(f"Asking {repository.asked}")
    commit, size = _looked_up(repository)
    with scratch_folder(_existing(request.results)) as folder:
        with downloads_shown_by(progress):
            bundle = _fetched(replace(repository, revision=commit), folder, size)
        return install(bundle, replace(request, source=f"{repository.name}@{commit}"), progress)


def _looked_up(repository: Repository) -> tuple[str, int]:
    """Return the commit that a revision is now, and the bytes of its bundle; 0: not known."""
    from huggingface_hub import HfApi

    with asking(repository, CANNOT):
        about = in_time(
            repository,
            lambda: HfApi().model_info(
                repository.name, revision=repository.revision, files_metadata=True
            ),
        )
    sizes = {file.rfilename: file.size or 0 for file in about.siblings or []}
    if BUNDLE not in sizes or not about.sha:
        raise ModelError(
            f"{repository.title} holds no model of `vit_cli push`: {BUNDLE} is missing; it holds "
            f"{shortened(sizes) or 'nothing'}.",
            fix="ask its owner for one: vit_cli push RUN OWNER/NAME",
        )
    return str(about.sha), sizes[BUNDLE]


def _fetched(repository: Repository, folder: Path, size: int) -> Path:
    from huggingface_hub import hf_hub_download

    def received() -> int:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    with (
        asking(repository, f"cannot be fetched: {BUNDLE}", received),
        followed(f"Fetching {repository.name}", size, received),
    ):
        try:
            return Path(
                hf_hub_download(
                    repository.name, BUNDLE, revision=repository.revision, local_dir=folder
                )
            )
        except OSError as error:
            if error.errno is None:  # of a connection, whose library says more
                raise
            raise MachineError(
                f"{folder.parents[1]}: {BUNDLE} cannot be stored: {error.strerror or error}.",
                fix="make room, or --results on another disk.",
            ) from error


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents)
                if place.is_dir())  # fmt: skip
