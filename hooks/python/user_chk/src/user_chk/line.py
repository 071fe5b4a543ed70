"""One line of a registry file in Kea's form: a JSON object of strings."""

import json
import sys
from typing import NamedTuple

from .identifier import IdentifierError, IdentifierType, parse
from .overrides import TFTP_SERVER, OverridesError, tftp_addresses

#: Longest line, in bytes without white space at its ends. Kea cuts longer ones, and with them the file.
MAX_LINE = 4095

#: What counts as white space around an object.
_BLANK = b" \t\n\f\r"

#: Properties of the many users that have none: a million of them need no map each.
_NO_PROPERTIES: dict[str, str] = {}


class LineError(ValueError):
    """What is wrong with a line."""


class User(NamedTuple):
    """A registered user."""

    kind: IdentifierType
    identifier: bytes
    #: What else is known. Never changed, because users share it.
    properties: dict[str, str]


def parse_line(line: bytes) -> User | None:
    """The user of a line; None where it is blank or a comment (`#` or `//`). Raises LineError where it is neither."""
    if line.startswith(b"\xef\xbb\xbf"):
        raise LineError("starts with a byte-order mark; save the file without it")
    line = line.strip(_BLANK)
    if not line or line.startswith((b"#", b"//")):
        return None
    if len(line) > MAX_LINE:
        raise LineError(f"has {len(line)} bytes; {MAX_LINE} are possible")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise LineError("is not UTF-8") from None
    try:
        return _user(_entry(text))
    except (IdentifierError, OverridesError) as error:
        raise LineError(str(error)) from None


def _entry(text: str) -> dict[str, str]:
    """An object of strings; of a repeated key the last one counts."""
    try:
        pairs = _DECODER.decode(text)
        if not isinstance(pairs, tuple):
            raise ValueError('expected an object with "type" and "id"')
        entry = {}
        for key, value in pairs:
            if not isinstance(value, str):
                raise ValueError(f'the value of "{key}" is no string')
            # Half of a surrogate pair, which Python's parser lets through, is no text.
            if not (key.isascii() and value.isascii()):
                (key + value).encode()
            entry[sys.intern(key)] = value
        return entry
    except UnicodeEncodeError:
        raise LineError("is not a JSON object of strings: a surrogate stands alone") from None
    # A line may nest deeper than the parser goes.
    except (ValueError, RecursionError) as error:
        raise LineError(f"is not a JSON object of strings: {error}") from None


#: An object becomes a tuple of its pairs, which tells it from a list.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple)


def _user(entry: dict[str, str]) -> User:
    kind = IdentifierType.of_label(_required(entry, "type"))
    identifier = parse(kind, _required(entry, "id"))
    if "" in entry:
        raise LineError("a property has an empty name")
    if kind is IdentifierType.DUID and TFTP_SERVER in entry:
        tftp_addresses(entry[TFTP_SERVER])
    return User(kind, identifier, entry or _NO_PROPERTIES)


def _required(entry: dict[str, str], key: str) -> str:
    value = entry.pop(key, None)
    if value is None:
        raise LineError(f'has no "{key}"')
    return value
