"""The command's process: memory by large pages, few searches for unused objects, a quick end."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

TELL = """
import gc, os
from nnunet_vit.report import startup

startup.prepare()
print(gc.get_threshold()[0], os.environ[startup.HUGE_PAGES])
startup.finish()
print(gc.get_freeze_count() > 0)
"""


@pytest.mark.parametrize(("given", "told"), [({}, "1"), ({"THP_MEM_ALLOC_ENABLE": "0"}, "0")])
def test_what_the_process_is_told_unless_the_user_has(given, told):
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        capture_output=True, text=True, check=True, env={"PATH": "", **given},
    )  # fmt: skip
    assert done.stdout.split() == ["10000", told, "True"]
