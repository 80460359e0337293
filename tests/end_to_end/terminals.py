"""Commands on a pseudo-terminal or in a pipe, and the lines that they leave on the screen.

A forked process is the command, instead of starting Python and loading torch again, unless the
command starts workers: those would import what the tests were started with.
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from dataclasses import dataclass

ESCAPE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])")
WITH_WORKERS = {"train", "predict", "evaluate", "check-head"}
CLEAN = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "CLICOLOR", "PYTEST_CURRENT_TEST", "TERM"}


@dataclass
class Shown:
    """What a command has shown.

    Attributes:
        code: its exit code.
        raw: everything that it wrote.
    """

    code: int
    raw: str

    @property
    def lines(self):
        """The lines that are left on the screen; the last, empty one is where the prompt goes."""
        return left_on_screen(self.raw)

    @property
    def words(self):
        """The same whatever the width is that lines are broken for."""
        return " ".join(self.lines).split()


def left_on_screen(raw):
    """Return the lines after all that moves the cursor has been done."""
    lines, row, column = [""], 0, 0
    for part in re.split(r"(\x1b\[\??[\d;]*[A-Za-z]|\r|\n)", raw):
        escape = ESCAPE.fullmatch(part)
        if escape and escape[2] == "A":
            row -= int(escape[1] or 1)
        elif escape and escape[2] == "K":
            lines[row] = "" if escape[1] == "2" else lines[row][:column]
        elif part == "\r":
            column = 0
        elif part == "\n":  # in a pipe it stands alone
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part and not escape:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    assert row == len(lines) - 1, "the cursor is not in the last line"
    return [line.rstrip() for line in lines]


def on_terminal(folder, columns, *words, **variables):
    """Run vit_cli on a terminal of so many columns; return what it shows."""
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        _command(folder, words, {"TERM": "xterm", **variables})
    return _result(process, terminal)


def in_pipe(folder, *words, **variables):
    """Run vit_cli with its output in a pipe; return what it writes."""
    end, start = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(start, 1)
        os.dup2(start, 2)
        _command(folder, words, {"TERM": "xterm", **variables})
    os.close(start)
    return _result(process, end)


def _command(folder, words, variables):
    """Be the command, in the forked process."""
    code = 99
    try:
        os.chdir(folder)
        for name in CLEAN:
            os.environ.pop(name, None)
        os.environ.update(variables)
        sys.argv = ["vit_cli", *map(str, words)]
        if words[0] in WITH_WORKERS:
            command = [sys.executable, "-m", "nnunet_vit", *sys.argv[1:]]
            # readline, which pytest imports, sets COLUMNS behind os.environ's back
            os.execve(sys.executable, command, dict(os.environ))
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", closefd=False)
            for number, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        from nnunet_vit.cli import main

        main()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _result(process, end):
    shown = b""
    while chunk := _chunk(end):
        shown += chunk
    os.close(end)
    _, status = os.waitpid(process, 0)
    return Shown(os.waitstatus_to_exitcode(status), shown.decode())


def _chunk(end):
    try:
        return os.read(end, 65536)
    except OSError:  # the terminal's other side is closed
        return b""
