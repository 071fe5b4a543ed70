"""Who is registered: a hardware address or a DUID."""

import enum
import string
from binascii import unhexlify


class IdentifierError(ValueError):
    """Text or bytes are no identifier; the text says why."""


class IdentifierType(enum.Enum):
    """What an identifier is; the value is what the registry and the outcome file call it."""

    #: The hardware address in the header of a DHCPv4 packet, whatever its hardware type.
    HW_ADDR = "HW_ADDR"
    #: Option 1 of a DHCPv6 message.
    DUID = "DUID"

    @classmethod
    def of_label(cls, label: str) -> "IdentifierType":
        """The type of a label, which is written exactly so. Raises IdentifierError."""
        try:
            return cls(label)
        except ValueError:
            raise IdentifierError(f'type "{label}" is neither "HW_ADDR" nor "DUID"') from None


#: Shortest and longest identifier, in bytes. Kea accepts ":" as a hardware address; no client can match it.
LENGTHS = {IdentifierType.HW_ADDR: (1, 20), IdentifierType.DUID: (3, 130)}

#: Passed over in the text of an identifier, wherever they are.
_SEPARATORS = str.maketrans("", "", ": \t\n\f\r")
_DIGITS = frozenset(string.hexdigits)


def parse(kind: IdentifierType, text: str) -> bytes:
    """The bytes of hexadecimal digits of either case; colons and white space do not matter.

    Raises IdentifierError: other characters, an odd number of digits, or a length out of range.
    """
    digits = text.translate(_SEPARATORS)
    try:
        identifier = unhexlify(digits)
    except ValueError:
        wrong = next((character for character in digits if character not in _DIGITS), None)
        if wrong is None:
            raise IdentifierError("id has an odd number of digits") from None
        raise IdentifierError(f'id has "{wrong}", which is no hexadecimal digit') from None
    check_length(kind, identifier)
    return identifier


def check_length(kind: IdentifierType, identifier: bytes) -> None:
    """Raises IdentifierError where no client can have such an identifier."""
    least, most = LENGTHS[kind]
    if not least <= len(identifier) <= most:
        raise IdentifierError(f"id has {len(identifier)} bytes; a {kind.value} has {least} to {most}")
