"""The hook itself: what is decided at each hook point.

Received: who is it, and is it registered? The verdict travels with the packet. Subnet: clients that are not registered
go to the restricted one. Sent: record what is granted, override boot file and TFTP server.
"""

import logging

from outrigger_hooks import Call, NextStep

from .client import Client
from .counters import Counters
from .identifier import IdentifierType
from .outcome import Outcome, Prefix, Record
from .overrides import NONE, Overrides
from .registry import Registry
from .settings import Settings
from .users import DEFAULT_USER
from .verdict import Verdict, encode, recall

_LOG = logging.getLogger(__name__)


class UserChk:
    """The hook, for one configuration of one server."""

    __slots__ = ("counters", "outcome", "registry", "settings")

    def __init__(self, registry: Registry, outcome: Outcome, counters: Counters, settings: Settings) -> None:
        #: Who is registered.
        self.registry = registry
        #: Where responses are recorded.
        self.outcome = outcome
        #: What is counted.
        self.counters = counters
        #: What the site wants.
        self.settings = settings

    def receive(self, call: Call, client: Client | None) -> None:
        """Decides about the client of a packet and keeps the verdict."""
        call.context_bytes = encode(self._decide(client, call))

    def verdict(self, call: Call, client: Client | None) -> Verdict:
        """What was decided when the packet was received, or else is decided now.

        The call then may have failed, or somebody changed the context.
        """
        context = call.context_bytes
        if context:
            kept = recall(context, client)
            if kept is not None:
                return kept
            self.counters.bad_contexts += 1
            _LOG.warning(
                "%s: the context is not what this service kept; deciding anew (bad_contexts=%d)",
                call.packet_label,
                self.counters.bad_contexts,
            )
        return self._decide(client, call)

    def _decide(self, client: Client | None, call: Call) -> Verdict:
        """Looks a client up. One without an identifier is not registered: the gate fails closed."""
        counters = self.counters
        registered = None
        if client is None:
            counters.without_identifier += 1
        else:
            version = self.registry.current
            if version is not None:
                users = version.users
                found = users.hw_addrs if client.kind is IdentifierType.HW_ADDR else users.duids
                properties = found.get(client.identifier)
                if properties is not None:
                    registered = Overrides.of(properties)
        if registered is None:
            counters.unregistered += 1
        else:
            counters.registered += 1
        if _LOG.isEnabledFor(logging.DEBUG):
            who = "no usable identifier" if client is None else str(client)
            _LOG.debug("%s: %s: %sregistered", call.packet_label, who, "" if registered is not None else "not ")
        return Verdict(client, registered)

    def other_subnet(self, verdict: Verdict, selected: int | None) -> int | None:
        """The subnet that the client has to be in, where it is not the one that the server selected (None: none)."""
        restricted = self.settings.restricted_subnet_id
        return restricted if verdict.registered is None and selected != restricted else None

    def overrides(self, verdict: Verdict, kind: IdentifierType) -> Overrides:
        """What is to be overridden: for clients that are not registered, what the default user has."""
        if not self.settings.option_overrides:
            return NONE
        if verdict.registered is not None:
            return verdict.registered
        version = self.registry.current
        default_user = None if version is None else version.users.of_kind(kind).get(DEFAULT_USER)
        return NONE if default_user is None else Overrides.of(default_user)

    def record(self, verdict: Verdict, granted: bytes | Prefix) -> None:
        """Records a response. One to a client without identifier has nobody to be recorded for."""
        if self.settings.outcome_records and verdict.client is not None:
            self.outcome.record(Record(verdict.client, granted, verdict.registered is not None))


def is_settled(call: Call) -> bool:
    """Whether a service before this one ended the matter."""
    status = call.status
    return status is NextStep.SKIP or status is NextStep.DROP
