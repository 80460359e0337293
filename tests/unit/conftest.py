"""What unit tests have in common."""

import pytest


@pytest.fixture(autouse=True)
def float32_on_this_cpu(monkeypatch):
    """Let `precision: auto` be float32 in this process, whatever the processor is quick in.

    The real measurement has tests of its own; commands and workers of tests measure.
    """
    from nnunet_vit.modeling.runtime import precision

    monkeypatch.setattr(precision, "is_quick_in_bfloat16", lambda: False)
