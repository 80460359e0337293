"""Put aside what nnU-Net and its libraries print, so that the progress is what people see."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

from nnunet_vit.errors import UserError
from nnunet_vit.report.progress import ConsoleProgress, Progress
from nnunet_vit.report.streams import DEBUG, display, diverted


@contextlib.contextmanager
def quiet_libraries() -> Iterator[Progress]:
    """Yield the progress display; what libraries print goes to a log, with --debug here too.

    The log is deleted at the end, unless an error that it explains is on its way: the one that
    names it, or one that nobody expected, which gets the attribute `log`.
    """
    if os.environ.get(DEBUG):
        with contextlib.closing(ConsoleProgress(sys.stdout or display(), live=False)) as progress:
            yield progress
        return
    stream = display()
    try:
        with diverted() as log, contextlib.closing(ConsoleProgress(stream)) as progress:
            try:
                yield progress
            except Exception as error:
                if not isinstance(error, UserError | OSError):
                    log.note(error)
                    error.log = log.keep()  # type: ignore[attr-defined]
                raise
            finally:
                gc.collect()  # what is deleted with its last words speaks to the log
    finally:
        if stream is not sys.stdout:
            with contextlib.suppress(OSError):
                stream.close()
