"""What does not fit is refused with what would."""

from types import SimpleNamespace

import pytest
from view_plans import plan_of

from nnunet_vit.config.feature_cache_section import FeatureCacheSection
from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.training.feature_cache import room
from nnunet_vit.training.feature_cache.room import check_room

pytestmark = pytest.mark.unit
MB = 10**6


@pytest.fixture
def refused(monkeypatch, tmp_path):
    """`refused(free, views=…)` returns the error for views of a MB of ten cases, or the bytes."""

    def check(free, views=20, **section):
        monkeypatch.setattr(room, "bytes_available", lambda: free)
        monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
        given = FeatureCacheSection(views=views, **section)
        try:
            return check_room(given, plan_of(views=views), MB, folder=tmp_path / "cache")
        except (ConfigError, MachineError) as error:
            return error

    return check


def test_a_budget_that_is_too_small(refused):
    error = refused(1e12, budget_gb=0.15)
    assert isinstance(error, ConfigError)
    assert str(error) == (
        "train.feature_cache: 20 views of each of 10 training cases need 204.0 MB (1.0 MB each); "
        "train.feature_cache.budget_gb allows 150.0 MB. Fix: train.feature_cache.views: 15 fits; a "
        "larger train.feature_cache.budget_gb."
    )
    assert refused(1e12, views=15, budget_gb=0.15) == 150 * MB


def test_a_budget_for_fewer_than_the_least(refused):
    error = refused(1e12, budget_gb=0.03, dtype="float32")
    assert error.fix == (
        "the least, 4 views, does not fit; a larger train.feature_cache.budget_gb, "
        "train.feature_cache.dtype: bfloat16."
    )


def test_memory_that_is_not_free(refused):
    error = refused(400 * MB)
    assert isinstance(error, MachineError)
    assert error.problem.endswith(
        "400.0 MB of memory are free, half of which it may take without "
        "train.feature_cache.budget_gb."
    )
    assert "views: 19 fits; make room, train.feature_cache.where: disk." in error.fix
    assert refused(410 * MB) == 204 * MB
    assert refused(210 * MB, budget_gb=1.0) == 204 * MB
    assert refused(200 * MB, budget_gb=1.0).problem.endswith("200.0 MB of memory are free.")
    assert refused(None) == 204 * MB  # the system does not say


def test_folds_that_train_together_share_the_memory(refused, monkeypatch):
    monkeypatch.setenv("NNUNET_VIT_SHARING", "2")
    assert isinstance(refused(800 * MB), MachineError)
    assert refused(820 * MB) == 204 * MB


def test_files_that_are_there_count_as_room(refused, tmp_path):
    assert isinstance(refused(400 * MB, where="disk"), MachineError)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "some").write_bytes(bytes(10 * MB))
    assert refused(400 * MB, where="disk") == 204 * MB
