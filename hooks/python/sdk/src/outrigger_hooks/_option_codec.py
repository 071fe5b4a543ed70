"""Definitions of options as codecs: what the bytes of an option mean, in Python's own types."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ._option_fields import FIELDS, INTERNAL, TUPLES, Field
from ._option_table import SPACES, Definition
from ._tlv import Form, write
from .errors import MalformedOption, OptionValueError, UnknownOption

#: RFC 8572 §8.1: the length of each URI takes two bytes in both families.
_SZTP_REDIRECT_4 = 143
#: Options that carry vendor's options behind an enterprise number (RFC 3925 §4, RFC 9915 §21.17).
VIVSO_4 = 125
VENDOR_OPTS_6 = 17
#: DHCPv6 options with options of the family's own space behind their fields (RFC 9915 §21).
_CARRIERS_6 = {4: 1, 3: 3, 25: 3, 5: 3, 26: 4}


class Codec:
    """One definition."""

    __slots__ = (
        "array",
        "code",
        "encapsulates",
        "family",
        "fields",
        "form",
        "is_carrier",
        "is_record",
        "is_text",
        "name",
        "space",
    )

    def __init__(self, family: int, space: str, definition: Definition) -> None:
        self.family = family
        #: Key of the space that it belongs to.
        self.space = space
        self.code = definition.code
        #: Empty where the code has no definition.
        self.name = definition.name
        self.array = definition.array
        #: One text and nothing else: the most frequent type.
        self.is_text = definition.type == "string" and not definition.array
        self.is_record = definition.type == "record"
        types = definition.record if self.is_record else (definition.type,)
        #: Of the fixed part of the value.
        self.fields: tuple[Field, ...] = tuple(self._field(kind) for kind in types)
        #: Key of the space of the sub-options; empty: depends on the enterprise, or there are none.
        self.encapsulates = f"{family}:{definition.encapsulates}" if definition.encapsulates else ""
        #: How sub-options follow each other.
        self.form = Form.V6 if family == 6 else Form.V4
        top = space.endswith((":dhcp4", ":dhcp6"))
        if family == 6 and top and self.code in _CARRIERS_6:
            self.encapsulates = "6:dhcp6"
        elif family == 4 and top and self.code == 43:
            self.form = Form.V4_WITH_END
        elif family == 4 and top and self.code == VIVSO_4:
            self.form = Form.ENTERPRISE_4
        #: Whether there may be sub-options.
        self.is_carrier = bool(self.encapsulates) or (top and (family, self.code) in ((4, VIVSO_4), (6, VENDOR_OPTS_6)))
        if self.is_carrier and definition.type == "empty":
            self.fields = ()

    def _field(self, kind: str) -> Field:
        if kind == "tuple":
            return TUPLES[1 if self.family == 4 and self.code != _SZTP_REDIRECT_4 else 2]
        if kind == "internal":
            return INTERNAL.get((self.family, self.code), FIELDS["binary"])
        return FIELDS[kind]

    def split(self, data: bytes) -> tuple[tuple[Any, ...], int]:
        """The fields, and where the sub-options start. Raises MalformedOption."""
        at = 0
        values = []
        try:
            for field in self.fields:
                value, at = field.read(data, at)
                values.append(value)
        except ValueError as error:
            raise self._malformed(data, error) from None
        return tuple(values), at

    def sub_space(self, fields: tuple[Any, ...]) -> str:
        """Key of the space of the sub-options."""
        return self.encapsulates or f"{self.family}:vendor-{fields[0]}"

    def decode(self, data: bytes) -> Any:
        """The value of an option without sub-options. Raises MalformedOption."""
        if self.is_text:
            text = data.decode("utf-8", "surrogateescape")
            # RFC 2132 §2: a receiver deletes trailing nulls.
            return text.rstrip("\0") if self.family == 4 and text[-1:] == "\0" else text
        try:
            return self._decode(data)
        except ValueError as error:
            raise self._malformed(data, error) from None

    def _decode(self, data: bytes) -> Any:
        if not self.is_record and not self.array:
            return self.fields[0].read(data, 0)[0]
        at = 0
        values = []
        if self.is_record:
            for field in self.fields:
                value, at = field.read(data, at)
                values.append(value)
        if self.array:
            last = self.fields[-1]
            while at < len(data):
                value, at = last.read(data, at)
                values.append(value)
        elif at < len(data):
            values.append(data[at:])
        return tuple(values) if self.is_record else values

    def encode(self, value: Any) -> bytes:
        """The bytes of a value. Raises OptionValueError."""
        if self.is_text and isinstance(value, str):
            return value.encode("utf-8", "surrogateescape")
        try:
            if self.is_carrier:
                return self._encode_carrier(value)
            return self._encode(value)
        except TypeError:
            raise OptionValueError(f"{self.title} is {self.wanted}, not {shown(value)}") from None
        except ValueError as error:
            raise OptionValueError(f"{self.title} cannot be {shown(value)}: {error}") from None

    def _encode(self, value: Any) -> bytes:
        fields = self.fields
        if not self.is_record and not self.array:
            return fields[0].write(value)
        if not isinstance(value, (tuple, list)):
            raise TypeError
        if self.is_record and len(value) < len(fields):
            raise ValueError(f"it has {len(value)} of {len(fields)} fields")
        if self.is_record and not self.array and len(value) > len(fields):
            # What follows the fields, as it was read.
            return b"".join(field.write(one) for field, one in zip(fields, value, strict=False)) + FIELDS[
                "binary"
            ].write(value[len(fields)])
        last = fields[-1]
        own = fields if self.is_record else ()
        return b"".join((own[index] if index < len(own) else last).write(one) for index, one in enumerate(value))

    def _encode_carrier(self, value: Any) -> bytes:
        """A mapping of the sub-options, behind the fields where there are any: (4491, {33: b"..."})."""
        payload = getattr(value, "payload", None)
        if isinstance(payload, bytes):
            return payload
        own: tuple[Any, ...] = ()
        if isinstance(value, Mapping):
            inner: Mapping[Any, Any] = value
        elif isinstance(value, tuple):
            inner = value[-1] if value and isinstance(value[-1], Mapping) else {}
            own = value[: len(value) - 1] if value and isinstance(value[-1], Mapping) else value
        elif isinstance(value, int) and len(self.fields) == 1:
            own, inner = (value,), {}
        else:
            raise TypeError
        if len(own) != len(self.fields):
            raise ValueError(f"it has {len(own)} of {len(self.fields)} fields")
        fixed = b"".join(field.write(one) for field, one in zip(self.fields, own, strict=True))
        sub_space = space(self.sub_space(own))
        inside = bytearray()
        form = Form.V4 if self.form is Form.ENTERPRISE_4 else self.form
        for key, one in inner.items():
            codec = sub_space.find(key)
            for instance in one if isinstance(one, Instances) else (one,):
                write(form, inside, codec.code, codec.encode(instance))
        if self.form is Form.ENTERPRISE_4:
            # RFC 3925 §4: the length of the enterprise's data.
            if len(inside) > 255:
                raise ValueError("the options of one enterprise have more than 255 bytes")
            bare = not inside and not (isinstance(value, tuple) and isinstance(value[-1], Mapping))
            return fixed if bare else fixed + bytes((len(inside),)) + bytes(inside)
        return fixed + bytes(inside)

    def text(self, value: Any) -> str:
        """A value of an option without sub-options in the form of Kea's configuration."""
        if not self.is_record and not self.array:
            return self.fields[0].text(value)
        texts = []
        for index, one in enumerate(value):
            if index < len(self.fields):
                texts.append(self.fields[index].text(one))
            else:
                texts.append(self.fields[-1].text(one) if self.array else one.hex())
        return ", ".join(text for text in texts if text)

    @property
    def title(self) -> str:
        """For texts: "option routers (3)"."""
        kind = "option" if self.space.endswith((":dhcp4", ":dhcp6")) else "sub-option"
        return f"{kind} {self.name} ({self.code})" if self.name else f"{kind} {self.code}"

    @property
    def wanted(self) -> str:
        """What Python value it takes."""
        names = ", ".join(field.wanted for field in self.fields)
        if self.is_carrier:
            behind = "a mapping of its sub-options"
            return f"a tuple ({names}, {behind})" if self.fields else behind
        if self.is_record:
            return f"a tuple ({names}{', ...' if self.array else ''})"
        return f"a list, each of it {names}" if self.array else names

    def _malformed(self, data: bytes, error: ValueError) -> MalformedOption:
        return MalformedOption(f"{self.title} is malformed: {error}; raw() has its {len(data)} bytes")


