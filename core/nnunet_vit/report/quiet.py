"""Put aside what nnU-Net and its libraries print, so that the progress is what people see."""

import contextlib
import os
import sys
from collections.abc import Iterator

from nnunet_vit.report.progress import ConsoleProgress, Progress

DEBUG = "NNUNET_VIT_DEBUG"  # set by --debug


@contextlib.contextmanager
def quiet_libraries() -> Iterator[Progress]:
    """Yield the progress display; with --debug everything else is printed too."""
    progress = ConsoleProgress(sys.stdout)
    try:
        if os.environ.get(DEBUG):
            yield progress
        else:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                yield progress
    finally:
        progress.close()
