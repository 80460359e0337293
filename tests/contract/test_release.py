"""All distributions have one version, and the release script keeps it so."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]


def release(*arguments, root=ROOT):
    command = [sys.executable, str(root / ".ci/release.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def copy(tmp_path):
    """The files that say versions, and the script."""
    for file in (ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")):
        target = tmp_path / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    return tmp_path


def test_all_have_the_installed_version():
    assert release("--version").stdout.strip() == version("nnunet-vit")


def test_another_version_is_named(copy):
    file = copy / "plugins/linear/pyproject.toml"
    file.write_text(file.read_text().replace('version = "', 'version = "9', 1))
    done = release("--version", root=copy)
    assert done.returncode == 1
    assert "different versions" in done.stderr and "'linear': '9" in done.stderr


def test_what_is_no_version_is_refused(copy):
    before = (copy / "pyproject.toml").read_text()
    done = release("v2", "dist", root=copy)
    assert done.stderr == "'v2' is no version; allowed: 1.2.3, 1.2.3rc1.\n"
    assert (copy / "pyproject.toml").read_text() == before


def test_a_version_is_written_everywhere(copy):
    release("7.8.9rc1", str(copy / "dist"), root=copy)  # building fails here: there is no code
    assert release("--version", root=copy).stdout == "7.8.9rc1\n"
