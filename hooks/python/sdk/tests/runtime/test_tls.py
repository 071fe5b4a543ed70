"""TLS, with and without certificates of clients."""

from __future__ import annotations

import subprocess
from pathlib import Path

import grpc
import pytest
from support import BASE, PATIENCE, Service, Session, call, load


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=PATIENCE)


class Authority:
    """Makes certificates that lead to it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._make(self._key, self.certificate, name, "-addext", "basicConstraints=critical,CA:TRUE")

    def _make(self, key: Path, certificate: Path, name: str, *more: str | Path) -> None:
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-x509", *kind, "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate, *more)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a host."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        names = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
        self._make(key, certificate, name, *names, "-CA", self.certificate, "-CAkey", self._key)
        return certificate, key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def channel(target: str, authority: Authority, own: tuple[Path, Path] | None = None) -> grpc.Channel:
    certificate, key = (None, None) if own is None else (path.read_bytes() for path in own)
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), key, certificate)
    return grpc.secure_channel(target, credentials)


def served(service: Service) -> str:
    return service.wait_for(r"listening on https://(\S+)")[0].group(1)


def refused(connection: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as error:
        connection.unary_unary(BASE + "Load")(b"", timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("workers", ["1", "2"])
def test_calls_travel_over_tls(start, authority, workers):
    certificate, key = authority.issue("service")
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    service = start(*files, "--workers", workers, endpoint="https://127.0.0.1:0")
    assert Session(channel(served(service), authority)).ask(call(1, "x")).HasField("result")
    refused(grpc.insecure_channel(served(service)))


def test_a_client_needs_a_certificate_of_the_trust_anchor(start, authority, tmp_path):
    certificate, key = authority.issue("service")
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    anchor = ("--tls-trust-anchor", str(authority.certificate))
    target = served(start(*files, *anchor, endpoint="https://127.0.0.1:0"))
    assert load(channel(target, authority, authority.issue("client"))).HasField("loaded")
    refused(channel(target, authority))
    stranger = Authority(tmp_path, "stranger")
    refused(channel(target, authority, stranger.issue("foreign")))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "missing.pem"
    service = Service("https://127.0.0.1:0", "--tls-cert-file", str(missing), "--tls-key-file", str(missing))
    assert service.ended() == 1
    assert f"cannot read {missing}: No such file or directory" in service.log()
