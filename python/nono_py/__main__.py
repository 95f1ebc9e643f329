# SPDX-License-Identifier: Apache-2.0
"""The command line: python -m nono_py run, why, support."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import NoReturn

import nono_py
from nono_py import _command_line

# Beside those of a command: as timeout(1) and env(1) have it.
USAGE, FAILED = 2, 125

RUN_HELP = """
Runs a command in a sandbox: the kernel refuses it all that is not granted, and when it
ends, all that it started ends too. Its standard streams are those of nono itself.

What the program itself needs to start (its libraries, its interpreter) is granted for
reading; what it is to work on must be named. Of the environment it gets PATH, HOME, USER,
LOGNAME, SHELL, TERM, TZ, TMPDIR, LANG and LC_*.
"""

RUN_STATUS = """
exit status:
  that of the command; 128+N if signal N ended it; 124 if its time was over; 126 if it
  could not be set up or is blocked; 127 if it could not be executed; 125 if there is no
  sandbox for it; 2 if these arguments are wrong

examples:
  python -m nono_py run --system --allow project --block-net -- make -C project test
  python -m nono_py run --read data.csv --timeout 60 --memory 512M -- python3 analyse.py
"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"nono: {message} (see --help)\n")


def make_parser() -> Parser:
    parser = Parser(prog="python -m nono_py", description="Contain commands by the kernel.")
    parser.add_argument("--version", action="version", version=f"nono {nono_py.__version__}")
    actions = parser.add_subparsers(dest="action", metavar="run | why | support", required=True)

    plain = argparse.RawDescriptionHelpFormatter
    run = actions.add_parser(
        "run",
        help="run a command in a sandbox",
        description=RUN_HELP,
        epilog=RUN_STATUS,
        usage="python -m nono_py run [options] -- COMMAND [ARGUMENT ...]",
        formatter_class=plain,
    )
    add_grants(run)
    run.add_argument("--no-program", action="store_true", help="do not grant what the program itself needs to start")
    run.add_argument("--timeout", metavar="S", type=float, help="end it all after so many seconds")
    run.add_argument("--memory", metavar="M", type=size, help="the most memory it may use, such as 512M")
    run.add_argument("--processes", metavar="N", type=int, help="the most processes it may be at once")
    run.add_argument("--cwd", metavar="DIR", help="its working directory, which this does not grant")
    run.add_argument(
        "--env", metavar="NAME[=VALUE]", action="append", default=[], help="a variable it gets, of here or with a value"
    )
    run.add_argument("--inherit-env", action="store_true", help="give it the whole environment")
    run.add_argument(
        "--explain", action="store_true", help="read along on its standard error, and say what was likely missing"
    )
    run.add_argument(
        "--json", action="store_true", help="print a report with its output (up to 1M of each stream) instead of that"
    )
    run.add_argument("command", nargs="*", help=argparse.SUPPRESS)
    run.set_defaults(act=_command_line.run)

    why = actions.add_parser(
        "why", help="tell whether a sandbox allows a path, and why", description="Exit status: 0 if allowed, 1 if not."
    )
    why.add_argument("path", metavar="PATH")
    why.add_argument("--for", dest="mode", choices=_command_line.MODES, default="read", help="the access (read)")
    add_grants(why)
    why.add_argument("--json", action="store_true", help="answer as JSON")
    why.set_defaults(act=_command_line.why)

    support = actions.add_parser(
        "support", help="tell what this system can enforce", description="Exit status: 0 if it can sandbox, 1 if not."
    )
    support.add_argument("--json", action="store_true", help="answer as JSON")
    support.set_defaults(act=_command_line.support)
    return parser


def add_grants(parser: argparse.ArgumentParser) -> None:
    for name, what in (("read", "reading"), ("write", "writing"), ("allow", "reading and writing")):
        parser.add_argument(
            f"--{name}", metavar="P", action="append", default=[], help=f"grant {what} of a file or directory"
        )
    parser.add_argument(
        "--system", action="store_true", help="grant reading of /usr, /bin, /lib, /etc and their like, and /dev/null"
    )
    parser.add_argument("--block-net", action="store_true", help="block the network")
    parser.add_argument("--block-unix", action="store_true", help="close unix sockets")


def size(text: str) -> int:
    """Bytes, with K, M, G or T for powers of 1024."""
    digits, unit = (text[:-1], text[-1].upper()) if text and not text[-1].isdigit() else (text, "")
    if not digits.isascii() or not digits.isdigit() or unit not in ("", *"KMGT"):
        raise argparse.ArgumentTypeError(f"not a size: {text!r} (such as 65536, 64K, 512M, 2G)")
    return int(digits) << 10 * " KMGT".index(unit or " ")


def main(arguments: list[str]) -> int:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = make_parser().parse_args(arguments[:end])
    if options.action == "run":
        options.command += arguments[end + 1 :]
        if not options.command:
            make_parser().error("there is no command to run")
    elif end < len(arguments):
        make_parser().error("a command is for `run`")
    try:
        status: int = options.act(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Nobody reads: nothing more is to be said, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OSError, ValueError, RuntimeError, OverflowError) as error:
        print(f"nono: {error}", file=sys.stderr)
        return _command_line.status_of(error) or FAILED


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        # As whoever is interrupted ends, so that a shell stops its script.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
