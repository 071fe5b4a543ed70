"""Which servers and configurations are loaded at present."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

#: Loads that are remembered. More servers and configurations at a time than this have never been useful; an older one
#: is forgotten, and its server told to load again.
CAPACITY = 64

C = TypeVar("C")


class Loads(Generic[C]):
    """The configurations that are loaded, the latest last."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: OrderedDict[tuple[str, str, int], tuple[int, C]] = OrderedDict()

    def insert(self, instance_id: str, service_name: str, revision: int, family: int, configuration: C) -> None:
        """Remembers the configuration of this server."""
        key = (instance_id, service_name, revision)
        self._by_key.pop(key, None)
        if len(self._by_key) == CAPACITY:
            self._by_key.popitem(last=False)
        self._by_key[key] = (family, configuration)

    def find(self, instance_id: str | None, service_name: str | None, revision: int, family: int | None) -> C | None:
        """The latest load of that revision which is of this server, service and family; None is any of them.

        A call outside any session names neither server nor service.
        """
        for (instance, service, known), (of_family, configuration) in reversed(self._by_key.items()):
            if (
                known == revision
                and (instance_id is None or instance == instance_id)
                and (service_name is None or service == service_name)
                and (family is None or of_family == family)
            ):
                return configuration
        return None

    def __len__(self) -> int:
        return len(self._by_key)
