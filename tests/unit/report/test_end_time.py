"""When all epochs of all folds will be done."""

from datetime import datetime

import pytest

from nnunet_vit.report.end_time import EndTime

pytestmark = pytest.mark.unit


def after(*seconds, hour=14):
    end = EndTime(lambda: datetime(2026, 11, 26, hour, 0))
    end._seconds = list(seconds)
    return end


def test_nothing_is_known_before_an_epoch_is_done():
    assert after().text(0, 10) == ""


def test_the_epochs_that_are_left():
    assert after(60.0, 120.0).text(2, 12) == "14:15"


def test_the_folds_that_follow():
    end = after(60.0)
    end.later_parts = 2
    assert end.text(10, 10) == "14:20"


def test_the_last_epochs_count():
    assert after(9999.0, *[60.0] * 5).text(6, 10) == "14:04"


def test_another_day():
    assert after(3600.0, hour=23).text(1, 3) == "Nov 27 01:00"


def test_all_is_done():
    assert after(60.0).text(3, 3) == ""


def test_an_epoch_is_measured():
    end = EndTime()
    end.start_epoch()
    end.end_epoch()
    assert end.text(1, 2)
