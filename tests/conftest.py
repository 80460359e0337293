"""Fixtures for all tests."""

import signal
import sys
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def signals_as_on_a_terminal():
    """Undo what `nohup` and a shell's `&` ignore: processes of tests would ignore it too."""
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            usual = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
            signal.signal(number, usual)


@pytest.fixture
def plugin_folder(tmp_path_factory):
    """Write a distribution with one entry point; return the folder for sys.path and the module.

    A dist-info folder and one module are all that importlib.metadata and an entry point need.
    """

    def write(
        name: str,
        source: str,
        distribution: str = "x-head",
        version: str = "1.0",
        group: str = "nnunet_vit.heads",
        attribute: str = "",
        requires: tuple[str, ...] = (),
    ) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("installed")
        module = f"{distribution}_{name}_module".replace("-", "_")
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        kind = group.rpartition(".")[2].removesuffix("s")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
            f"Summary: the {kind} {name} of a test\n"
            + "".join(f"Requires-Dist: {requirement}\n" for requirement in requires),
            encoding="utf-8",
        )
        target = f"{module}:{attribute}" if attribute else module
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n", encoding="utf-8")
        return folder, module

    return write


@pytest.fixture
def fake_head(plugin_folder, monkeypatch):
    """Install a head for this test alone: `fake_head("tiny", source)`.

    Several distributions may bring the same name; each has its own module.
    """
    imported = []

    def install(name: str, source: str, *details: str, **more: str) -> str:
        folder, module = plugin_folder(name, source, *details, **more)
        monkeypatch.syspath_prepend(str(folder))
        imported.append(module)
        return module

    yield install
    for module in imported:
        sys.modules.pop(module, None)


@pytest.fixture
def fake_backbone(fake_head):
    """Install a backbone family for this test alone: `fake_backbone("mine", source)`."""
    return partial(fake_head, distribution="x-backbone", group="nnunet_vit.backbones")


@pytest.fixture
def only_fakes(monkeypatch):
    """Only the plugins that the test installs are there."""
    from nnunet_vit.registry import catalogue

    real = catalogue.entry_points
    monkeypatch.setattr(
        catalogue,
        "entry_points",
        lambda group: [found for found in real(group=group) if "_module" in found.value],
    )


@pytest.fixture
def one_gigabyte():
    """Let the test take one more gigabyte: what wants more fails, and the machine goes on."""
    status = Path("/proc/self/status")
    if not status.is_file():
        yield
        return
    import resource

    line = next(line for line in status.read_text().splitlines() if line.startswith("VmData:"))
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (int(line.split()[1]) * 1024 + 2**30, hard))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
