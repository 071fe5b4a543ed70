"""The user_chk hook service."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from outrigger_hooks import add_arguments, serve, serving

from . import __version__, outcome
from .service import UserChkService
from .source import SourceError, parse_source

#: Exit codes of sysexits.h.
_USAGE = 64
_IO = 74

_DESCRIPTION = """\
Decides the subnet and the boot file of DHCP clients by registration.

What belongs to a site comes from the DHCP server's configuration, as "parameters" of the hook service:
restricted-subnet-id (required), subnet-selection, option-overrides, outcome-records."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {message}\n")


def _source(text: str) -> Path:
    try:
        return parse_source(text)
    except SourceError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="user-chk", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-v", "--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "--registry",
        required=True,
        type=_source,
        metavar="SOURCE",
        help="who is registered: file:PATH or just the path of a file in Kea's form; it is read again when it changes",
    )
    parser.add_argument(
        "--outcome",
        required=True,
        type=Path,
        metavar="FILE",
        help="file to record granted addresses in; it is made where it is missing",
    )
    add_arguments(parser)
    return parser


def main() -> NoReturn:
    """Runs the service until SIGTERM. Exit codes: 0, 64 wrong usage, 74 outcome file or endpoint cannot be opened."""
    arguments = _parser().parse_args()
    settings = serving(arguments)
    try:
        outcome.check(arguments.outcome)
    except OSError as error:
        print(f"user-chk: outcome file {arguments.outcome}: {error.strerror} (os error {error.errno})", file=sys.stderr)
        sys.exit(_IO)
    try:
        serve(UserChkService(arguments.registry, arguments.outcome).hook, **settings)
    except SystemExit as end:
        # It cannot listen, and has said so.
        sys.exit(_IO if end.code == 1 else end.code)
    sys.exit(0)


if __name__ == "__main__":
    main()
