"""The users of one version of the registry."""

import io
import time
from collections.abc import Iterator, Mapping

from .identifier import IdentifierType
from .line import LineError, User, parse_line

#: Identifier of the users whose properties unregistered clients get: four zero bytes, of either type.
DEFAULT_USER = bytes(4)

#: Bad lines that a report names; the rest is counted.
REPORTED = 20

#: Lines that are read at a stretch.
_STRETCH = 256


class Problems(ValueError):
    """Why a file is no registry: its bad lines, `line 3: is not UTF-8; line 7: has no "id"`."""

    def __init__(self, first: list[str], total: int) -> None:
        text = "; ".join(first)
        if total > len(first):
            text += f"; and {total - len(first)} more bad lines"
        super().__init__(text)
        #: The first of them, in order.
        self.first = first
        #: How many there are in all.
        self.total = total


class Users:
    """Users by identifier. Never changed once they are in force."""

    __slots__ = ("duids", "hw_addrs")

    def __init__(self) -> None:
        #: Properties by hardware address.
        self.hw_addrs: dict[bytes, Mapping[str, str]] = {}
        #: Properties by DUID.
        self.duids: dict[bytes, Mapping[str, str]] = {}

    def __len__(self) -> int:
        return len(self.hw_addrs) + len(self.duids)

    def of_kind(self, kind: IdentifierType) -> dict[bytes, Mapping[str, str]]:
        """Properties by identifier, of one type."""
        return self.hw_addrs if kind is IdentifierType.HW_ADDR else self.duids


def read_lines(content: bytes) -> Iterator[tuple[int, User | LineError]]:
    """The users of a file, one by one with their line, in order; blank lines and comments are passed over."""
    for number, line in enumerate(io.BytesIO(content), start=1):
        # A large file is read beside the callouts, which then need not wait for the interpreter's switch interval.
        if number % _STRETCH == 0:
            time.sleep(0)
        try:
            user = parse_line(line)
        except LineError as error:
            yield number, error
        else:
            if user is not None:
                yield number, user


def read(content: bytes) -> Users:
    """The users of a file. Raises Problems where any line is bad: nobody of such a file counts."""
    users = Users()
    lines: dict[IdentifierType, dict[bytes, int]] = {kind: {} for kind in IdentifierType}
    first: list[str] = []
    total = 0
    for line, found in read_lines(content):
        if isinstance(found, User):
            kind, identifier, properties = found
            before = lines[kind].setdefault(identifier, line)
            if before == line:
                users.of_kind(kind)[identifier] = properties
                continue
            problem = f"{kind.value} {identifier.hex()} is there already, in line {before}"
        else:
            problem = str(found)
        total += 1
        if len(first) < REPORTED:
            first.append(f"line {line}: {problem}")
    if total:
        raise Problems(first, total)
    return users
