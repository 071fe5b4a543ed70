"""The DHCPv4 hook points."""

from outrigger_hooks import Hook, HookError, NextStep
from outrigger_hooks.packet4 import AddressedResponse4
from outrigger_hooks.points import Pkt4Receive, Pkt4Send, Subnet4Select

from .callouts import UserChk, is_settled
from .client import Client, client4
from .identifier import IdentifierType
from .overrides import Overrides

#: DHCPNAK, of option 53 (RFC 2132 section 9.6).
_NAK = 6

#: Options (RFC 2132 sections 9.4 and 9.5).
_TFTP_SERVER_NAME = 66
_BOOTFILE_NAME = 67

#: Bytes of the header's file field (RFC 2131 section 2).
_FILE_FIELD = 128


def register(hook: Hook) -> None:
    """The hardware address is in the header, which is always there; no option is read."""
    hook.pkt4_receive(reads=["query.header"], writes=[])(receive)
    hook.subnet4_select(reads=["subnet"], writes=["subnet"])(select)
    hook.pkt4_send(
        reads=["response.header"],
        writes=[f"response.options.{_TFTP_SERVER_NAME}", f"response.options.{_BOOTFILE_NAME}", "response.header"],
    )(send)


def receive(call: Pkt4Receive) -> None:
    """Decides about the client."""
    if not is_settled(call):
        user_chk: UserChk = call.state
        user_chk.receive(call, _client(call))


def select(call: Subnet4Select) -> None:
    """Moves clients that are not registered."""
    if not is_settled(call):
        user_chk: UserChk = call.state
        subnet = user_chk.other_subnet(user_chk.verdict(call, _client(call)), call.subnet_id)
        if subnet is not None:
            call.select_subnet(subnet)


def send(call: Pkt4Send) -> None:
    """Records and overrides."""
    response = call.response
    if call.status is NextStep.DROP or response.message_type == _NAK:
        return
    user_chk: UserChk = call.state
    verdict = user_chk.verdict(call, _client(call))
    user_chk.record(verdict, _yiaddr(response))
    # SKIP: a service before this one packed the response, so options are no longer looked at.
    if call.status is not NextStep.SKIP:
        _apply(user_chk, user_chk.overrides(verdict, IdentifierType.HW_ADDR), call)


def _client(call: Pkt4Receive | Subnet4Select | Pkt4Send) -> Client | None:
    hw_address = call.query.hw_address
    return client4(hw_address.htype, hw_address.address)


def _yiaddr(response: AddressedResponse4) -> bytes:
    try:
        return response.yiaddr.packed
    except ValueError:
        raise HookError("yiaddr has not 4 bytes") from None


def _apply(user_chk: UserChk, overrides: Overrides, call: Pkt4Send) -> None:
    bootfile, tftp_server = overrides
    if not (bootfile or tftp_server):
        return
    user_chk.counters.overrides += 1
    response = call.response
    if bootfile:
        data = bootfile.encode()
        response.options.set_raw(_BOOTFILE_NAME, data)
        if len(data) <= _FILE_FIELD:
            response.file = data
        else:
            call.warn(
                f"the boot file has {len(data)} bytes; the file field holds {_FILE_FIELD} and stays as it is, "
                f"option {_BOOTFILE_NAME} has all of it"
            )
    if tftp_server:
        response.options.set_raw(_TFTP_SERVER_NAME, tftp_server.encode())
