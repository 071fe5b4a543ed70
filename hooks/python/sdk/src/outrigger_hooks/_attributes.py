"""Attributes of messages: read from what the server sent, or from what was changed already; written to the changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

T = TypeVar("T")
#: What may be assigned: T, and what can be taken for it.
A = TypeVar("A")


class Attribute(Generic[T]):
    """A field that is read."""

    def __init__(self, read: Callable[[Any], T], doc: str) -> None:
        self.read = read
        self.name = ""
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = sys.intern(name)

    @overload
    def __get__(self, of: None, owner: type) -> Attribute[T]: ...

    @overload
    def __get__(self, of: Any, owner: type) -> T: ...

    def __get__(self, of: Any, owner: type) -> Any:
        if of is None:
            return self
        return self.read(getattr(of._current(self.name), self.name))

    if not TYPE_CHECKING:

        def __set__(self, of: Any, value: Any) -> None:
            of._refuse(self.name)


class EditableAttribute(Attribute[T], Generic[T, A]):
    """A field that can be changed."""

    def __init__(self, read: Callable[[Any], T], write: Callable[[str, Any], Any], row: str, doc: str) -> None:
        super().__init__(read, doc)
        self.write = write
        #: Below the name of the packet, or of the lease, in the table of hook points.
        self.row = row

    def __set__(self, of: Any, value: A) -> None:
        changes = of._changed(self.row)
        setattr(changes, self.name, self.write(self.name, value))


def same(value: T) -> T:
    """As it travels."""
    return value


def address4(raw: bytes) -> IPv4Address:
    """Empty is 0.0.0.0."""
    return IPv4Address(raw or b"\0\0\0\0")


def integer(most: int) -> Callable[[str, Any], int]:
    """Writes a number from 0 to `most`."""

    def write(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is an int, not {type(value).__name__}")
        if not 0 <= value <= most:
            raise ValueError(f"{name} is between 0 and {most}, not {value}")
        return int(value)

    return write


def flag(name: str, value: Any) -> bool:
    """Writes a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is a bool, not {type(value).__name__}")
    return value


def text(name: str, value: Any) -> str:
    """Writes a str."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is a str, not {type(value).__name__}")
    return value


def packed4(name: str, value: Any) -> bytes:
    """Writes an IPv4 address."""
    return _packed(name, value, IPv4Address)


def packed6(name: str, value: Any) -> bytes:
    """Writes an IPv6 address."""
    return _packed(name, value, IPv6Address)


def _packed(name: str, value: Any, kind: type[IPv4Address] | type[IPv6Address]) -> bytes:
    if isinstance(value, str):
        value = kind(value)
    if not isinstance(value, kind):
        raise TypeError(f"{name} is an {kind.__name__}, not {type(value).__name__}")
    return value.packed


def raw(most: int) -> Callable[[str, Any], bytes]:
    """Writes at most so many bytes; a str is UTF-8."""

    def write(name: str, value: Any) -> bytes:
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"{name} is bytes or a str, not {type(value).__name__}")
        if len(value) > most:
            raise ValueError(f"{name} has at most {most} bytes, not {len(value)}")
        return bytes(value)

    return write
