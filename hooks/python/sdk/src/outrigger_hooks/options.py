"""Options of a packet, by Kea's name or by code, with values of Python's own types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._edits import ADD, REMOVE, SET, Edits
from ._option_codec import VENDOR_OPTS_6, VIVSO_4, Codec, Instances, Space, space
from ._tlv import Form, read, write
from .errors import MalformedOption, NotChangeable, NotRead, OptionValueError

#: What the server enters to edit inside: codes of the way there, of each family (the last of a way for DHCPv6 IAs).
_ENTERED_4 = frozenset({43, VIVSO_4, 82})
_ENTERED_6 = frozenset({3, 25, 4, 5, 26, 45, 56, 66, 94, 95, 96})

Item = tuple[int, bytes]


#: Lookups before the options are listed: most callouts look for one or two, and do not need the others.
_LOOKS = 2

#: Shared, and never changed.
_NONE: list[tuple[Any, int, bytes]] = []

#: No value of an option.
_ABSENT: Any = object()


class Options(Mapping["str | int", Any]):
    """Options by Kea's name or by code: `options["routers"]`, `options.get(66, "")`.

    Values are what the definition says: int, bool, str, bytes, IPv4Address, IPv6Address, IPv6Network, a list for
    arrays, a tuple for records, True for options without a value, Options for those that carry options. An option
    without a definition is bytes. Bytes that are not what the definition says raise MalformedOption; `raw()` has them
    in any case. A name that nobody knows raises UnknownOption.
    """

    __slots__ = ("_edits", "_items", "_looks", "_maker", "_reads", "_source", "_space", "_waiting")

    _space: Space
    _source: Iterable[Any]
    #: Code and payload of each option; None: not looked at yet.
    _items: list[Item] | None
    #: Of what Edits are made; None: there can be none.
    _maker: tuple[Any, ...] | None
    _edits: Edits | None
    #: Codes that the server sends at most; None: all.
    _reads: frozenset[int] | None

    def __init__(
        self, of: Space, source: Iterable[Any], edits: tuple[Any, ...] | None, reads: frozenset[int] | None
    ) -> None:
        """Of a packet or a relay. `edits`: of what Edits are made; `reads`: what the server sends, None: all."""
        self._space = of
        self._source = source
        self._items = None
        #: Lookups so far, up to _LOOKS.
        self._looks = 0
        #: Changes that were made before anybody read the options.
        self._waiting: list[tuple[Any, int, bytes]] = _NONE
        self._maker = edits
        self._edits = None
        self._reads = reads

    @property
    def fields(self) -> tuple[Any, ...]:
        """What stands before the options in the option that carries them: (4491,) in DHCPv6's vendor-opts."""
        return ()

    @property
    def payload(self) -> bytes:
        """All of it as bytes; of a packet's options too, without their end."""
        out = bytearray()
        for code, data in self._list():
            write(Form.V6 if self._space.family == 6 else Form.V4, out, code, data)
        return bytes(out)

    def __getitem__(self, key: str | int) -> Any:
        value = self.get(key, _ABSENT)
        if value is _ABSENT:
            raise KeyError(key)
        return value

    def get(self, key: str | int, default: Any = None) -> Any:
        """The value of the first instance; `default` where there is none."""
        codec = self._space.codecs.get(key) or self._space.find(key)
        if codec.is_carrier:
            for at, (known, _) in enumerate(self._list()):
                if known == codec.code:
                    return _Carried(self, codec, at)
        else:
            data = self._first(codec.code)
            if data is not None:
                return codec.decode(data)
        self._miss(codec.code)
        return default

    def all(self, key: str | int) -> list[Any]:
        """The values of every instance, in order."""
        codec = self._space.find(key)
        found = [
            _Carried(self, codec, at) if codec.is_carrier else codec.decode(data)
            for at, (known, data) in enumerate(self._list())
            if known == codec.code
        ]
        if not found:
            self._miss(codec.code)
        return found

    def raw(self, key: str | int) -> bytes | None:
        """The bytes of the first instance, without code and length; None where there is none."""
        code = self._space.find(key).code
        data = self._first(code)
        if data is None:
            self._miss(code)
        return data

    def raw_all(self, key: str | int) -> list[bytes]:
        """The bytes of every instance, in order."""
        code = self._space.find(key).code
        found = [data for known, data in self._list() if known == code]
        if not found:
            self._miss(code)
        return found

    def codes(self) -> list[int]:
        """The codes in order, once for each instance."""
        return [code for code, _ in self._list()]

    def __contains__(self, key: object) -> bool:
        codec = self._space.codecs.get(key) or self._space.find(key)  # type: ignore[call-overload,arg-type]
        if self._first(codec.code) is not None:
            return True
        self._miss(codec.code)
        return False

    def __iter__(self) -> Iterator[str | int]:
        for code in dict.fromkeys(code for code, _ in self._list()):
            codec = self._space.codecs.get(code)
            yield code if codec is None else codec.name

    def __len__(self) -> int:
        return len({code for code, _ in self._list()})

    def __repr__(self) -> str:
        try:
            known = ", ".join(str(key) for key in self)
        except MalformedOption:
            known = "malformed"
        return f"<Options: {known}>"

    def _list(self) -> list[Item]:
        items = self._items
        if items is None:
            items = [(option.code, option.data) for option in self._source]
            for action, code, data in self._waiting:
                items = _edited(items, action, code, data)
            self._waiting = _NONE
            self._items = items
        return items

    def _first(self, code: int) -> bytes | None:
        """The bytes of the first instance."""
        items = self._items
        if items is None:
            if self._looks < _LOOKS and not self._waiting:
                self._looks += 1
                for option in self._source:
                    if option.code == code:
                        data: bytes = option.data
                        return data
                return None
            items = self._list()
        for known, data in items:
            if known == code:
                return data
        return None

    def _miss(self, code: int) -> None:
        """Raises NotRead where an option that is not there is one that the server never sends."""
        if self._reads is not None and code not in self._reads:
            read = ", ".join(map(str, sorted(self._reads))) or "none"
            raise NotRead(f"{self._space.find(code).title} is not among what the hook reads here: {read}; see `reads`")

    def _vendor(self, enterprise: int) -> EditableOptions:
        """The options of one vendor."""
        code = VIVSO_4 if self._space.family == 4 else VENDOR_OPTS_6
        codec = self._space.codecs[code]
        head = enterprise.to_bytes(4, "big")
        if code == VIVSO_4:
            at = next((at for at, (known, _) in enumerate(self._list()) if known == code), None)
        else:
            at = next((at for at, (known, data) in enumerate(self._list()) if known == code and data[:4] == head), None)
        return _Carried(self, codec, at, enterprise)

    # Only EditableOptions has methods that call these.

    def _replaced(self, items: list[Item]) -> None:
        self._items = items

    def _taken_by(self) -> Edits:
        edits = self._edits
        if edits is None:
            if self._maker is None:
                raise NotChangeable("these options are not part of a packet that can be changed")
            edits = self._edits = Edits(*self._maker)
        return edits

    def _log(self, action: Any, code: int, data: bytes) -> None:
        (self._edits or self._taken_by()).edit(action, (code,), 0, data)

    def _check(self, code: int) -> None:
        (self._edits or self._taken_by()).check(code)

    def _way(self) -> tuple[tuple[int, ...], int, bool]:
        """Codes of the way here from the packet, the vendor that is meant, and whether the server edits inside."""
        return (), 0, True

    def as_value(self) -> Any:
        """As it may be assigned to the option that carries it, of this packet or another one."""
        inner: dict[str | int, Any] = {}
        for code in dict.fromkeys(self.codes()):
            codec = self._space.find(code)
            values = [value.as_value() if isinstance(value, Options) else value for value in self.all(code)]
            inner[codec.name or code] = Instances(values) if len(values) > 1 else values[0]
        fields = self.fields
        if not inner:
            # As short as it came.
            return fields or inner
        return (*fields, inner) if fields else inner


