"""Hook points of the protocol outrigger.hooks.v1: numbers, arguments, changes, next steps.

Made from the table of hook points; `make gen` writes it anew.
"""

import enum
from typing import Final, Mapping, NamedTuple, Optional, Tuple

#: Version of the protocol.
PROTOCOL_VERSION: Final = 1
#: Largest context that a service may keep per packet, in bytes.
MAX_CONTEXT: Final = 4096
#: Largest reply to one call without the answer to a control command in it, in bytes.
MAX_REPLY: Final = 524288
#: Largest message, in bytes.
MAX_MESSAGE: Final = 4194304


class NextStep(enum.IntEnum):
    """What follows a hook point."""

    CONTINUE = 0
    SKIP = 1
    DROP = 2
    PARK = 3


class HookPoint(enum.IntEnum):
    """A named place in the server where callouts run."""

    BUFFER4_RECEIVE = 1
    PKT4_RECEIVE = 2
    SUBNET4_SELECT = 3
    HOST4_IDENTIFIER = 4
    DDNS4_UPDATE = 5
    LEASE4_SELECT = 6
    LEASE4_RENEW = 7
    LEASE4_RELEASE = 8
    LEASE4_DECLINE = 9
    LEASE4_OFFER = 10
    LEASE4_SERVER_DECLINE = 11
    LEASES4_COMMITTED = 12
    PKT4_SEND = 13
    BUFFER4_SEND = 14
    LEASE4_EXPIRE = 15
    LEASE4_RECOVER = 16
    DHCP4_SRV_CONFIGURED = 17
    CB4_UPDATED = 18
    BUFFER6_RECEIVE = 33
    PKT6_RECEIVE = 34
    SUBNET6_SELECT = 35
    HOST6_IDENTIFIER = 36
    DDNS6_UPDATE = 37
    LEASE6_SELECT = 38
    LEASE6_RENEW = 39
    LEASE6_REBIND = 40
    LEASE6_RELEASE = 41
    LEASE6_DECLINE = 42
    ADDR6_REGISTER = 43
    LEASES6_COMMITTED = 44
    PKT6_SEND = 45
    BUFFER6_SEND = 46
    LEASE6_EXPIRE = 47
    LEASE6_RECOVER = 48
    DHCP6_SRV_CONFIGURED = 49
    CB6_UPDATED = 50
    COMMAND_PROCESSED = 64
    COMMAND = 65


class Spec(NamedTuple):
    """What is known of a hook point."""

    #: As in Kea, in the configuration, and in metrics and logs of the server.
    name: str
    #: 4 or 6; None: both families have it.
    family: Optional[int]
    #: What a service may ask for: paths.
    reads: Tuple[str, ...]
    #: What a reply may change: paths.
    changes: Tuple[str, ...]
    #: Next steps with an effect, with that effect. Any other counts as CONTINUE.
    next_steps: Mapping[NextStep, str]
    #: Whether PARK holds the packet until a final reply comes.
    can_park: bool
    #: What a failed call does where nothing is configured: "continue" or "drop".
    on_failure: str
    #: Whether `on-failure: drop` has an effect.
    can_drop: bool


