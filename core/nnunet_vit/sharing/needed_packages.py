"""The distributions that a bundle's model needs, and those of them that are here."""

from importlib import metadata

from nnunet_vit.errors import PluginError
from nnunet_vit.sharing.bundle_format import Manifest


def require_packages(manifest: Manifest, where: str) -> list[str]:
    """Refuse a model whose head, backbone or tuning method is not installed here.

    Args:
        manifest: of the bundle.
        where: it is from, for the error.

    Returns:
        A sentence for each that is here in another version.

    Raises:
        PluginError: names all that are missing, and the one command that installs them.
    """
    needed = list(manifest.packages.values())
    found = {own.distribution: _version(own.distribution) for own in needed}
    missing = [own for own in needed if found[own.distribution] is None]
    if missing:
        wanted = " ".join(f"{own.distribution}=={own.version}" for own in missing)
        raise PluginError(
            f"{where} needs packages that are not installed: {wanted}.",
            fix=f"pip install {wanted}",
        )
    return [
        f"The model was trained with {own.distribution} {own.version}; "
        f"{found[own.distribution]} is installed."
        for own in needed
        if found[own.distribution] != own.version
    ]


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
