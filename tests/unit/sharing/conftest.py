"""What every test of exported models needs."""

import pytest


@pytest.fixture
def onnx_packages():
    """Skip where the extra onnx is not installed."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="pip install -e '.[onnx]' for it")
