"""A service that does what a packet's label says. The runtime's tests start it as a process of its own."""

import argparse
import asyncio
import ctypes
import os
import re
import signal
import sys
import threading

import prometheus_client

from outrigger_hooks import Hook, Refusal, add_arguments, serve, serving

hook = Hook("scripted", version="1.2.3")
seen = prometheus_client.Counter("scripted_packets", "Packets that were seen.")

#: What callouts wait for, by name.
gates: dict[str, asyncio.Event] = {}
#: The same for blocking callouts.
locks: dict[str, threading.Event] = {}


@hook.load
def load(load):
    if load.parameters.get("refuse"):
        raise Refusal("these parameters are wrong")
    return load.parameters.get("greeting", "hello")


@hook.start
async def start():
    if arguments.broken_start:
        raise RuntimeError("the start is broken")


@hook.stop
def stop():
    print("the hook is told of the end", file=sys.stderr)


@hook.pkt4_receive
def inline(call):
    seen.inc()
    word, _, rest = call.packet_label.partition(" ")
    if word == "fail":
        raise KeyError(rest)
    if word == "exit":
        sys.exit(rest)
    if word == "die":
        os._exit(3)
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "loop":
        while True:
            pass
    if word == "native-loop":
        # Native code that keeps Python's lock.
        ctypes.PyDLL(None).pause()
    if word == "regex":
        re.match(r"(a+)+$", "a" * 60 + "b")
    if word == "busy":
        # Longer than replies wait for the rest of their batch.
        spin(float(rest))
    if word == "open":
        gates.setdefault(rest, asyncio.Event()).set()
        locks.setdefault(rest, threading.Event()).set()
    if word == "reset":
        for gate in (*gates.values(), *locks.values()):
            gate.set()
        gates.clear()
        locks.clear()
    if word == "big":
        call.changes.query4.options.add(data=b"x" * int(rest))
    call.warn(f"{call.state} {call.packet_label} {os.getpid()}")


def spin(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        pass


@hook.pkt4_send
async def waiting(call):
    word, _, rest = call.packet_label.partition(" ")
    if word == "wait":
        await gates.setdefault(rest, asyncio.Event()).wait()
    if word == "stubborn":
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.inc(1000)
    if word == "fail":
        await asyncio.sleep(0)
        raise KeyError(rest)
    call.warn(call.packet_label)


@hook.subnet4_select(blocking=True)
def blocking(call):
    word, _, rest = call.packet_label.partition(" ")
    if word == "wait":
        locks.setdefault(rest, threading.Event()).wait()
    if word == "ready":
        hook.set_ready(rest == "yes")
    call.warn(f"{call.packet_label} in {threading.current_thread().name}")


@hook.leases4_committed
async def held(call):
    call.park()
    call.park()
    word, _, rest = call.packet_label.partition(" ")
    if word == "wait":
        await gates.setdefault(rest, asyncio.Event()).wait()
    call.warn(call.packet_label)


@hook.leases6_committed(blocking=True)
def held_in_thread(call):
    call.park()
    word, _, rest = call.packet_label.partition(" ")
    if word == "wait":
        locks.setdefault(rest, threading.Event()).wait()
    call.warn(call.packet_label)


@hook.commands("answer")
def answer(call):
    call.answer({"result": 0, "text": "x" * int(call.packet_label)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--broken-start", action="store_true")
    arguments = parser.parse_args()
    serve(hook, **serving(arguments))
