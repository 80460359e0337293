"""The distributions that a package's model needs, and those of them that are here."""

from collections.abc import Iterator
from importlib import metadata

from nnunet_vit.errors import PluginError
from nnunet_vit.sharing.package_format import Manifest


def require_packages(manifest: Manifest, where: str) -> list[str]:
    """Refuse a model whose head, backbone or tuning method is not installed here.

    Args:
        manifest: of the package.
        where: it is from, for the error.

    Returns:
        A sentence for each that is here in another version.

    Raises:
        PluginError: names all that are missing, and the one command that installs them.
    """
    found = {kind: _version(own.distribution) for kind, own in manifest.packages.items()}
    missing = [own for kind, own in manifest.packages.items() if found[kind] is None]
    if missing:
        wanted = " ".join(f"{own.distribution}=={own.version}" for own in missing)
        raise PluginError(
            f"{where} needs packages that are not installed: {wanted}.",
            fix=f"pip install {wanted}",
        )
    return list(_differing(manifest, found))


def _differing(manifest: Manifest, found: dict[str, str | None]) -> Iterator[str]:
    for kind, own in manifest.packages.items():
        if found[kind] != own.version:
            yield (
                f"The model was trained with {own.distribution} {own.version}; "
                f"{found[kind]} is installed."
            )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
