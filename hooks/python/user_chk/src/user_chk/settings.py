"""What a site sets, in the `parameters` of the server's configuration."""

import json
from collections.abc import Mapping
from typing import NamedTuple

#: Subnets that a refusal names; the rest is counted.
_NAMED = 20

_KEYS = ("restricted-subnet-id", "subnet-selection", "option-overrides", "outcome-records")


class SettingsError(ValueError):
    """What is wrong with the parameters, for the operator."""


class Settings(NamedTuple):
    """What a server asked for when it loaded the service."""

    #: `restricted-subnet-id`: where clients go that are not registered; None with `subnet-selection` false.
    restricted_subnet_id: int | None
    #: `option-overrides`: whether boot file and TFTP server are overridden.
    option_overrides: bool
    #: `outcome-records`: whether responses are recorded.
    outcome_records: bool


def read_settings(parameters: Mapping[str, object], subnets: Mapping[int, str]) -> Settings:
    """The settings of a server with these subnets, prefixes by id in ascending order.

    Raises SettingsError: a parameter is unknown or of another type, or the restricted subnet is missing or not
    configured.
    """
    for key in parameters:
        if key not in _KEYS:
            expected = ", ".join(f"`{known}`" for known in _KEYS)
            raise SettingsError(f"parameters: unknown field `{key}`, expected one of {expected}")
    written = parameters.get("restricted-subnet-id")
    if written is not None and not (type(written) is int and 0 <= written < 2**32):
        raise _wrong("restricted-subnet-id", written, "a subnet id")
    selection = _boolean(parameters, "subnet-selection")
    overrides = _boolean(parameters, "option-overrides")
    records = _boolean(parameters, "outcome-records")
    return Settings(_restricted(written, subnets) if selection else None, overrides, records)


def _boolean(parameters: Mapping[str, object], key: str) -> bool:
    value = parameters.get(key, True)
    if not isinstance(value, bool):
        raise _wrong(key, value, "a boolean")
    return value


def _wrong(key: str, value: object, expected: str) -> SettingsError:
    return SettingsError(f"parameters: {key}: invalid value {json.dumps(value)}, expected {expected}")


def _restricted(written: object, subnets: Mapping[int, str]) -> int:
    if not isinstance(written, int):
        raise SettingsError(
            "parameters: restricted-subnet-id is missing: the id of the subnet for clients that are not registered; "
            f"{_known(subnets)}. To leave subnets alone, set subnet-selection to false"
        )
    if written not in subnets:
        raise SettingsError(
            f"parameters: restricted-subnet-id is {written}, but there is no subnet {written}; {_known(subnets)}"
        )
    return written


def _known(subnets: Mapping[int, str]) -> str:
    if not subnets:
        return "the server has no subnets"
    named = [f"{number} ({prefix})" for number, prefix in subnets.items()][:_NAMED]
    more = len(subnets) - len(named)
    return f"the server has {', '.join(named)}" + (f" and {more} more" if more else "")
