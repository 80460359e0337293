"""vit_cli push: a model's bundle into a repository of a model hub."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit import __version__
from nnunet_vit.errors import ModelError
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.bundle_format import CARD, Manifest
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.export_zip import write_bundle_zip
from nnunet_vit.sharing.hub_repository import (
    BUNDLE,
    README,
    Repository,
    asking,
    in_time,
    require_token,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CANNOT = "cannot be written"


def push(
    source: Source,
    repository: Repository,
    *,
    private: bool | None,
    progress: Progress,
    adapters_only: bool = False,
) -> str:
    """Write a model's bundle and its card to a repository, in one commit; return the commit.

    Args:
        source: of the model.
        repository: of the hub; it, and the branch, are made if they are not there.
        private: whether a new repository is; None: as the owner's are.
        progress: where to show what happens.
        adapters_only: leave the pretrained weights out.

    Raises:
        UserError: the model cannot be read, or the hub refuses or does not answer.
    """
    from huggingface_hub import HfApi

    source.check()
    require_token(repository)
    api = HfApi(library_name="nnunet-vit", library_version=__version__)
    progress.start_work(f"Asking {repository.asked}")
    with asking(repository, CANNOT):  # before the work
        in_time(repository, api.whoami)
    content = source.content(progress, adapters_only=adapters_only)
    with tempfile.TemporaryDirectory(prefix="nnunet-vit-push-") as place:
        folder = Path(place) / "bundle"
        folder.mkdir()
        bundle = Path(place) / BUNDLE
        manifest = write_bundle_zip(content, folder, bundle)
        progress.start_work(f"Writing {repository.name}")
        return _committed(
            api, repository, manifest, bundle=bundle, card=folder / CARD, private=private
        )


def _committed(
    api: "HfApi",
    repository: Repository,
    manifest: Manifest,
    *,
    bundle: Path,
    card: Path,
    private: bool | None,
) -> str:
    from huggingface_hub import CommitOperationAdd

    branch = repository.revision
    with asking(repository, CANNOT):
        api.create_repo(repository.name, private=private, exist_ok=True)
        if private and not api.model_info(repository.name).private:
            raise ModelError(
                f"{repository.title} is there already, and is public.",
                fix="another OWNER/NAME, or make it private on its page.",
            )
        if branch is not None:
            api.create_branch(repository.name, branch=branch, exist_ok=True)
        files = {BUNDLE: bundle, README: card}
        done = api.create_commit(
            repository.name,
            [CommitOperationAdd(name, str(file)) for name, file in files.items()],
            commit_message=f"{manifest.dataset}: {manifest.plans}",
            revision=branch,
        )
    return str(done.oid)
