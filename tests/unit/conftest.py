"""What unit tests have in common."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def float32_on_this_cpu():
    """Let `precision: auto` be float32 in this process, whatever the processor is quick in.

    For fixtures of a whole module too. The real measurement has tests of its own; commands and
    workers of tests measure.
    """
    from nnunet_vit.modeling.runtime import precision

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "is_quick_in_bfloat16", lambda: False)
        yield