def _edited(items: list[Item], action: Any, code: int, data: bytes) -> list[Item]:
    """The options after a change, as the server makes it."""
    if action == ADD or (action == SET and code not in [known for known, _ in items]):
        return [*items, (code, data)]
    changed: list[Item] = []
    done = action == REMOVE
    for item in items:
        if item[0] != code:
            changed.append(item)
        elif not done:
            done = True
            changed.append((code, data))
    return changed


class EditableOptions(Options):
    """Options that can be changed: `options["routers"] = [...]`, `del options["routers"]`.

    Changes are made in the order in which they are written; reading afterwards shows them.
    """

    __slots__ = ()

    def __setitem__(self, key: str | int, value: Any) -> None:
        """Replaces the option, every instance of it; where there is none, appends it."""
        codec = self._space.codecs.get(key) or self._space.find(key)
        self._check(codec.code)
        self._edit(SET, codec, codec.encode(value))

    def __delitem__(self, key: str | int) -> None:
        """Removes every instance; nothing happens where there is none."""
        codec = self._space.find(key)
        self._check(codec.code)
        self._edit(REMOVE, codec, b"")

    def add(self, key: str | int, value: Any) -> None:
        """Appends another instance."""
        codec = self._space.find(key)
        self._check(codec.code)
        self._edit(ADD, codec, codec.encode(value))

    def set_raw(self, key: str | int, data: bytes) -> None:
        """As `options[key] = value` with the bytes of the value."""
        codec = self._space.find(key)
        self._check(codec.code)
        self._edit(SET, codec, _bytes(codec, data))

    def add_raw(self, key: str | int, data: bytes) -> None:
        """As `add` with the bytes of the value."""
        codec = self._space.find(key)
        self._check(codec.code)
        self._edit(ADD, codec, _bytes(codec, data))

    def _edit(self, action: Any, codec: Codec, data: bytes) -> None:
        code = codec.code
        if self._items is None and type(self) is EditableOptions:
            # Most callouts write without reading what is there.
            if not self._waiting:
                self._waiting = []
            self._waiting.append((action, code, data))
        else:
            self._replaced(_edited(self._list(), action, code, data))
        self._log(action, code, data)


