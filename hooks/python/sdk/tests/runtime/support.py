"""A running service, and what a server does with it."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from outrigger.hooks.v1 import arguments_pb2, common_pb2, service_pb2

#: Seconds that nothing takes.
PATIENCE = 30.0
BASE = "/outrigger.hooks.v1.Callouts/"
SCRIPTED = Path(__file__).with_name("scripted.py")

PKT4_RECEIVE = arguments_pb2.HOOK_POINT_PKT4_RECEIVE
PKT4_SEND = arguments_pb2.HOOK_POINT_PKT4_SEND
SUBNET4_SELECT = arguments_pb2.HOOK_POINT_SUBNET4_SELECT
LEASES4_COMMITTED = arguments_pb2.HOOK_POINT_LEASES4_COMMITTED
LEASES6_COMMITTED = arguments_pb2.HOOK_POINT_LEASES6_COMMITTED
COMMAND = arguments_pb2.HOOK_POINT_COMMAND

_FIELDS = {
    PKT4_RECEIVE: "pkt4_receive",
    PKT4_SEND: "pkt4_send",
    SUBNET4_SELECT: "subnet4_select",
    LEASES4_COMMITTED: "leases4_committed",
    LEASES6_COMMITTED: "leases6_committed",
    COMMAND: "command",
}


def call(number: int, label: str, point: int = PKT4_RECEIVE, **more: int) -> service_pb2.CalloutRequest:
    """A call that the scripted service understands."""
    revision = 6 if point == LEASES6_COMMITTED else 1
    request = service_pb2.CalloutRequest(
        id=number, hook_point=point, packet_label=label, configuration_revision=revision, **more
    )
    getattr(request.arguments, _FIELDS[point]).SetInParent()
    if point == COMMAND:
        request.arguments.command.command = '{"command": "answer"}'
    return request


def load_request(revision: int = 1, parameters: str = "", family: int = 4) -> service_pb2.LoadRequest:
    """Of the server "1"."""
    families = {4: common_pb2.FAMILY_DHCP4, 6: common_pb2.FAMILY_DHCP6}
    server = service_pb2.ServerIdentity(name="tests", family=families[family], version="1", instance_id="1")
    return service_pb2.LoadRequest(
        protocol_versions=[1],
        server=server,
        configuration_revision=revision,
        service_name="scripted",
        parameters=parameters,
    )


class Service:
    """The scripted service in a process of its own."""

    def __init__(self, endpoint: str, *arguments: str, target: str | None = None) -> None:
        """Started, and not necessarily listening. `target` is where gRPC reaches it."""
        self.target = target or endpoint
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._is_over = False
        self._channels: list[grpc.Channel] = []
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPTED), endpoint, *arguments], stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._is_over = True
            self._news.notify_all()

    def log(self) -> str:
        """What it has written so far."""
        with self._news:
            return "\n".join(self._lines)

    def wait_for(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Until so many lines of the log match."""

        def matches() -> list[re.Match[str]]:
            found = (re.search(pattern, line) for line in self._lines)
            return [match for match in found if match]

        with self._news:
            enough = self._news.wait_for(lambda: self._is_over or len(matches()) >= count, PATIENCE)
            assert enough and len(matches()) >= count, f"no {pattern!r} in the log:\n" + "\n".join(self._lines)
            return matches()

    def channel(self) -> grpc.Channel:
        """A connection of its own."""
        channel = grpc.insecure_channel(self.target, options=[("grpc.use_local_subchannel_pool", 1)])
        self._channels.append(channel)
        return channel

    def disconnect(self) -> None:
        """Closes all of its connections."""
        while self._channels:
            self._channels.pop().close()

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it has ended and all of the log is there."""
        code = self.process.wait(PATIENCE)
        with self._news:
            assert self._news.wait_for(lambda: self._is_over, PATIENCE)
        return code

    def close(self) -> None:
        self.disconnect()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)


def load(channel: grpc.Channel, request: service_pb2.LoadRequest | None = None) -> service_pb2.LoadReply:
    """What the service says to Load."""
    data = (request or load_request()).SerializeToString()
    reply = channel.unary_unary(BASE + "Load")(data, timeout=PATIENCE, wait_for_ready=True)
    return service_pb2.LoadReply.FromString(reply)


def ask_once(channel: grpc.Channel, request: service_pb2.CalloutRequest) -> service_pb2.CalloutReply:
    """The reply over Call."""
    reply = channel.unary_unary(BASE + "Call")(request.SerializeToString(), timeout=PATIENCE)
    return service_pb2.CalloutReply.FromString(reply)


def health(channel: grpc.Channel, name: str = "", timeout: float = PATIENCE) -> int:
    """What grpc.health.v1 says."""
    stub = health_pb2_grpc.HealthStub(channel)
    reply = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=timeout, wait_for_ready=True)
    status: int = reply.status
    return status


class Session:
    """A session as a server has it."""

    def __init__(self, channel: grpc.Channel, greet: bool = True) -> None:
        """With `greet`, after Load, of configuration 1 in DHCPv4 and 6 in DHCPv6, and Welcome."""
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._rest: list[service_pb2.CalloutReply] = []
        #: Messages with replies that came.
        self.batches = 0
        if greet:
            assert load(channel).HasField("loaded")
            assert load(channel, load_request(6, family=6)).HasField("loaded")
        self._stream = channel.stream_stream(BASE + "Session")(self._messages(), timeout=PATIENCE)
        if greet:
            self.hello()
            assert self.next().HasField("welcome")

    def _messages(self) -> Iterator[bytes]:
        while (message := self._outgoing.get()) is not None:
            yield message

    def send(self, message: service_pb2.ServerMessage) -> None:
        self.send_raw(message.SerializeToString())

    def send_raw(self, data: bytes) -> None:
        self._outgoing.put(data)

    def hello(self, revision: int = 1) -> None:
        hello = service_pb2.Hello(instance_id="1", service_name="scripted", configuration_revision=revision)
        self.send(service_pb2.ServerMessage(hello=hello))

    def calls(self, calls: Iterable[service_pb2.CalloutRequest], answered: int | None = None) -> None:
        """One batch."""
        self.send(service_pb2.ServerMessage(calls=service_pb2.CallBatch(calls=calls, answered=answered)))

    def bye(self) -> None:
        self.send(service_pb2.ServerMessage(bye=service_pb2.Bye()))

    def half_close(self) -> None:
        """No further messages."""
        self._outgoing.put(None)

    def cancel(self) -> None:
        """As a server that is gone."""
        self._stream.cancel()

    def initial_metadata(self) -> object:
        return self._stream.initial_metadata()

    def next(self) -> service_pb2.ServiceMessage:
        """The next message. Raises StopIteration at the end of the stream."""
        return service_pb2.ServiceMessage.FromString(next(self._stream))

    def reply(self) -> service_pb2.CalloutReply:
        """The next reply."""
        while not self._rest:
            message = self.next()
            assert message.HasField("replies"), message
            self.batches += 1
            self._rest.extend(message.replies.replies)
        return self._rest.pop(0)

    def replies(self, count: int) -> list[service_pb2.CalloutReply]:
        return [self.reply() for _ in range(count)]

    def ask(self, request: service_pb2.CalloutRequest) -> service_pb2.CalloutReply:
        """The reply to one call."""
        self.calls([request])
        return self.reply()

    def end(self) -> grpc.RpcError | None:
        """Why the stream is broken off; None where it ends in order."""
        try:
            message = self.next()
        except StopIteration:
            return None
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"the session goes on with {message}")


def until(reached: Callable[[], bool]) -> None:
    """Asks again and again."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "it does not come to it"
        time.sleep(0.01)


def metrics(service: Service) -> dict[str, float]:
    """What the service shows to Prometheus: values by name and labels."""
    address = service.wait_for(r"metrics are on (\S+)")[0].group(1)
    with urllib.request.urlopen(address, timeout=PATIENCE) as response:
        text = response.read().decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def metric(service: Service, name: str) -> float:
    """One of them; 0 where it is not shown."""
    return metrics(service).get(name, 0.0)


def pid_of(reply: service_pb2.CalloutReply) -> int:
    """The process that ran the inline callout."""
    return int(reply.result.warning.rsplit(" ", 1)[1])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
