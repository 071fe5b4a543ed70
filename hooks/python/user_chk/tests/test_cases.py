"""What needs no packet: lines, files, sources, parameters, contexts."""

import json
from pathlib import Path
from typing import Any

import pytest

from cases import named
from user_chk.client import Client, client4, client6
from user_chk.line import LineError, parse_line
from user_chk.overrides import Overrides
from user_chk.settings import SettingsError, read_settings
from user_chk.source import SourceError, parse_source
from user_chk.users import Problems, read
from user_chk.verdict import Verdict, decode, encode, recall


@pytest.mark.parametrize("case", named("lines"))
def test_a_line_of_the_registry(case: dict[str, Any]) -> None:
    line = bytes.fromhex(case["hex"]) if "hex" in case else case["line"].encode()
    if "error" in case:
        with pytest.raises(LineError) as caught:
            parse_line(line)
        assert case["error"] in str(caught.value)
    elif "nobody" in case:
        assert parse_line(line) is None
    else:
        user = parse_line(line)
        assert user is not None
        found = {"type": user.kind.value, "hex": user.identifier.hex(), "properties": user.properties}
        assert found == case["user"]


@pytest.mark.parametrize("case", named("registries"))
def test_a_registry_file(case: dict[str, Any]) -> None:
    content = case["content"].encode()
    if "error" in case:
        with pytest.raises(Problems) as caught:
            read(content)
        assert str(caught.value).startswith(case["error"])
        assert str(caught.value).endswith(case["last"])
    else:
        assert len(read(content)) == case["users"]


@pytest.mark.parametrize("case", named("sources"))
def test_a_source_on_the_command_line(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(SourceError) as caught:
            parse_source(case["text"])
        assert case["error"] in str(caught.value)
    else:
        assert parse_source(case["text"]) == Path(case["path"])


# What is no JSON object never reaches the service.
_PARAMETERS = [case for case in named("parameters") if case.values[0]["text"] not in ("", "[")]


@pytest.mark.parametrize("case", _PARAMETERS)
def test_parameters(case: dict[str, Any]) -> None:
    parameters = json.loads(case["text"])
    subnets = {number: f"2001:db8:{number}::/64" for number in case["subnets"]}
    if "refusal" in case:
        with pytest.raises(SettingsError) as caught:
            read_settings(parameters, subnets)
        assert case["refusal"] in str(caught.value)
    else:
        settings = read_settings(parameters, subnets)
        assert {key.replace("_", "-"): value for key, value in settings._asdict().items()} == case["settings"]


def test_without_parameters_the_restricted_subnet_is_missing() -> None:
    with pytest.raises(SettingsError, match="restricted-subnet-id is missing"):
        read_settings({}, {1: "192.0.2.0/24"})


def _verdict(case: dict[str, Any]) -> Verdict:
    written, registered = case["client"], case["registered"]
    client: Client | None = None
    if written is not None:
        if "duid" in written:
            client = client6(bytes.fromhex(written["duid"]))
        else:
            client = client4(written["htype"], bytes.fromhex(written["hw"]))
        assert client is not None
    return Verdict(client, None if registered is None else Overrides(**registered))


@pytest.mark.parametrize("case", named("verdicts"))
def test_a_verdict_travels_as_a_context(case: dict[str, Any]) -> None:
    verdict, context = _verdict(case), bytes.fromhex(case["context"])
    assert encode(verdict) == context
    assert decode(context) == verdict
    assert recall(context, verdict.client) == verdict


@pytest.mark.parametrize("case", named("other_contexts"))
def test_a_context_that_is_written_otherwise(case: dict[str, Any]) -> None:
    verdict = _verdict(case)
    assert recall(bytes.fromhex(case["context"]), verdict.client) == verdict


@pytest.mark.parametrize("case", named("no_contexts"))
def test_a_context_that_is_no_verdict(case: dict[str, Any]) -> None:
    assert decode(bytes.fromhex(case["context"])) is None


@pytest.mark.parametrize("case", named("verdicts"))
def test_a_context_that_was_cut_is_never_misread(case: dict[str, Any]) -> None:
    verdict, context = _verdict(case), bytes.fromhex(case["context"])
    for cut in range(len(context)):
        decoded = decode(context[:cut])
        assert decoded != verdict, f"cut at {cut}"
        assert decoded is None or decoded.registered is None or decoded.client is not None, f"cut at {cut}"


def test_the_verdict_about_somebody_else_is_not_recalled() -> None:
    known, other = client6(b"\1\2\3"), client6(b"\1\2\4")
    for registered in (None, Overrides(), Overrides("/b", "::1")):
        context = encode(Verdict(known, registered))
        assert recall(context, other) is None
        assert recall(context, None) is None


def test_what_stands_behind_a_verdict_counts() -> None:
    client = client6(b"\1\2\3")
    for registered in (Overrides(), Overrides("/b", "::1")):
        context = encode(Verdict(client, registered))
        assert recall(context + b"\x2a\x00", client) is None, "the identifier is taken back"
        assert recall(context + b"\x10\x00", client) == Verdict(client, None), "so is the registration"
        assert recall(context + b"\x32\x02/c", client) == Verdict(client, Overrides("/c", registered.tftp_server))
        assert recall(context + b"\x32", client) is None, "cut"
