"""Where a service listens."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Who may connect to a socket: owner and group.
SOCKET_MODE = 0o660

#: Bytes of a socket's path at most, as Linux has it.
_MAX_PATH = 107


class EndpointError(ValueError):
    """An endpoint is written otherwise."""


class ListenError(Exception):
    """The endpoint cannot be listened on; the text says why."""


@dataclass(frozen=True)
class UnixEndpoint:
    """`unix:/path`."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True)
class TcpEndpoint:
    """`http://host:port`, or `https://host:port` with TLS."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @property
    def address(self) -> str:
        """`host:port`, `[host]:port` where the host is an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def is_loopback(self) -> bool:
        """Whether only this machine reaches it. Raises `ListenError` for a host that has no address."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise ListenError(f"cannot listen on {self}: {error}") from error
        return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


Endpoint = UnixEndpoint | TcpEndpoint


def parse(text: str) -> Endpoint:
    """Reads `unix:/path`, `http://host:port`, `https://host:port`. Raises `EndpointError`, which says what to write."""
    if text.startswith("unix:"):
        # unix:///path is the same in gRPC's own naming.
        path = text.removeprefix("unix:").removeprefix("//")
        if path in ("", "/"):
            raise EndpointError(f'"{text}" has no path: write unix:/run/name.sock')
        if len(os.fsencode(path)) > _MAX_PATH:
            raise EndpointError(f'the path of "{text}" is longer than the {_MAX_PATH} bytes that a socket may have')
        return UnixEndpoint(Path(path))
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in ("http", "https"):
        raise EndpointError(f'"{text}" is not an endpoint: write unix:/path, http://host:port or https://host:port')
    host, port = parse_address(rest.rstrip("/"), f"{scheme}://host:port", text)
    return TcpEndpoint(host, port, tls=scheme == "https")


def parse_address(address: str, wanted: str, text: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[host]:port`. `text` is what the error names, `wanted` what is to be written."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise EndpointError(f'"{text}" has no port: write {wanted}')
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return host, int(port)


class OwnSocket:
    """A socket file, removed by `remove` unless somebody else's is in its place by then."""

    def __init__(self, path: Path) -> None:
        status = path.lstat()
        self._path = path
        self._identity = (status.st_dev, status.st_ino)

    def remove(self) -> None:
        """The end of it. Raises `OSError` where the folder does not allow it."""
        try:
            status = self._path.lstat()
        except FileNotFoundError:
            return
        if (status.st_dev, status.st_ino) == self._identity:
            self._path.unlink(missing_ok=True)


@contextmanager
def unix_place(path: Path) -> Iterator[Path]:
    """A path to make a socket at, which is put in the place of a stale one at `path` when all went well.

    Whoever connects meets either nobody or a socket that listens and has its mode. The folder is locked meanwhile, so
    that two services that start at a time do not take each other's socket for a stale one.
    Raises `ListenError` where a service listens at `path`, or something else than a socket is there.
    """
    failed = f"cannot listen on unix:{path}"
    temporary = path.with_name(f".{os.getpid()}")
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            _must_be_free(path)
            temporary.unlink(missing_ok=True)
            yield temporary
            temporary.chmod(SOCKET_MODE)
            temporary.rename(path)
        finally:
            os.close(folder)
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ListenError(f"{failed}: {error.strerror or error}") from error


def _must_be_free(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is not a socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except OSError:
            # Other failures say nothing about who listens: a full backlog, no permission.
            pass
    raise ListenError(f"{path} is in use by a running service")


def bind(endpoint: Endpoint) -> tuple[socket.socket, Endpoint, OwnSocket | None]:
    """A socket that listens, where it really listens (port 0 has become a number), and its file.

    Raises `ListenError`.
    """
    if isinstance(endpoint, UnixEndpoint):
        listener = socket.socket(socket.AF_UNIX)
        try:
            with unix_place(endpoint.path) as place:
                listener.bind(str(place))
                listener.listen(128)
        except BaseException:
            listener.close()
            raise
        return listener, endpoint, OwnSocket(endpoint.path)
    try:
        family, *_, address = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise ListenError(f"cannot listen on {endpoint}: {error.strerror or error}") from error
    return listener, TcpEndpoint(endpoint.host, listener.getsockname()[1], endpoint.tls), None
