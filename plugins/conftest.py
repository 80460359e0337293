"""What the tests of all heads share: the costliest cases are slow."""

import pytest

COSTLY = ("test_compile", "test_export")  # seconds each; the first case of a head stays


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is slow
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark compile and export as slow on all cases but each head's first."""
    seen = set()
    for item in items:
        name = getattr(item, "originalname", "")
        if name not in COSTLY:
            continue
        if (item.path, name) in seen:
            item.add_marker(pytest.mark.slow)
        seen.add((item.path, name))
