"""What the tests of all heads share: the costliest cases of the contract are slow."""

from pathlib import Path

import pytest

from nnunet_vit.testing.small_vits import Case

GRAPHS = ("test_compile", "test_export")  # seconds each; the first case of a head stays
BACKBONES = (
    "mae",
    "siglip",
)  # plain ViTs as dinov2's is, with a class token or none


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Compute in one thread: the networks are tiny, threads only wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is slow
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what the first cases of each head's rule have shown in most part."""
    first: dict[tuple[Path, str], Case] = {}
    for item in items:
        case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        if not isinstance(case, Case):
            continue
        name = item.name.partition("[")[0]
        one = first.setdefault((item.path, name), case)
        elsewhere = case.backbone != one.backbone
        if (
            case.backbone in BACKBONES
            or (elsewhere and case.options != one.options)
            or (name in GRAPHS and case is not one)
        ):
            item.add_marker(pytest.mark.slow)