class Instances(list[Any]):
    """Several instances of one option, where a mapping of options is written down: `{"ia-na": Instances([a, b])}`."""


class Space:
    """The definitions of one space."""

    __slots__ = ("codecs", "family", "key")

    def __init__(self, key: str) -> None:
        self.key = key
        self.family = int(key[0])
        #: By name, and by code.
        self.codecs: dict[str | int, Codec] = {}
        for definition in SPACES.get(key, ()):
            codec = Codec(self.family, key, definition)
            self.codecs[codec.name] = codec
            self.codecs[codec.code] = codec

    def find(self, key: str | int) -> Codec:
        """By Kea's name or by code; a code without definition is bytes. Raises UnknownOption."""
        codec = self.codecs.get(key)
        if codec is not None:
            return codec
        top = self.key in ("4:dhcp4", "6:dhcp6")
        if isinstance(key, int) and not isinstance(key, bool):
            least = 1 if self.family == 4 and top else 0
            most = (254 if top else 255) if self.family == 4 else 0xFFFF
            if not least <= key <= most:
                raise UnknownOption(
                    f"the code of an option of DHCPv{self.family} is between {least} and {most}, not {key}"
                )
            return Codec(self.family, self.key, Definition(int(key), "", "binary", False, (), ""))
        if not isinstance(key, str):
            raise UnknownOption(f"an option is known by its name or its code, not by {shown(key)}")
        where = f"DHCPv{self.family}" if top else f"the space {self.key[2:]}"
        names = [name for name in self.codecs if isinstance(name, str)]
        close = difflib.get_close_matches(key, names, 3)
        hint = (
            f"; did you mean {' or '.join(close)}?" if close else "; options that only your server defines go by code"
        )
        raise UnknownOption(f'there is no option "{key}" in {where}{hint}')


@lru_cache(maxsize=256)
def space(key: str) -> Space:
    """The space of this key; one without definitions for a vendor that nobody knows."""
    return Space(key)


def shown(value: Any) -> str:
    """A value for an error text: its type, and not too much of it."""
    try:
        text = repr(value)
    except Exception:
        text = "..."
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
