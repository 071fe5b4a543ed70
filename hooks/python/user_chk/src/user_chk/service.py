"""The service: what a server is told that loads it."""

import asyncio
import logging
from pathlib import Path

from outrigger_hooks import Hook, Load, Refusal

from . import __version__, v4, v6
from .callouts import UserChk
from .counters import Counters
from .outcome import Outcome
from .registry import Registry
from .settings import Settings, SettingsError, read_settings
from .watch import Watch

_LOG = logging.getLogger(__name__)


class UserChkService:
    """The user_chk service: one registry and one outcome file, for any number of servers of either family.

    `start` and `stop` are run once in each worker process; all of them read the same registry and append to the same
    outcome file.
    """

    def __init__(self, registry: Path, outcome: Path) -> None:
        #: What is counted.
        self.counters = Counters()
        #: Who is registered.
        self.registry = Registry(registry, self.counters, lambda: self.hook.set_ready(True))
        self._outcome_path = outcome
        self._outcome: Outcome | None = None
        self._watch: Watch | None = None
        #: The hook that `serve` offers. It is ready once there is a registry.
        self.hook = Hook("user-chk", version=__version__)
        self.hook.set_ready(False)
        self.hook.start(self.start)
        self.hook.stop(self.stop)
        self.hook.load(self.load)
        v4.register(self.hook)
        v6.register(self.hook)

    async def start(self) -> None:
        """Opens the files. A registry that is missing or bad is no error: it is looked for. Raises OSError."""
        self._outcome = Outcome.open(self._outcome_path, self.counters)
        await asyncio.to_thread(self.registry.refresh)
        self._watch = Watch(self.registry)

    async def stop(self) -> None:
        """Ends when every record is written."""
        if self._watch is not None:
            await asyncio.to_thread(self._watch.stop)
        if self._outcome is not None:
            await asyncio.to_thread(self._outcome.close)
        _LOG.info("stopped: %s", self.counters)

    def load(self, load: Load) -> UserChk:
        """The hook for one configuration of a server. Raises Refusal."""
        if self.registry.current is None or self._outcome is None:
            raise Refusal(self.registry.problem or f"registry {self.registry.path} is not read yet")
        prefixes = {number: str(subnet.prefix) for number, subnet in load.subnets.items()}
        try:
            settings = read_settings(load.parameters, prefixes)
        except SettingsError as error:
            raise Refusal(str(error)) from None
        _subscribe(load, settings)
        _LOG.info("settings of %s: %s", load.service_name, settings)
        return UserChk(self.registry, self._outcome, self.counters, settings)


def _subscribe(load: Load, settings: Settings) -> None:
    """Leaves out what the settings switch off."""
    if settings.restricted_subnet_id is None:
        load.leave_out(f"subnet{load.family}_select")
    send = f"pkt{load.family}_send"
    if not (settings.option_overrides or settings.outcome_records):
        load.leave_out(send)
    elif not settings.option_overrides:
        load.narrow(send, writes=[])
