"""Packets and leases: what is read, what is changed, and what reading shows afterwards."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import pytest

from outrigger_hooks import (
    Hook,
    HwAddress,
    Instances,
    LeaseState,
    LeaseType,
    MalformedContext,
    MalformedOption,
    MessageType4,
    MessageType6,
    NotChangeable,
    NotRead,
    OptionValueError,
    Route,
    UnknownOption,
    points,
)
from outrigger_hooks.testing import Edit, Result, lease, link, packet4, packet6, relay6, run, subnet


def at(point: str, callout: Callable[[Any], None], **call: Any) -> Result:
    """Runs it; what it asserts counts."""
    hook = Hook("test", "1.0.0")
    reads = call.pop("reads", None)
    getattr(hook, point)(reads=reads)(callout)
    result = run(hook, point, **call)
    assert result.failure is None, result.failure
    return result


def test_a_packet_of_dhcpv4_is_read_in_pythons_own_types() -> None:
    query = packet4(
        "request",
        hw_address="08:00:27:00:00:07",
        ciaddr="192.0.2.7",
        flags=0x8000,
        sname="server",
        classes=["ALL"],
        link=link(interface="eth7", remote_address="192.0.2.7", remote_port=68),
        options={
            "vendor-class-identifier": "phone-7",
            "dhcp-client-identifier": b"\1\2",
            "domain-name-servers": [IPv4Address("192.0.2.1"), "192.0.2.2"],
            "dhcp-max-message-size": 1500,
            "rapid-commit": True,
            "fqdn": (1, 0, 0, "a.example."),
            "classless-static-route": [(IPv4Network("10.0.0.0/8"), IPv4Address("192.0.2.1"))],
            "dhcp-agent-options": {"circuit-id": b"port 7", 151: b"vrf"},
            "vivso-suboptions": (4491, {200: b"x"}),
            "host-name": "nul\0",
            200: b"own",
        },
    )

    def callout(call: points.Pkt4Receive) -> None:
        packet = call.query
        assert packet.message_type is MessageType4.REQUEST
        assert (str(packet.hw_address), packet.hw_address.htype) == ("08:00:27:00:00:07", 1)
        assert (packet.ciaddr, packet.giaddr) == (IPv4Address("192.0.2.7"), IPv4Address("0.0.0.0"))
        assert (packet.flags, packet.sname, packet.op, packet.client_id) == (0x8000, b"server", 1, b"\1\2")
        assert list(packet.classes) == ["ALL"] and "ALL" in packet.classes
        assert (packet.link.interface, packet.link.remote_address) == ("eth7", IPv4Address("192.0.2.7"))
        options = packet.options
        assert options["vendor-class-identifier"] == options[60] == "phone-7"
        assert options["domain-name-servers"] == [IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")]
        assert options["dhcp-max-message-size"] == 1500
        assert options["rapid-commit"] is True
        assert options["fqdn"] == (1, 0, 0, "a.example.")
        assert options["classless-static-route"] == [Route(IPv4Network("10.0.0.0/8"), IPv4Address("192.0.2.1"))]
        assert options["dhcp-agent-options"]["circuit-id"] == b"port 7"
        assert options["dhcp-agent-options"].raw(151) == b"vrf"
        assert packet.vendor_options(4491)[200] == b"x"
        assert len(packet.vendor_options(9)) == 0
        assert options["host-name"] == "nul" and options.raw("host-name") == b"nul\0"
        assert options[200] == b"own"
        assert options.get("routers") is None and "routers" not in options
        assert next(iter(options)) == "vendor-class-identifier" and len(options) == 11

    at("pkt4_receive", callout, query=query)


def test_a_packet_of_dhcpv6_is_read_in_pythons_own_types() -> None:
    query = packet6(
        "request",
        duid="00:01:02",
        relays=[relay6(link_address="2001:db8::1", options={"interface-id": b"eth0"}), relay6(hop_count=1)],
        options={
            "ia-na": Instances(
                [(1, 0, 0, {"iaaddr": ("2001:db8::7", 10, 20)}), (2, 30, 40, {"status-code": (2, "none")})]
            ),
            "ia-pd": (3, 0, 0, {"iaprefix": (10, 20, 56, "2001:db8:1::")}),
            "vendor-opts": Instances([(9, {1: b"nine"}), (4491, {"tftp-servers": ["2001:db8::69"]})]),
            "pd-exclude": IPv6Network("2001:db8::/64"),
        },
    )

    def callout(call: points.Pkt6Receive) -> None:
        packet = call.query
        assert packet.message_type is MessageType6.REQUEST
        assert packet.duid == b"\0\1\2"
        first, second = packet.ia_na
        assert (first.iaid, second.iaid, second.t1, second.t2) == (1, 2, 30, 40)
        assert [str(own.address) for own in first.addresses] == ["2001:db8::7"]
        assert (first.addresses[0].preferred_lifetime, first.addresses[0].valid_lifetime) == (10, 20)
        assert second.addresses == [] and second.options["status-code"] == (2, "none")
        assert packet.ia_pd[0].prefixes[0].prefix == IPv6Network("2001:db8:1::/56")
        assert packet.vendor_options(4491)["tftp-servers"] == [IPv6Address("2001:db8::69")]
        assert packet.vendor_options(9)[1] == b"nine"
        assert packet.options["pd-exclude"] == IPv6Network("2001:db8::/64")
        assert len(packet.options.all("vendor-opts")) == 2
        assert packet.relays[0].options["interface-id"] == b"eth0"
        assert (packet.relays[0].link_address, packet.relays[1].hop_count) == (IPv6Address("2001:db8::1"), 1)

    at("pkt6_receive", callout, query=query)


def test_changes_read_back_and_travel_in_order() -> None:
    def callout(call: points.Pkt4Send) -> None:
        options = call.response.options
        options["routers"] = ["192.0.2.1"]
        options["boot-file-name"] = "a"
        options["boot-file-name"] = "b"
        del options["domain-name"]
        options.add("log-servers", [IPv4Address("192.0.2.3")])
        options.set_raw(200, b"raw")
        assert options["routers"] == [IPv4Address("192.0.2.1")]
        assert options["boot-file-name"] == "b"
        assert "domain-name" not in options
        call.response.siaddr = IPv4Address("192.0.2.9")
        call.response.file = "pxe.0"
        assert (call.response.siaddr, call.response.file) == (IPv4Address("192.0.2.9"), b"pxe.0")
        call.response.link.remote_port = 6800
        assert call.response.link.remote_port == 6800 and call.response.link.interface == "eth0"
        call.query.classes.add("late")
        call.query.classes.add("late")
        assert "late" in call.query.classes

    response = packet4("ack", options={"domain-name": "example.org"}, link=link())
    result = at("pkt4_send", callout, response=response)
    told = [(edit.action, edit.path, edit.value) for edit in result.edits()]
    assert told == [
        ("set", ("routers",), [IPv4Address("192.0.2.1")]),
        ("set", ("boot-file-name",), "b"),
        ("remove", ("domain-name",), None),
        ("add", ("log-servers",), [IPv4Address("192.0.2.3")]),
        ("set", (200,), b"raw"),
    ]
    assert result.changes.response4.siaddr == bytes([192, 0, 2, 9])
    assert result.changes.response4.link.remote_port == 6800
    assert result.classes == ["late"]


@pytest.mark.parametrize("looks", range(5))
def test_an_option_is_found_however_often_one_looked_before(looks: int) -> None:
    """The first lookups do without a list of all options, later ones and changes do not."""

    def callout(call: points.Pkt4Send) -> None:
        options = call.response.options
        for _ in range(looks):
            assert options["routers"] == [IPv4Address("192.0.2.1")]
            assert options.get("host-name") is None
            assert "domain-name" in options
            assert options.raw("domain-name") == b"a.example"
        options["domain-name"] = "b.example"
        del options["routers"]
        assert options["domain-name"] == "b.example"
        assert "routers" not in options
        with pytest.raises(KeyError):
            options["routers"]

    options = {"routers": ["192.0.2.1"], "domain-name": "a.example"}
    at("pkt4_send", callout, query=packet4("request"), response=packet4("ack", options=options))


def test_options_inside_options_are_changed_where_they_are() -> None:
    def callout(call: points.Pkt4Send) -> None:
        inside = call.response.options["dhcp-agent-options"]
        inside["circuit-id"] = b"new"
        del inside["remote-id"]
        assert call.response.options["dhcp-agent-options"]["circuit-id"] == b"new"
        assert call.response.options.raw(82) == b"\1\3new"
        call.response.vendor_options(4491)[201] = b"two"
        assert call.response.vendor_options(4491)[201] == b"two"
        call.response.vendor_options(9)[1] = b"nine"
        assert call.response.vendor_options(9)[1] == b"nine"
        assert call.response.vendor_options(4491)[200] == b"1"

    options = {"dhcp-agent-options": {1: b"old", 2: b"x"}, "vivso-suboptions": (4491, {200: b"1"})}
    edits = at("pkt4_send", callout, response=packet4("ack", options=options)).edits()
    assert [(edit.action, edit.path, edit.data, edit.enterprise) for edit in edits] == [
        ("set", ("dhcp-agent-options", "circuit-id"), b"new", 0),
        ("remove", ("dhcp-agent-options", "remote-id"), b"", 0),
        ("set", ("vivso-suboptions", 201), b"two", 4491),
        (
            "set",
            ("vivso-suboptions",),
            b"\0\0\x11\x8b\x08" + b"\xc8\x011" + b"\xc9\3two" + b"\0\0\0\x09\6\1\4nine",
            0,
        ),
    ]


def test_a_vendors_options_are_made_where_there_are_none() -> None:
    def callout(call: points.Pkt6Send) -> None:
        call.response.vendor_options(4491)["config-file"] = "modem.bin"
        call.response.vendor_options(4491)["tftp-servers"] = ["2001:db8::1"]
        assert call.response.options["vendor-opts"]["config-file"] == "modem.bin"
        assert call.response.vendor_options(4491).fields == (4491,)

    edits = at("pkt6_send", callout).edits()
    assert [(edit.action, edit.path, edit.enterprise) for edit in edits] == [
        ("add", ("vendor-opts",), 0),
        ("set", ("vendor-opts", "tftp-servers"), 4491),
    ]
    assert edits[0].data == b"\0\0\x11\x8b\0\x21\0\x09modem.bin"


def test_what_the_server_does_not_look_into_travels_as_a_whole() -> None:
    def callout(call: points.Pkt4Send) -> None:
        call.response.options["cablelabs-client-conf"][6] = "A."

    response = packet4("ack", options={"cablelabs-client-conf": {8: 5}})
    edits = at("pkt4_send", callout, response=response).edits()
    assert [(edit.action, edit.path, edit.data) for edit in edits] == [
        ("set", ("cablelabs-client-conf",), b"\x08\x01\x05\x06\x03\x01A\x00")
    ]


def test_only_the_first_instance_can_be_changed_inside() -> None:
    def callout(call: points.Pkt6Send) -> None:
        first, second = call.response.ia_na
        first.options.set_raw(200, b"x")
        with pytest.raises(NotChangeable, match="only the first option ia-na"):
            second.options.set_raw(200, b"x")

    response = packet6("reply", options={"ia-na": Instances([(1, 0, 0), (2, 0, 0)])})
    assert at("pkt6_send", callout, response=response).edits() == [Edit("set", ("ia-na", 200), b"x", b"x")]


def test_what_goes_to_a_relay_is_changed_in_its_layer() -> None:
    def callout(call: points.Pkt6Send) -> None:
        call.response.relays[1].options["interface-id"] = b"eth1"
        assert call.response.relays[1].options["interface-id"] == b"eth1"
        assert "interface-id" not in call.response.relays[0].options

    response = packet6("reply", relays=[relay6(message_type="relay-repl"), relay6(message_type="relay-repl")])
    edits = at("pkt6_send", callout, response=response).edits()
    assert edits == [Edit("set", ("interface-id",), b"eth1", b"eth1", relay=1)]


def test_the_servers_own_options_of_an_ia_are_its_own() -> None:
    def callout(call: points.Lease6Renew) -> None:
        call.ia_options[200] = b"x"
        with pytest.raises(NotChangeable, match="is written by the server"):
            call.ia_options["status-code"] = (0, "")

    result = at("lease6_renew", callout, lease=lease("2001:db8::1"))
    assert [edit.path for edit in result.edits("ia")] == [(200,)]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("routers", "192.0.2.1", r"option routers \(3\) is a list, each of it an IPv4Address, not str '192.0.2.1'"),
        ("routers", [7], r"option routers \(3\) is a list, each of it an IPv4Address, not list \[7\]"),
        ("boot-file-name", 7, r"option boot-file-name \(67\) is a str, not int 7"),
        ("default-ip-ttl", 256, r"default-ip-ttl \(23\) cannot be int 256: it is not between 0 and 255"),
        ("default-ip-ttl", True, r"an int from 0 to 255, not bool True"),
        ("ip-forwarding", 1, r"option ip-forwarding \(19\) is a bool, not int 1"),
        ("subnet-mask", "x" * 99, r"subnet-mask \(1\) cannot be str 'xxxxxxx.*\.\.\.: "),
        ("uuid-guid", (1,), r"it has 1 of 2 fields"),
        ("dhcp-agent-options", b"x", r"is a mapping of its sub-options, not bytes b'x'"),
        (200, "text", r"option 200 is bytes, not str 'text'"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_at_its_line(key: str | int, value: object, text: str) -> None:
    def callout(call: points.Pkt4Send) -> None:
        with pytest.raises(OptionValueError, match=text):
            call.response.options[key] = value

    assert not at("pkt4_send", callout).edits()


def test_bytes_of_a_client_that_are_no_value_can_be_had_as_they_are() -> None:
    query = packet4()
    query.options.add(code=51, data=b"\1")
    query.options.add(code=82, data=b"\1\7x")
    query.options.add(code=12, data=b"\xff\xfe")

    def callout(call: points.Pkt4Receive) -> None:
        options = call.query.options
        with pytest.raises(
            MalformedOption, match=r"option dhcp-lease-time \(51\) is malformed: the value is cut short"
        ):
            options["dhcp-lease-time"]
        assert options.raw("dhcp-lease-time") == b"\1"
        with pytest.raises(MalformedOption, match="runs past the end"):
            options["dhcp-agent-options"]["circuit-id"]
        # Every text can be had, and is written as it was read.
        options["host-name"] = options["host-name"]
        assert options.raw("host-name") == b"\xff\xfe"

    at("pkt4_receive", callout, query=query)


def test_a_name_that_nobody_knows_and_an_option_that_is_not_read_are_errors() -> None:
    def callout(call: points.Pkt4Receive) -> None:
        with pytest.raises(UnknownOption, match="did you mean vendor-class-identifier"):
            call.query.options.get("vendor-class-identifer")
        with pytest.raises(UnknownOption, match="between 1 and 254, not 255"):
            call.query.options.get(255)
        assert call.query.options.get("host-name") is None
        with pytest.raises(NotRead, match=r"option routers \(3\) is not among what the hook reads here: 12, 60"):
            call.query.options.get("routers")

    reads = ["query.options.vendor-class-identifier", "query.options.host-name"]
    query = packet4(options={"routers": ["192.0.2.1"], "vendor-class-identifier": "x"})
    at("pkt4_receive", callout, query=query, reads=reads)


def test_a_lease_is_read_and_changed() -> None:
    def callout(call: points.Lease4Select) -> None:
        own = call.lease
        assert (own.address, own.type, own.state) == (IPv4Address("192.0.2.7"), LeaseType.V4, LeaseState.DEFAULT)
        assert (own.valid_lifetime, own.hostname, own.user_context) == (3600, "", {"a": [1]})
        own.valid_lifetime = 300
        own.address = "192.0.2.8"
        own.user_context = None
        assert (own.valid_lifetime, own.address, own.user_context) == (300, IPv4Address("192.0.2.8"), None)
        with pytest.raises(ValueError, match="between 0 and 4294967295"):
            own.valid_lifetime = -1
        with pytest.raises(
            NotChangeable, match=r"^state of the lease cannot be changed at lease4_select; possible are"
        ):
            own.state = LeaseState.DECLINED  # type: ignore[misc]
        assert call.subnet is not None and call.subnet.prefix == IPv4Network("192.0.2.0/24")

    subnets = [subnet(1, "192.0.2.0/24")]
    given = lease("192.0.2.7", user_context={"a": [1]})
    result = at("lease4_select", callout, lease=given, subnet_id=1, subnets=subnets)
    assert (result.changes.lease.valid_lifetime, result.changes.lease.user_context) == (300, "")


def test_leases_that_are_only_looked_at_cannot_be_changed() -> None:
    def callout(call: points.Leases4Committed) -> None:
        assert [str(own.address) for own in call.leases] == ["192.0.2.1"]
        assert call.deleted_leases == []
        with pytest.raises(NotChangeable, match="hostname of the lease cannot be changed"):
            call.leases[0].hostname = "a"  # type: ignore[misc]
        assert call.response is None

    at("leases4_committed", callout, leases=[lease("192.0.2.1")], response=None)
    assert lease("2001:db8::/56").type == int(LeaseType.PD)


def test_the_context_is_an_object_of_json_values() -> None:
    def first(call: points.Pkt4Receive) -> None:
        call.context["names"] = ["a"]
        call.context["count"] = 1

    def second(call: points.Pkt4Send) -> None:
        call.context["names"].append("b")
        del call.context["count"]

    def third(call: points.Buffer4Send) -> None:
        assert dict(call.context) == {"names": ["a", "b"]}
        call.context.clear()

    def looks(call: points.Buffer4Send) -> None:
        assert call.context["names"]

    earlier = at("pkt4_receive", first)
    later = at("pkt4_send", second, after=earlier)
    assert later.context == {"names": ["a", "b"]}
    assert at("buffer4_send", third, after=later).context_bytes == b""
    assert not at("buffer4_send", looks, after=later)._reply.result.HasField("context")


def test_text_of_a_client_that_is_no_utf8_is_kept_in_the_context() -> None:
    def first(call: points.Pkt4Receive) -> None:
        call.context["vendor"] = call.query.options["vendor-class-identifier"]

    def second(call: points.Pkt4Send) -> None:
        seen.append(call.context["vendor"])

    seen: list[str] = []
    earlier = at("pkt4_receive", first, query=packet4(options={60: "phone\udcff"}))
    at("pkt4_send", second, after=earlier)
    assert seen == ["phone\udcff"]


def test_a_context_that_is_too_long_or_none_of_ours_fails_the_call() -> None:
    hook = Hook("test", "1.0.0")

    @hook.pkt4_receive
    def callout(call: points.Pkt4Receive) -> None:
        with pytest.raises(MalformedContext):
            _ = call.context
        assert call.context_bytes == b"\0raw"
        call.context_bytes = b"{}"
        call.context["long"] = "x" * 5000

    failure = run(hook, "pkt4_receive", context=b"\0raw").failure
    assert failure == "the callout's context has 5011 bytes; 4096 are possible"


def test_a_hardware_address_is_changed_and_compared() -> None:
    def callout(call: points.Pkt4Receive) -> None:
        call.query.hw_address = HwAddress(b"\1\2", 7)
        assert call.query.hw_address == HwAddress.parse("01-02", 7) != HwAddress(b"\1\2")
        with pytest.raises(ValueError, match="at most 20 bytes"):
            call.query.hw_address = HwAddress(bytes(21))

    assert at("pkt4_receive", callout).changes.query4.hw_address.htype == 7
