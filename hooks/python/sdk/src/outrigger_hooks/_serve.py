"""Offers a hook on an endpoint."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import tempfile
from pathlib import Path

from ._cli import Settings, add_arguments, parse_command_line, serving
from ._control import VARIABLE, Control
from ._endpoint import Endpoint, EndpointError, ListenError, TcpEndpoint, UnixEndpoint, parse
from ._engine import Engine
from ._log import set_up
from .hook import Hook

__all__ = ["Settings", "add_arguments", "serve", "serving"]

logger = logging.getLogger("outrigger_hooks")


def serve(
    hook: Hook,
    *,
    listen: str | None = None,
    workers: int = 1,
    stuck_after: float = 10.0,
    metrics: str | None = None,
    tls_cert_file: str | None = None,
    tls_key_file: str | None = None,
    tls_trust_anchor: str | None = None,
    allow_plaintext: bool = False,
    log_level: str = "info",
) -> None:
    """Offers `hook` until SIGTERM or SIGINT, then answers the open calls and returns.

    Without `listen` everything is read from the command line, see `--help`. A program with arguments of its own parses
    them itself: `add_arguments(parser)`, and then `serve(hook, **serving(parser.parse_args()))`.

    * `listen`: `unix:/path`, `http://host:port`, or `https://host:port` with `tls_cert_file` and `tls_key_file` (PEM).
      With `tls_trust_anchor` a client must have a certificate that leads to one of that file. Without TLS, other
      machines reach the service only with `allow_plaintext`.
    * `workers`: processes that run callouts. With more than one, this process starts the same program again for each of
      them, so everything before `serve` runs once more in every worker.
    * `stuck_after`: seconds; a callout that does not return within them ends its process, and the log says where it
      was. What `load` and `start` do counts as well, unless they are `async`. A worker is started again, a service
      without workers by whoever started it.
    * `metrics`: `host:port` where metrics are shown for Prometheus; the program's own in `prometheus_client.REGISTRY`
      are among them.

    Ends the program with code 1 where it cannot listen. Raises `HookDefinitionError` for a hook that is wrong.
    """
    if listen is None:
        settings = parse_command_line(hook.name, hook.version)
    else:
        settings = Settings(
            listen=listen,
            workers=workers,
            stuck_after=stuck_after,
            metrics=metrics,
            tls_cert_file=tls_cert_file,
            tls_key_file=tls_key_file,
            tls_trust_anchor=tls_trust_anchor,
            allow_plaintext=allow_plaintext,
            log_level=log_level,
        )
    set_up(settings["log_level"])
    engine = Engine(hook)
    try:
        endpoint = _checked(settings)
        worker = os.environ.pop(VARIABLE, None)
        if worker is not None:
            asyncio.run(_work(engine, settings, worker))
        elif settings["workers"] > 1:
            # Loaded here only: a process has either workers or gRPC.
            from ._workers import supervise

            with tempfile.TemporaryDirectory(prefix="outrigger-hooks-") as folder:
                asyncio.run(supervise(settings, endpoint, Path(folder)))
        else:
            from ._server import run

            asyncio.run(run(engine, settings, None, endpoint))
    except (ListenError, EndpointError) as error:
        logger.error("%s", error)
        sys.exit(1)


async def _work(engine: Engine, settings: Settings, worker: str) -> None:
    """What a worker does."""
    from ._server import run

    # "DESCRIPTOR PATH", of the parent.
    descriptor, _, path = worker.partition(" ")
    end = socket.socket(fileno=int(descriptor))
    # It is for this process, not for those that it starts.
    end.set_inheritable(False)
    control = await Control.open(end)
    await run(engine, settings, control, UnixEndpoint(Path(path)))
    control.close()


def _checked(settings: Settings) -> Endpoint:
    """The endpoint, where it goes together with the other settings. Raises `EndpointError` or `ListenError`."""
    endpoint = parse(settings["listen"])
    certificate, key, anchor = settings["tls_cert_file"], settings["tls_key_file"], settings["tls_trust_anchor"]
    if not isinstance(endpoint, TcpEndpoint) or not endpoint.tls:
        if certificate or key or anchor:
            raise EndpointError(f"{endpoint} has no TLS: its certificates need https://host:port")
    elif certificate is None or key is None:
        raise EndpointError(f"{endpoint} needs --tls-cert-file and --tls-key-file")
    if (
        isinstance(endpoint, TcpEndpoint)
        and not endpoint.tls
        and not settings["allow_plaintext"]
        and not endpoint.is_loopback()
    ):
        raise EndpointError(
            f"{endpoint} could be reached from other machines without TLS: use https://, or --allow-plaintext"
        )
    return endpoint
