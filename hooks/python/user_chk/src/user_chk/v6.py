"""The DHCPv6 hook points."""

import logging

from outrigger_hooks import Hook, NextStep
from outrigger_hooks.points import Pkt6Receive, Pkt6Send, Subnet6Select

from .callouts import UserChk, is_settled
from .client import Client, client6
from .granted import Malformed, granted, options6
from .identifier import IdentifierType
from .overrides import Overrides, OverridesError, packed_tftp_addresses

_LOG = logging.getLogger(__name__)

#: INFORMATION-REQUEST (RFC 9915 section 7.3).
_INFORMATION_REQUEST = 11

#: Options (RFC 9915 section 21).
_CLIENT_ID = 1
_IA_NA = 3
_VENDOR_OPTS = 17
_IA_PD = 25

#: Sub-options of option 17, enterprise 4491.
_TFTP_SERVERS = 32
_CONFIG_FILE = 33

#: Bytes of the enterprise number that option 17 starts with.
_ENTERPRISE = 4


def register(hook: Hook) -> None:
    """Option 1 is read everywhere, so that a lost or changed context is noticed and the client looked up again."""
    client_id = f"query.options.{_CLIENT_ID}"
    hook.pkt6_receive(reads=[client_id], writes=[])(receive)
    hook.subnet6_select(reads=[client_id, "subnet"], writes=["subnet"])(select)
    hook.pkt6_send(
        reads=[client_id, *(f"response.options.{code}" for code in (_IA_NA, _VENDOR_OPTS, _IA_PD))],
        writes=[f"response.options.{_VENDOR_OPTS}"],
    )(send)


def receive(call: Pkt6Receive) -> None:
    """Decides about the client."""
    if not is_settled(call):
        user_chk: UserChk = call.state
        user_chk.receive(call, _client(call))


def select(call: Subnet6Select) -> None:
    """Moves clients that are not registered."""
    if not is_settled(call):
        user_chk: UserChk = call.state
        subnet = user_chk.other_subnet(user_chk.verdict(call, _client(call)), call.subnet_id)
        if subnet is not None:
            call.select_subnet(subnet)


def send(call: Pkt6Send) -> None:
    """Records and overrides."""
    if call.status is NextStep.DROP:
        return
    options = call.response.options
    ia_na = options.raw(_IA_NA)
    found = granted(ia_na, options.raw(_IA_PD) if ia_na is None else None)
    # Kea: without an IA nothing is overridden, not even in the reply to INFORMATION-REQUEST, which never has one.
    if found is None and call.query.message_type != _INFORMATION_REQUEST:
        return
    user_chk: UserChk = call.state
    verdict = user_chk.verdict(call, _client(call))
    if found is not None:
        user_chk.record(verdict, found)
    # SKIP: a service before this one packed the response, so options are no longer looked at.
    if call.status is not NextStep.SKIP:
        _apply(user_chk, user_chk.overrides(verdict, IdentifierType.DUID), call)


def _client(call: Pkt6Receive | Subnet6Select | Pkt6Send) -> Client | None:
    return client6(call.query.duid)


def _apply(user_chk: UserChk, overrides: Overrides, call: Pkt6Send) -> None:
    """Changes sub-options of the first option 17, whatever its enterprise. Without one nothing happens."""
    bootfile, tftp_server = overrides
    if not (bootfile or tftp_server):
        return
    try:
        tftp_servers = packed_tftp_addresses(tftp_server)
    except OverridesError as error:
        # Only another version of this service can have let it through.
        call.warn(str(error))
        return
    if not (bootfile or tftp_servers):
        return
    vendor_options = call.response.options.raw(_VENDOR_OPTS)
    if vendor_options is None:
        _LOG.debug("%s: no option 17 to override anything in", call.packet_label)
        return
    if not _is_well_formed(vendor_options):
        call.warn("option 17 of the response is malformed and stays as it is")
        return
    user_chk.counters.overrides += 1
    # As they travel: the typed options are those of one enterprise, which does not matter here.
    edits = call.changes.response6.options
    if bootfile:
        edits.add(path=[_VENDOR_OPTS, _CONFIG_FILE], data=bootfile.encode())
    if tftp_servers:
        edits.add(path=[_VENDOR_OPTS, _TFTP_SERVERS], data=tftp_servers)


def _is_well_formed(vendor_options: bytes) -> bool:
    try:
        options6(vendor_options, _ENTERPRISE)
    except Malformed:
        return False
    return len(vendor_options) >= _ENTERPRISE
