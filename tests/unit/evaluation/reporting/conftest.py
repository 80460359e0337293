"""Model folders for every test of this room."""

from report_runs import model_run

__all__ = ["model_run"]
