"""A hook service made of generated stubs alone: no SDK, no sessions, one Call for each callout.

Guests, which are DHCPv4 clients of the vendor class "guest" and every client whose hardware address or DUID ends in 07,
get leases of ten minutes and a marked answer; whoever ends in 09 gets none.

    service.py SOCKET       with the stubs of proto/ in PYTHONPATH
"""

import concurrent.futures
import json
import signal
import sys
import threading

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from outrigger.hooks.v1 import arguments_pb2, common_pb2, service_pb2, service_pb2_grpc

PROTOCOL_VERSION = 1
SERVICE = "outrigger.hooks.v1.Callouts"

GUEST = b"guest"
GUEST_LIFETIME = 600
VENDOR_CLASS4 = 60
CLIENT_ID6 = 1
MARK = {4: 224, 6: 65000}

COMMAND = "guest-lifetime"

# Hook point: what it reads and what it writes.
SUBSCRIPTIONS = {
    "pkt4_receive": (["query.options.60"], []),
    "subnet4_select": (["query"], []),
    "lease4_select": (["lease"], ["lease.lifetimes"]),
    "pkt4_send": (["response"], ["response.options.224"]),
    "pkt6_receive": (["query.options.1"], []),
    "subnet6_select": (["query"], []),
    "lease6_select": (["lease"], ["lease.lifetimes"]),
    "pkt6_send": (["response"], ["response.options.65000"]),
}


class Malformed(Exception):
    """The request makes no sense."""


def option(packet, code):
    """Data of the first option of this code; empty where there is none."""
    return next((o.data for o in packet.options if o.code == code), b"")


def identity(family, query):
    """What a client is known by."""
    return query.hw_address.address if family == 4 else option(query, CLIENT_ID6)


def pkt_receive(family, request, arguments, result):
    by_class = family == 4 and option(arguments.query, VENDOR_CLASS4) == GUEST
    if by_class or identity(family, arguments.query).endswith(b"\x07"):
        result.context = GUEST


def subnet_select(family, request, arguments, result):
    if identity(family, arguments.query).endswith(b"\x09"):
        result.next_step = common_pb2.NEXT_STEP_DROP


def lease_select(family, request, arguments, result):
    if request.context == GUEST:
        result.changes.lease.valid_lifetime = GUEST_LIFETIME
        if family == 6:
            result.changes.lease.preferred_lifetime = GUEST_LIFETIME // 2


def pkt_send(family, request, arguments, result):
    if request.context == GUEST:
        response = result.changes.response4 if family == 4 else result.changes.response6
        edit = response.options.add()
        edit.action = common_pb2.OptionEdit.ACTION_SET
        edit.path.append(MARK[family])
        edit.data = GUEST


def command(family, request, arguments, result):
    name = json.loads(arguments.command)["command"]
    if name != COMMAND:
        raise Malformed(f"the service does not offer the command {name!r}")
    answer = {"result": 0, "arguments": {"seconds": GUEST_LIFETIME}}
    result.changes.command_response = json.dumps(answer)


CALLOUTS = {
    "pkt_receive": pkt_receive,
    "subnet_select": subnet_select,
    "lease_select": lease_select,
    "pkt_send": pkt_send,
    "command": command,
}


def callout(request):
    """Name of the hook point, its family, and the function for it."""
    number = request.hook_point
    if not number or number not in arguments_pb2.HookPoint.values():
        raise Malformed(f"there is no hook point {number}")
    name = arguments_pb2.HookPoint.Name(number).removeprefix("HOOK_POINT_").lower()
    family = 6 if "6" in name else 4
    function = CALLOUTS.get(name.replace(str(family), ""))
    if function is None:
        raise Malformed(f"the service does not subscribe to {name}")
    return name, family, function


class Service(service_pb2_grpc.CalloutsServicer):
    """What a server calls."""

    def Load(self, request, context):
        reply = service_pb2.LoadReply()
        if PROTOCOL_VERSION not in request.protocol_versions:
            reply.refusal.text = f"the service speaks version {PROTOCOL_VERSION} of the protocol only"
            return reply
        loaded = reply.loaded
        loaded.protocol_version = PROTOCOL_VERSION
        loaded.name = "stubs"
        loaded.version = "1"
        loaded.commands.append(COMMAND)
        for name, (reads, writes) in SUBSCRIPTIONS.items():
            number = arguments_pb2.HookPoint.Value("HOOK_POINT_" + name.upper())
            loaded.subscriptions.add(hook_point=number, reads=reads, writes=writes)
        return reply

    def Call(self, request, context):
        reply = service_pb2.CalloutReply(id=request.id)
        try:
            name, family, function = callout(request)
            point = request.arguments.WhichOneof("point")
            if point != name:
                raise Malformed(f"{name} came with the arguments of {point or 'nothing'}")
            arguments = getattr(request.arguments, point)
            reply.result.SetInParent()
            function(family, request, arguments, reply.result)
        except Malformed as malformed:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(malformed))
        return reply


def main(socket):
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=4)
    server = grpc.server(pool)
    service_pb2_grpc.add_CalloutsServicer_to_server(Service(), server)
    healthy = health.HealthServicer()
    for name in ("", SERVICE):
        healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server)
    if not server.add_insecure_port(f"unix:{socket}"):
        sys.exit(f"cannot listen on {socket}")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server.start()
    print("listening", flush=True)
    stop.wait()
    server.stop(grace=5).wait()


if __name__ == "__main__":
    main(sys.argv[1])
