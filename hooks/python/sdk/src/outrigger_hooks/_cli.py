"""The command line that services have in common."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import TypedDict, TypeVar

from ._endpoint import EndpointError, parse
from ._log import LEVELS
from ._metrics import parse_metrics_address

T = TypeVar("T")

#: Worker processes at most.
_MAX_WORKERS = 256


class Settings(TypedDict):
    """What `serve` takes from the command line."""

    #: `unix:/path`, `http://host:port` or `https://host:port`.
    listen: str
    #: Processes that run callouts.
    workers: int
    #: Seconds after which a callout that does not return ends its process.
    stuck_after: float
    #: `host:port` where metrics are shown; None: nowhere.
    metrics: str | None
    #: File with the service's certificate and those that lead to it, PEM.
    tls_cert_file: str | None
    #: File with the key of the certificate, PEM.
    tls_key_file: str | None
    #: File with the certificates that a client's leads to, PEM. With it a client must have one.
    tls_trust_anchor: str | None
    #: Whether TCP without TLS may be reached from other machines.
    allow_plaintext: bool
    #: Least important messages that are logged: debug, info, warning, error.
    log_level: str


def _endpoint(text: str) -> str:
    return str(_checked(parse, text))


def _address(text: str) -> str:
    _checked(parse_metrics_address, text)
    return text


def _checked(reader: Callable[[str], T], text: str) -> T:
    try:
        return reader(text)
    except EndpointError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text} is not a number between 1 and {_MAX_WORKERS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds between 0.1 and 86400")
    return seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what every service takes, for a program with arguments of its own:

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--registry", required=True)
    arguments = parser.parse_args()
    serve(hook, **serving(arguments))
    """
    group = parser.add_argument_group("service")
    group.add_argument(
        "--listen", metavar="ENDPOINT", type=_endpoint, help="unix:/path, http://host:port or https://host:port"
    )
    group.add_argument("endpoint", metavar="ENDPOINT", nargs="?", type=_endpoint, help="the same as --listen")
    group.add_argument("--workers", metavar="N", type=_workers, default=1, help="processes that run callouts (1)")
    group.add_argument(
        "--stuck-after",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="a callout that does not return within it ends its process (10)",
    )
    group.add_argument("--metrics", metavar="HOST:PORT", type=_address, help="where metrics are shown, for Prometheus")
    group.add_argument("--tls-cert-file", metavar="FILE", help="certificate of the service, PEM")
    group.add_argument("--tls-key-file", metavar="FILE", help="its key, PEM")
    group.add_argument(
        "--tls-trust-anchor", metavar="FILE", help="who may connect: certificates that a client's leads to, PEM"
    )
    group.add_argument(
        "--allow-plaintext", action="store_true", help="http://host:port may be reached from other machines"
    )
    group.add_argument("--log-level", choices=LEVELS, default="info", help="least important messages in the log (info)")
    # For `serving`, which would have no way to complain in the parser's words.
    parser.set_defaults(_error=parser.error)


def serving(arguments: argparse.Namespace) -> Settings:
    """The keyword arguments of `serve` among what was parsed. Ends the program where there is no endpoint, or two."""
    if (arguments.listen is None) == (arguments.endpoint is None):
        arguments._error("say once where to listen: --listen ENDPOINT, or just ENDPOINT")
    return Settings(
        listen=arguments.listen or arguments.endpoint,
        workers=arguments.workers,
        stuck_after=arguments.stuck_after,
        metrics=arguments.metrics,
        tls_cert_file=arguments.tls_cert_file,
        tls_key_file=arguments.tls_key_file,
        tls_trust_anchor=arguments.tls_trust_anchor,
        allow_plaintext=arguments.allow_plaintext,
        log_level=arguments.log_level,
    )


def parse_command_line(name: str, version: str) -> Settings:
    """Of a program without arguments of its own. `-v` and `--help` end it."""
    parser = argparse.ArgumentParser(description=f"The hook service {name} {version}.")
    parser.add_argument("-v", "--version", action="version", version=f"{name} {version}")
    add_arguments(parser)
    return serving(parser.parse_args())
