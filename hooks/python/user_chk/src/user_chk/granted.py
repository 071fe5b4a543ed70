"""What a DHCPv6 response grants, read from the bytes of its IAs (RFC 9915 sections 21.4 to 21.6, 21.21, 21.22)."""

from struct import Struct

from .outcome import Prefix

_IA_ADDR = 5
_STATUS_CODE = 13
_IA_PREFIX = 26

#: Before the options of an IA_NA or IA_PD: IAID, T1, T2.
_IA_HEADER = 12
_OPTION = Struct("!HH")
#: Address, preferred and valid lifetime.
_ADDRESS = Struct("!16sII")
#: Preferred and valid lifetime, length, address.
_PREFIX = Struct("!IIB16s")


class Malformed(ValueError):
    """Bytes that have not the form of what they should be."""


def options6(payload: bytes, start: int = 0) -> list[tuple[int, bytes]]:
    """Codes and payloads of options of DHCPv6 form that fill `payload` from `start` on. Raises Malformed."""
    options = []
    end = len(payload)
    while start < end:
        if end - start < 4:
            raise Malformed("an option ends in its header")
        code, length = _OPTION.unpack_from(payload, start)
        start += 4 + length
        if start > end:
            raise Malformed(f"option {code} runs past the end")
        options.append((code, payload[start - length : start]))
    return options


def granted(ia_na: bytes | None, ia_pd: bytes | None) -> bytes | Prefix | None:
    """What the first IA_NA grants, or, without an IA_NA, the first IA_PD: its first address or prefix that lives.

    Nothing where the IA has a status other than success, or is malformed.
    """
    try:
        if ia_na is not None:
            return _address(ia_na)
        return None if ia_pd is None else _prefix(ia_pd)
    except Malformed:
        return None


def _address(ia: bytes) -> bytes | None:
    granted = None
    for payload in _living(ia, _IA_ADDR):
        if len(payload) < _ADDRESS.size:
            raise Malformed("an address is too short")
        address, _, valid = _ADDRESS.unpack_from(payload)
        options6(payload, _ADDRESS.size)
        # A reply that retires an address has it with lifetime 0, RFC 9915 section 18.3.4.
        if valid > 0 and granted is None:
            granted = address
    return granted


def _prefix(ia: bytes) -> Prefix | None:
    granted = None
    for payload in _living(ia, _IA_PREFIX):
        if len(payload) < _PREFIX.size:
            raise Malformed("a prefix is too short")
        _, valid, length, address = _PREFIX.unpack_from(payload)
        if length > 128:
            raise Malformed("a prefix is longer than an address")
        options6(payload, _PREFIX.size)
        if valid > 0 and granted is None:
            host_bits = 128 - length
            network = int.from_bytes(address, "big") >> host_bits << host_bits
            granted = Prefix(network.to_bytes(16, "big"), length)
    return granted


def _living(ia: bytes, code: int) -> list[bytes]:
    """The options `code` of an IA; none where the IA failed."""
    if len(ia) < _IA_HEADER:
        raise Malformed("an IA is too short")
    options = options6(ia, _IA_HEADER)
    if any(found == _STATUS_CODE and status[:2] != b"\0\0" for found, status in options):
        # Whatever else is in it does not count then.
        return []
    return [payload for found, payload in options if found == code]
