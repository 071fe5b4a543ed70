"""The classes of hook points are what the table of hook points says, no more and no less."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from outrigger_hooks import Hook, NotChangeable, points
from outrigger_hooks._abilities import Parks
from outrigger_hooks.call import Call
from outrigger_hooks.hook_points import SPECS, HookPoint
from outrigger_hooks.packets import lease, packet4, packet6, relay6
from outrigger_hooks.testing import Result, run

CLASSES: dict[HookPoint, type[Call]] = {
    value.hook_point: value
    for value in vars(points).values()
    if inspect.isclass(value) and issubclass(value, Call) and "hook_point" in vars(value)
}


def lease_of(call: Any) -> Any:
    return call.new_lease if call.hook_point is HookPoint.ADDR6_REGISTER else call.lease


def query_header(call: Any) -> None:
    call.query.message_type = 3


def response_header(call: Any) -> None:
    call.response.siaddr = "192.0.2.1"


def link(call: Any) -> None:
    call.response.link.remote_address = "192.0.2.1" if SPECS[call.hook_point].family == 4 else "2001:db8::1"


def hw_address(call: Any) -> None:
    call.query.hw_address = "08:00:27:00:00:09"


def address_in_use(call: Any) -> None:
    call.park()
    call.address_in_use = True


def names(call: Any) -> None:
    call.hostname = "a.example.org."
    call.fwd_update = True
    call.rev_update = False


def lifetimes(call: Any) -> None:
    lease_of(call).valid_lifetime = 60
    lease_of(call).preferred_lifetime = 30


def lease_names(call: Any) -> None:
    lease_of(call).hostname = "a"
    lease_of(call).fqdn_fwd = True
    lease_of(call).fqdn_rev = True


def user_context(call: Any) -> None:
    lease_of(call).user_context = {"a": 1}


def lease_address(call: Any) -> None:
    call.lease.address = "192.0.2.9" if SPECS[call.hook_point].family == 4 else "2001:db8::9"


def parsed(call: Any) -> None:
    call.replace_parsed(packet4() if SPECS[call.hook_point].family == 4 else packet6())


def set_option(side: str) -> Callable[[Any], None]:
    def change(call: Any) -> None:
        getattr(call, side).options[200] = b"x"

    return change


def relay_option(side: str) -> Callable[[Any], None]:
    def change(call: Any) -> None:
        getattr(call, side).relays[0].options["interface-id"] = b"x"

    return change


def ia_option(call: Any) -> None:
    call.ia_options[200] = b"x"


#: How each row of the table is changed, and the fields of Changes that it makes.
CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "query.options": (set_option("query"), "query?.options"),
    "query.header": (query_header, "query?.message_type"),
    "query.hw-address": (hw_address, "query?.hw_address"),
    "query.relays": (relay_option("query"), "query?.relay_options"),
    "query.classes": (lambda call: call.query.classes.add("a"), "query?.add_classes"),
    "query.wire": (lambda call: call.replace_wire(b"x"), "query?.wire"),
    "query.parsed": (parsed, "query?.parsed"),
    "response.options": (set_option("response"), "response?.options"),
    "response.header": (response_header, "response?.siaddr"),
    "response.relays": (relay_option("response"), "response?.relay_options"),
    "response.link": (link, "response?.link"),
    "response.wire": (lambda call: call.replace_wire(b"x"), "response?.wire"),
    "subnet": (lambda call: call.select_subnet(2), "subnet_id"),
    "identifier": (lambda call: call.identify_host(b"x"), "host_identifier"),
    "names": (names, "names"),
    "lease.address": (lease_address, "lease.address"),
    "lease.lifetimes": (lifetimes, "lease.valid_lifetime lease.preferred_lifetime"),
    "lease.names": (lease_names, "lease.hostname lease.fqdn_fwd lease.fqdn_rev"),
    "lease.user-context": (user_context, "lease.user_context"),
    "ia.options": (ia_option, "ia_options"),
    "offer-address-in-use": (address_in_use, "offer_address_in_use"),
    "error": (lambda call: call.refuse_configuration("no"), "error"),
    "command-response": (lambda call: call.answer({"result": 0}), "command_response"),
}


def arguments(point: HookPoint) -> dict[str, Any]:
    """What a callout may look at, so that a change fails for no other reason than that it is not allowed."""
    fields = {
        "lease": lease("192.0.2.1" if SPECS[point].family == 4 else "2001:db8::1"),
        "new_lease": lease("2001:db8::1"),
    }
    name = SPECS[point].name
    given: dict[str, Any] = {}
    if name.startswith("lease") and not name.startswith("leases") and name != "lease4_offer":
        given["lease"] = fields["lease"]
    if point is HookPoint.ADDR6_REGISTER:
        given["new_lease"] = fields["new_lease"]
    if SPECS[point].family == 6 and "query" in SPECS[point].reads:
        given["query"] = packet6(relays=[relay6()])
        if "response" in SPECS[point].reads:
            given["response"] = packet6("reply", relays=[relay6(message_type="relay-repl")])
    if point is HookPoint.COMMAND:
        given["command"] = "try"
    return given


def tried(point: HookPoint, change: Callable[[Any], None], writes: tuple[str, ...] | None = None) -> Result:
    hook = Hook("try", "1.0.0", commands=["try"] if point is HookPoint.COMMAND else [])
    name = SPECS[point].name.removeprefix("$")

    async def callout(call: Any) -> None:
        change(call)

    getattr(hook, name)(writes=writes)(callout)
    return run(hook, name, **arguments(point))


def changed(result: Result) -> set[str]:
    """The fields of Changes that are there."""
    found = set()
    for field, value in result.changes.ListFields():
        if field.name in ("lease",) or field.name[:-1] in ("query", "response"):
            found |= {f"{field.name}.{inner.name}" for inner, _ in value.ListFields()}
        else:
            found.add(field.name)
    return found


def test_there_is_a_class_for_each_hook_point() -> None:
    assert list(CLASSES) == list(HookPoint)
    for point, kind in CLASSES.items():
        name = SPECS[point].name.removeprefix("$")
        assert kind.__name__.lower() == name.replace("_", "")
        assert hasattr(Hook, name)
        assert issubclass(kind, Parks) == SPECS[point].can_park


@pytest.mark.parametrize("row", CHANGES)
def test_every_change_of_the_table_and_no_other_can_be_made(row: str) -> None:
    change, fields = CHANGES[row]
    for point, spec in SPECS.items():
        result = tried(point, change)
        if row in spec.changes:
            assert result.failure is None, f"{spec.name}: {result.failure}"
            assert changed(result) == set(fields.replace("?", str(spec.family)).split()), spec.name
        elif row.endswith(".wire") and row.replace("query", "response") in spec.changes:
            # The other side's datagram.
            assert not any(field.startswith("query") for field in changed(result))
        elif row == "response.wire" and "query.wire" in spec.changes:
            assert not any(field.startswith("response") for field in changed(result))
        else:
            assert result.failure is not None, f"{spec.name} lets {row} change"


def test_the_table_has_no_row_that_is_not_tried() -> None:
    assert {row for spec in SPECS.values() for row in spec.changes} == set(CHANGES)


@pytest.mark.parametrize("row", CHANGES)
def test_what_the_subscription_does_not_write_cannot_be_changed(row: str) -> None:
    for point, spec in SPECS.items():
        if row in spec.changes:
            failure = tried(point, CHANGES[row][0], writes=()).failure
            assert failure is not None and failure.startswith("NotChangeable: "), f"{spec.name}: {failure}"
            assert f"what the hook said it writes at {spec.name}: nothing" in failure


def test_what_is_not_possible_says_what_is() -> None:
    assert tried(HookPoint.LEASE4_RENEW, CHANGES["subnet"][0]).failure == (
        'NotChangeable: "subnet" cannot be changed at lease4_renew; possible are: '
        "lease.lifetimes, lease.names, lease.user-context, query.classes"
    )
    assert "cannot be held at pkt4_receive" in str(tried(HookPoint.PKT4_RECEIVE, lambda call: call.park()).failure)
    assert "AttributeError" in str(tried(HookPoint.PKT4_RECEIVE, lambda call: call.prk()).failure)


def test_a_change_that_is_not_allowed_is_raised_at_its_line() -> None:
    seen = []

    def change(call: Any) -> None:
        for wrong in (
            lambda: setattr(call.query, "siaddr", "192.0.2.1"),
            lambda: setattr(call.query.link, "interface", "eth1"),
            lambda: setattr(call, "hostname", "a"),
            lambda: call.query.options.__setitem__("routers", []),
            lambda: call.query.options.__delitem__("routers"),
        ):
            with pytest.raises(NotChangeable):
                wrong()
            seen.append(wrong)

    assert tried(HookPoint.SUBNET4_SELECT, change).failure is None
    assert len(seen) == 5
