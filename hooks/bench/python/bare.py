"""Boot files for clients that name their vendor class, on the generated stubs alone: bare.py unix:/path."""

import asyncio
import signal
import sys
from typing import Any

import grpc
from outrigger.hooks.v1 import arguments_pb2, common_pb2, packet4_pb2, packet6_pb2, service_pb2, service_pb2_grpc

URL = b"http://boot.example.org/image"


def edit(code: int) -> common_pb2.OptionEdit:
    return common_pb2.OptionEdit(action=common_pb2.OptionEdit.ACTION_SET, path=[code], data=URL)


def has(options: Any, code: int) -> bool:
    return any(option.code == code for option in options)


class BootFiles(service_pb2_grpc.CalloutsServicer):
    async def Load(self, request: service_pb2.LoadRequest, context: Any) -> service_pb2.LoadReply:
        points = [arguments_pb2.HOOK_POINT_PKT4_SEND, arguments_pb2.HOOK_POINT_PKT6_SEND]
        subscriptions = [service_pb2.Subscription(hook_point=point, writes=["response.options"]) for point in points]
        return service_pb2.LoadReply(
            loaded=service_pb2.Loaded(
                protocol_version=1, name="bench-python-bare", version="1.0.0", subscriptions=subscriptions
            )
        )

    async def Call(self, request: service_pb2.CalloutRequest, context: Any) -> service_pb2.CalloutReply:
        result = service_pb2.CalloutResult()
        arguments = request.arguments
        if request.hook_point == arguments_pb2.HOOK_POINT_PKT4_SEND and has(arguments.pkt4_send.query.options, 60):
            result.changes.response4.CopyFrom(packet4_pb2.Packet4Changes(options=[edit(67)]))
        if request.hook_point == arguments_pb2.HOOK_POINT_PKT6_SEND and has(arguments.pkt6_send.query.options, 16):
            result.changes.response6.CopyFrom(packet6_pb2.Packet6Changes(options=[edit(59)]))
        return service_pb2.CalloutReply(id=request.id, result=result)


async def main(endpoint: str) -> None:
    server = grpc.aio.server()
    service_pb2_grpc.add_CalloutsServicer_to_server(BootFiles(), server)
    server.add_insecure_port(endpoint)
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await server.stop(1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