class _Carried(EditableOptions):
    """The options inside an option."""

    __slots__ = ("_at", "_code", "_codec", "_entered", "_enterprise", "_head", "_parent", "_path", "_payload")

    def __init__(self, parent: Options, codec: Codec, at: int | None, enterprise: int | None = None) -> None:
        self._parent = parent
        self._codec = codec
        self._code = codec.code
        #: Which of the parent's options carries these; None: there is none.
        self._at = at
        self._payload: bytes | None = None
        self._items = None
        self._head = b""
        self._reads = None
        outer, outer_enterprise, outer_entered = parent._way()
        self._path = (*outer, codec.code)
        self._enterprise = enterprise or 0
        if enterprise is None and codec.family == 6 and codec.code == VENDOR_OPTS_6 and not outer:
            head = (parent._list()[at][1] if at is not None else b"")[:4]
            self._enterprise = int.from_bytes(head, "big") if len(head) == 4 else 0
        if enterprise is None:
            self._enterprise = self._enterprise or outer_enterprise
        entered = _ENTERED_4 if codec.family == 4 else _ENTERED_6
        if codec.family == 4:
            enters = codec.code in entered or (outer != () and outer[0] in (43, VIVSO_4))
        else:
            enters = codec.code in entered or (codec.code == VENDOR_OPTS_6 and not outer)
        self._entered = outer_entered and enters
        key = codec.encapsulates
        if not key:
            key = f"{codec.family}:vendor-{self._enterprise or self._first_enterprise()}"
        self._space = space(key)

    def _first_enterprise(self) -> int:
        return int.from_bytes(self.payload[:4], "big")

    @property
    def fields(self) -> tuple[Any, ...]:
        if self._codec.form is Form.ENTERPRISE_4:
            return (self._enterprise or self._first_enterprise(),)
        return self._codec.split(self.payload)[0] if self._at is not None else ()

    @property
    def payload(self) -> bytes:
        """The bytes of the option that carries these; empty where there is none."""
        items = self._parent._list()
        return items[self._at][1] if self._at is not None and self._at < len(items) else b""

    def _list(self) -> list[Item]:
        payload = self.payload
        if self._items is None or payload is not self._payload:
            self._items = self._read(payload) if self._at is not None else []
            self._payload = payload
        return self._items

    def _read(self, payload: bytes) -> list[Item]:
        try:
            if self._codec.form is Form.ENTERPRISE_4:
                if len(payload) == 4:
                    # An enterprise and nothing else: no length either.
                    return []
                blocks = read(Form.ENTERPRISE_4, payload)
                wanted = self._enterprise or (blocks[0][0] if blocks else 0)
                self._head = b""
                return next((read(Form.V4, data) for code, data in blocks if code == wanted), [])
            _, start = self._codec.split(payload)
            self._head = payload[:start]
            return read(self._codec.form, payload[start:])
        except ValueError as error:
            raise MalformedOption(f"{self._codec.title} is malformed: {error}; raw() has its bytes") from None

    # The parent's list has one entry with the code that is edited, of which these options are the inside.
    def _first(self, code: int) -> bytes | None:
        return next((data for known, data in self._list() if known == code), None)

    def _taken_by(self) -> Edits:
        return self._parent._taken_by()

    def _way(self) -> tuple[tuple[int, ...], int, bool]:
        return self._path, self._enterprise, self._entered

    def _check(self, code: int) -> None:
        self._taken_by().check(self._path[0])
        first = self._parent._list()
        before = first[: self._at] if self._at is not None else []
        head = self._enterprise.to_bytes(4, "big") if self._code == VENDOR_OPTS_6 else b""
        if any(known == self._code and data.startswith(head) for known, data in before):
            raise NotChangeable(
                f"only the first {self._codec.title} can be changed inside; assign the option as a whole"
            )

    def _edit(self, action: Any, codec: Codec, data: bytes) -> None:
        if self._at is None and self._reads_all():
            if action != REMOVE:
                self._create(codec, data)
            return
        if self._code == VIVSO_4 and self._at is not None and action != REMOVE and not self._has_block():
            self._create(codec, data)
            return
        super()._edit(action, codec, data)

    def _reads_all(self) -> bool:
        """Whether what is not in the parent is not in the packet either."""
        reads = self._parent._reads
        return reads is None or self._code in reads

    def _has_block(self) -> bool:
        try:
            return any(code == self._enterprise for code, _ in read(Form.ENTERPRISE_4, self.payload))
        except ValueError as error:
            raise MalformedOption(f"{self._codec.title} is malformed: {error}; raw() has its bytes") from None

    def _create(self, codec: Codec, data: bytes) -> None:
        """Makes the vendor's option, with this one inside."""
        inside = bytearray()
        own = bytearray()
        try:
            write(Form.V6 if codec.family == 6 else Form.V4, inside, codec.code, data)
            if self._code == VIVSO_4:
                write(Form.ENTERPRISE_4, own, self._enterprise, bytes(inside))
            else:
                own += self._enterprise.to_bytes(4, "big") + inside
        except ValueError as error:
            raise OptionValueError(str(error)) from None
        items = self._parent._list()
        if self._at is not None:
            payload = items[self._at][1] + bytes(own)
            self._parent._replaced([*items[: self._at], (self._code, payload), *items[self._at + 1 :]])
            self._parent._log(SET, self._code, payload)
        else:
            payload = bytes(own)
            self._at = len(items)
            self._parent._replaced([*items, (self._code, payload)])
            self._parent._log(ADD, self._code, payload)
        self._items = None

    def _replaced(self, items: list[Item]) -> None:
        if self._at is None:
            # It is not known here what is in the packet.
            return
        out = bytearray(self._head)
        try:
            if self._codec.form is Form.ENTERPRISE_4:
                own = bytearray()
                for code, data in items:
                    write(Form.V4, own, code, data)
                wanted = self._enterprise or self._first_enterprise()
                for code, data in read(Form.ENTERPRISE_4, self.payload):
                    if code == wanted:
                        wanted = -1
                        data = bytes(own)
                    write(Form.ENTERPRISE_4, out, code, data)
            else:
                for code, data in items:
                    write(self._codec.form, out, code, data)
        except ValueError as error:
            raise OptionValueError(str(error)) from None
        payload = bytes(out)
        outer = self._parent._list()
        self._parent._replaced([*outer[: self._at], (self._code, payload), *outer[self._at + 1 :]])
        self._payload = payload
        self._items = items

    def _log(self, action: Any, code: int, data: bytes) -> None:
        if self._entered:
            self._taken_by().edit(action, (*self._path, code), self._enterprise, data)
        else:
            # The server does not look inside: the option travels as a whole.
            self._parent._log(SET, self._code, self.payload)


def _bytes(codec: Codec, data: bytes) -> bytes:
    if isinstance(data, str) or not isinstance(data, (bytes, bytearray, memoryview)):
        raise OptionValueError(f"the raw value of {codec.title} is bytes, not {type(data).__name__}")
    return bytes(data)


def read_options(codec: Codec, data: bytes) -> Options:
    """The options inside an option that is part of no packet."""
    options = EditableOptions(space(codec.space), (), None, None)
    options._items = [(codec.code, data)]
    return _Carried(options, codec, 0)
