"""Ends a process that holds Python's lock for too long, from a process of its own.

Started as `python -I -S _stuck.py SECONDS` by the process to watch, which writes to its standard input while threads
get the lock. Nothing within that process could do it: threads wait for the lock, and the clock of a timer goes on while
the process is stopped. Here only the time counts in which both run.
"""

import os
import select
import signal
import sys
import time


def is_stopped(process: int) -> bool:
    """Whether it was stopped by SIGSTOP, or by a debugger."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False


def watch(process: int, limit: float) -> None:
    """Until the pipe is closed, or nothing came for `limit` seconds: then aborts `process`."""
    step = limit / 8
    silent = 0.0
    while silent < limit:
        if select.select([0], [], [], step)[0]:
            if not os.read(0, 4096):
                return
            silent = 0.0
        elif not is_stopped(process):
            silent += step
    if os.getppid() == process:
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        text = f"native code keeps Python's lock for {limit:g} s; the process is aborted"
        os.write(2, f"{now} CRITICAL outrigger_hooks: {text}\n".encode())
        os.kill(process, signal.SIGABRT)


if __name__ == "__main__":
    # They are for the process that is watched; its end is the end of the pipe.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(os.getppid(), float(sys.argv[1]))
