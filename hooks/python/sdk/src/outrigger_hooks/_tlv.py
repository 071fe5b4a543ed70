"""Options inside options: how records of code, length and payload follow each other."""

from __future__ import annotations

import enum
import struct

_HEADER_6 = struct.Struct("!HH")


class Form(enum.Enum):
    """The forms in which records are written."""

    #: One byte each for code and length: option 82 (RFC 3046 §2.0), vendors' options.
    V4 = 1
    #: The same, but 0 is a pad and 255 ends the list: option 43 (RFC 2132 §8.4).
    V4_WITH_END = 2
    #: Two bytes each (RFC 9915 §21.1).
    V6 = 3
    #: Four bytes of enterprise, one of length: options 124 and 125 (RFC 3925).
    ENTERPRISE_4 = 4


def read(form: Form, data: bytes) -> list[tuple[int, bytes]]:
    """The records. Raises ValueError where one runs past the end."""
    records = []
    at, end = 0, len(data)
    while at < end:
        if form is Form.V6:
            start = at + 4
            code, length = _HEADER_6.unpack_from(data, at) if start <= end else (0, end)
        elif form is Form.ENTERPRISE_4:
            start = at + 5
            code, length = (int.from_bytes(data[at : at + 4], "big"), data[at + 4]) if start <= end else (0, end)
        else:
            code = data[at]
            if form is Form.V4_WITH_END:
                if code == 0:
                    at += 1
                    continue
                if code == 255:
                    break
            start = at + 2
            length = data[at + 1] if start <= end else end
        if start + length > end:
            raise ValueError(f"the sub-option at byte {at} runs past the end")
        records.append((code, data[start : start + length]))
        at = start + length
    return records


def write(form: Form, out: bytearray, code: int, payload: bytes) -> None:
    """Appends one record. Raises ValueError where the payload is too long."""
    length = len(payload)
    if length > (0xFFFF if form is Form.V6 else 0xFF):
        raise ValueError(f"option {code} has {length} bytes, more than fit")
    if form is Form.V6:
        out += _HEADER_6.pack(code, length)
    elif form is Form.ENTERPRISE_4:
        out += code.to_bytes(4, "big")
        out.append(length)
    else:
        out.append(code)
        out.append(length)
    out += payload