SPECS: Final[Mapping[HookPoint, Spec]] = {
    HookPoint.BUFFER4_RECEIVE: Spec(
        name="buffer4_receive",
        family=4,
        reads=("query.wire", "query.link"),
        changes=("query.wire", "query.parsed", "query.classes"),
        next_steps={
            NextStep.SKIP: "the server does not parse: the reply brings the parsed packet, without which it is dropped",
            NextStep.DROP: "the packet is dropped",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.PKT4_RECEIVE: Spec(
        name="pkt4_receive",
        family=4,
        reads=("query",),
        changes=("query.options", "query.header", "query.hw-address", "query.classes"),
        next_steps={
            NextStep.SKIP: "the packet is dropped",
            NextStep.DROP: "the packet is dropped",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.SUBNET4_SELECT: Spec(
        name="subnet4_select",
        family=4,
        reads=("query", "subnet", "subnets"),
        changes=("subnet", "query.classes"),
        next_steps={
            NextStep.SKIP: "the client has no subnet",
            NextStep.DROP: "the packet is dropped",
            NextStep.PARK: "the packet is held; its subnet is taken from the final reply",
        },
        can_park=True,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.HOST4_IDENTIFIER: Spec(
        name="host4_identifier",
        family=4,
        reads=("query", "identifier-type"),
        changes=("identifier", "query.classes"),
        next_steps={
            NextStep.SKIP: "the identifier is not used",
            NextStep.DROP: "the identifier is not used",
            NextStep.PARK: "the identifier is not used",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.DDNS4_UPDATE: Spec(
        name="ddns4_update",
        family=4,
        reads=("query", "response", "subnet", "names", "ddns-parameters"),
        changes=("names", "response.options", "response.header", "query.classes"),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_SELECT: Spec(
        name="lease4_select",
        family=4,
        reads=("query", "subnet", "fake-allocation", "offer-lifetime", "lease"),
        changes=("lease.address", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"),
        next_steps={
            NextStep.SKIP: "the candidate is given up; the next one is tried",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_RENEW: Spec(
        name="lease4_renew",
        family=4,
        reads=("query", "subnet", "lease"),
        changes=("lease.lifetimes", "lease.names", "lease.user-context", "query.classes"),
        next_steps={
            NextStep.SKIP: "the lease is not extended; the reply tells what is left of it",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_RELEASE: Spec(
        name="lease4_release",
        family=4,
        reads=("query", "lease"),
        changes=("query.classes",),
        next_steps={
            NextStep.SKIP: "the lease stays",
            NextStep.DROP: "the lease stays",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_DECLINE: Spec(
        name="lease4_decline",
        family=4,
        reads=("query", "lease"),
        changes=("query.classes",),
        next_steps={
            NextStep.SKIP: "the lease stays as it is",
            NextStep.DROP: "the lease stays as it is",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_OFFER: Spec(
        name="lease4_offer",
        family=4,
        reads=("query", "response", "leases", "offer-lifetime", "old-lease", "host"),
        changes=("response.options", "response.header", "response.link", "query.classes", "offer-address-in-use"),
        next_steps={
            NextStep.DROP: "the offer is not sent",
            NextStep.PARK: "the offer is held; the final reply may report the address in use",
        },
        can_park=True,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_SERVER_DECLINE: Spec(
        name="lease4_server_decline",
        family=4,
        reads=("query", "lease"),
        changes=(),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.LEASES4_COMMITTED: Spec(
        name="leases4_committed",
        family=4,
        reads=("query", "response", "leases", "deleted-leases"),
        changes=("response.options", "response.header", "response.link", "query.classes"),
        next_steps={
            NextStep.DROP: "the reply is not sent; the leases stay changed",
            NextStep.PARK: "the reply is held",
        },
        can_park=True,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.PKT4_SEND: Spec(
        name="pkt4_send",
        family=4,
        reads=("query", "response", "subnet"),
        changes=("response.options", "response.header", "response.link", "response.wire", "query.classes"),
        next_steps={
            NextStep.SKIP: "the server does not pack the reply; the changed bytes are sent",
            NextStep.DROP: "the reply is not sent",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.BUFFER4_SEND: Spec(
        name="buffer4_send",
        family=4,
        reads=("response.wire", "response.link"),
        changes=("response.link", "response.wire"),
        next_steps={
            NextStep.SKIP: "the reply is not sent",
            NextStep.DROP: "the reply is not sent",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE4_EXPIRE: Spec(
        name="lease4_expire",
        family=4,
        reads=("lease", "remove-lease"),
        changes=("lease.names", "lease.user-context"),
        next_steps={
            NextStep.SKIP: "the server does not reclaim it now and presents it again",
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.LEASE4_RECOVER: Spec(
        name="lease4_recover",
        family=4,
        reads=("lease",),
        changes=(),
        next_steps={
            NextStep.SKIP: "the lease stays declined",
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.DHCP4_SRV_CONFIGURED: Spec(
        name="dhcp4_srv_configured",
        family=4,
        reads=("configuration",),
        changes=("error",),
        next_steps={
            NextStep.DROP: "the configuration is refused with the error; the one before stays, at the start the server ends",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.CB4_UPDATED: Spec(
        name="cb4_updated",
        family=4,
        reads=("audit-entries",),
        changes=(),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.BUFFER6_RECEIVE: Spec(
        name="buffer6_receive",
        family=6,
        reads=("query.wire", "query.link"),
        changes=("query.wire", "query.parsed", "query.classes"),
        next_steps={
            NextStep.SKIP: "the server does not parse: the reply brings the parsed packet, without which it is dropped",
            NextStep.DROP: "the packet is dropped",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.PKT6_RECEIVE: Spec(
        name="pkt6_receive",
        family=6,
        reads=("query",),
        changes=("query.options", "query.header", "query.relays", "query.classes"),
        next_steps={
            NextStep.SKIP: "the packet is dropped",
            NextStep.DROP: "the packet is dropped",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.SUBNET6_SELECT: Spec(
        name="subnet6_select",
        family=6,
        reads=("query", "subnet", "subnets"),
        changes=("subnet", "query.classes"),
        next_steps={
            NextStep.SKIP: "the client has no subnet",
            NextStep.DROP: "the packet is dropped",
            NextStep.PARK: "the packet is held; its subnet is taken from the final reply",
        },
        can_park=True,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.HOST6_IDENTIFIER: Spec(
        name="host6_identifier",
        family=6,
        reads=("query", "identifier-type"),
        changes=("identifier", "query.classes"),
        next_steps={
            NextStep.SKIP: "the identifier is not used",
            NextStep.DROP: "the identifier is not used",
            NextStep.PARK: "the identifier is not used",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.DDNS6_UPDATE: Spec(
        name="ddns6_update",
        family=6,
        reads=("query", "response", "subnet", "names", "ddns-parameters"),
        changes=("names", "response.options", "response.relays", "query.classes"),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE6_SELECT: Spec(
        name="lease6_select",
        family=6,
        reads=("query", "subnet", "fake-allocation", "lease"),
        changes=("lease.address", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"),
        next_steps={
            NextStep.SKIP: "the candidate is given up; the next one is tried",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE6_RENEW: Spec(
        name="lease6_renew",
        family=6,
        reads=("query", "lease"),
        changes=("lease.lifetimes", "lease.names", "lease.user-context", "ia.options", "query.classes"),
        next_steps={
            NextStep.SKIP: "the lease is not extended; the reply tells what is left of it",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE6_REBIND: Spec(
        name="lease6_rebind",
        family=6,
        reads=("query", "lease"),
        changes=("lease.lifetimes", "lease.names", "lease.user-context", "ia.options", "query.classes"),
        next_steps={
            NextStep.SKIP: "the lease is not extended; the reply tells what is left of it",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE6_RELEASE: Spec(
        name="lease6_release",
        family=6,
        reads=("query", "lease"),
        changes=("query.classes",),
        next_steps={
            NextStep.SKIP: "the lease stays; the client is told UnspecFail",
            NextStep.DROP: "the lease stays; the client is told UnspecFail",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE6_DECLINE: Spec(
        name="lease6_decline",
        family=6,
        reads=("query", "lease"),
        changes=("query.classes",),
        next_steps={
            NextStep.SKIP: "the lease stays as it is; the IA has no status",
            NextStep.DROP: "no reply; addresses declined before in this message stay declined",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.ADDR6_REGISTER: Spec(
        name="addr6_register",
        family=6,
        reads=("query", "response", "address", "old-lease", "new-lease"),
        changes=("response.options", "response.relays", "response.link", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"),
        next_steps={
            NextStep.SKIP: "nothing is registered; the reply is sent",
            NextStep.DROP: "nothing is registered and no reply is sent",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASES6_COMMITTED: Spec(
        name="leases6_committed",
        family=6,
        reads=("query", "response", "leases", "deleted-leases"),
        changes=("response.options", "response.relays", "response.link", "query.classes"),
        next_steps={
            NextStep.DROP: "the reply is not sent; the leases stay changed",
            NextStep.PARK: "the reply is held",
        },
        can_park=True,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.PKT6_SEND: Spec(
        name="pkt6_send",
        family=6,
        reads=("query", "response", "subnet"),
        changes=("response.options", "response.relays", "response.link", "response.wire", "query.classes"),
        next_steps={
            NextStep.SKIP: "the server does not pack the reply; the changed bytes are sent",
            NextStep.DROP: "the reply is not sent",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.BUFFER6_SEND: Spec(
        name="buffer6_send",
        family=6,
        reads=("response.wire", "response.link"),
        changes=("response.link", "response.wire"),
        next_steps={
            NextStep.SKIP: "the reply is not sent",
            NextStep.DROP: "the reply is not sent",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.LEASE6_EXPIRE: Spec(
        name="lease6_expire",
        family=6,
        reads=("lease", "remove-lease"),
        changes=("lease.names", "lease.user-context"),
        next_steps={
            NextStep.SKIP: "the server does not reclaim it now and presents it again",
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.LEASE6_RECOVER: Spec(
        name="lease6_recover",
        family=6,
        reads=("lease",),
        changes=(),
        next_steps={
            NextStep.SKIP: "the lease stays declined",
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.DHCP6_SRV_CONFIGURED: Spec(
        name="dhcp6_srv_configured",
        family=6,
        reads=("configuration",),
        changes=("error",),
        next_steps={
            NextStep.DROP: "the configuration is refused with the error; the one before stays, at the start the server ends",
        },
        can_park=False,
        on_failure="continue",
        can_drop=True,
    ),
    HookPoint.CB6_UPDATED: Spec(
        name="cb6_updated",
        family=6,
        reads=("audit-entries",),
        changes=(),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.COMMAND_PROCESSED: Spec(
        name="command_processed",
        family=None,
        reads=("name", "arguments", "response"),
        changes=("command-response",),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
    HookPoint.COMMAND: Spec(
        name="$command",
        family=None,
        reads=("command", "response"),
        changes=("command-response",),
        next_steps={
        },
        can_park=False,
        on_failure="continue",
        can_drop=False,
    ),
}
