"""Fixtures for all tests."""

import sys

import pytest


@pytest.fixture
def fake_head(tmp_path_factory, monkeypatch):
    """Install a head for this test alone: `fake_head("tiny", source)`.

    A dist-info folder and one module on sys.path are all that importlib.metadata and an entry point
    need. Several distributions may bring the same name; each has its own module.
    """
    imported = []

    def install(name: str, source: str, distribution: str = "x-head", version: str = "1.0") -> None:
        folder = tmp_path_factory.mktemp("installed")
        module = f"{distribution}_{name}_module".replace("-", "_")
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
            f"Summary: the head {name} of a test\n",
            encoding="utf-8",
        )
        (info / "entry_points.txt").write_text(
            f"[nnunet_vit.heads]\n{name} = {module}\n", encoding="utf-8"
        )
        monkeypatch.syspath_prepend(str(folder))
        imported.append(module)

    yield install
    for module in imported:
        sys.modules.pop(module, None)
