"""The test service in Python: does wrong what it is told to.

As tests/service in Rust: it subscribes to the reception of a packet, the selection of its subnet and the sending of the
answer, and marks every answer with an option.
"""

import argparse
import asyncio
import os
import sys

from outrigger_hooks import Call, Hook, add_arguments, serve, serving
from outrigger_hooks.hook_points import SPECS

MARK4 = 224
MARK6 = 65000
MARK = b"marked"
FAULTS = ("none", "exception", "exit", "die", "wrong-type", "huge", "loop", "hang")

hook = Hook("outrigger-test-service", version="0.1.0")


def mistake(call: Call) -> bool:
    """Whether it is this call that goes wrong."""
    elsewhere = options.at is not None and options.at != SPECS[call.hook_point].name
    return not elsewhere and (options.only is None or options.only in call.packet_label)


def endless_loop() -> None:
    while True:
        pass


def go_wrong(call: Call) -> None:
    """What the fault is, in a callout that returns at once."""
    if not mistake(call):
        return
    if options.fault == "exception":
        raise KeyError("no such subscriber")
    if options.fault == "exit":
        sys.exit("there is no licence")
    if options.fault == "die":
        os._exit(3)
    if options.fault == "loop":
        endless_loop()


def set_badly(call: Call) -> None:
    """What the fault is, where an option is set."""
    if options.fault == "wrong-type" and mistake(call):
        code = "routers" if call.load.family == 4 else "dns-servers"
        call.query.options[code] = {"not": "addresses"}
    if options.fault == "huge" and mistake(call):
        code = "boot-file-name" if call.load.family == 4 else "bootfile-url"
        call.query.options[code] = "x" * 10_485_760


READS = ["query"]


@hook.pkt4_receive(reads=READS, writes=["query.options"])
@hook.pkt6_receive(reads=READS, writes=["query.options"])
def receive(call):
    go_wrong(call)
    set_badly(call)


@hook.subnet4_select(reads=["query", "subnet"], writes=["subnet"])
@hook.subnet6_select(reads=["query", "subnet"], writes=["subnet"])
async def select(call):
    go_wrong(call)
    if options.fault == "hang" and mistake(call):
        await asyncio.get_running_loop().create_future()


@hook.pkt4_send(reads=["query", "response"], writes=["response.options"])
@hook.pkt6_send(reads=["query", "response"], writes=["response.options"])
def send(call):
    go_wrong(call)
    call.response.options[MARK4 if call.load.family == 4 else MARK6] = MARK


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--at", help="at this hook point only")
    parser.add_argument("--only", help="for packets only whose label contains this")
    return parser.parse_args()


if __name__ == "__main__":
    options = arguments()
    serve(hook, **serving(options))
