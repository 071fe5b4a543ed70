from ipaddress import IPv4Address
from typing import Any

import pytest
from outrigger_hooks import Refusal
from outrigger_hooks.testing import Trial, packet4, packet6, run

from option_by_class import hook

CLASSES: dict[str, Any] = {
    "phones": {"tftp-server-name": "phones.example.org", "ntp-servers": ["192.0.2.123"]},
    "new-phones": {"tftp-server-name": "new.example.org"},
}


def test_a_member_gets_the_options_of_its_class() -> None:
    result = run(hook, "pkt4_send", parameters={"classes": CLASSES}, query=packet4(classes=["ALL", "phones"]))
    assert result.options() == {
        "tftp-server-name": "phones.example.org",
        "ntp-servers": [IPv4Address("192.0.2.123")],
    }


def test_of_several_classes_the_later_one_wins() -> None:
    query = packet4(classes=["new-phones", "phones"])
    result = run(hook, "pkt4_send", parameters={"classes": CLASSES}, query=query)
    assert result.options()["tftp-server-name"] == "new.example.org"


def test_others_keep_what_the_server_gives() -> None:
    result = run(hook, "pkt4_send", parameters={"classes": CLASSES}, query=packet4(classes=["ALL"]))
    assert not result.changed


def test_both_families() -> None:
    parameters = {"classes": {"phones": {"bootfile-url": "tftp://[2001:db8::5]/phone"}}}
    result = run(hook, "pkt6_send", parameters=parameters, query=packet6(classes=["phones"]))
    assert result.options() == {"bootfile-url": "tftp://[2001:db8::5]/phone"}


def test_only_the_options_of_the_parameters_can_be_changed() -> None:
    with Trial(hook, parameters={"classes": CLASSES}) as trial:
        assert trial.subscriptions["pkt4_send"] == (["query.classes"], ["response.options.42", "response.options.66"])


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({}, 'write {"classes": {"phones":'),
        ({"classes": ["phones"]}, 'write {"classes": {"phones":'),
        ({"classes": {"phones": {"bootfile-urll": "x"}}}, "bootfile-urll"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any], part: str) -> None:
    with pytest.raises(Refusal, match=part):
        run(hook, "pkt4_send", parameters=parameters)


def test_a_value_that_does_not_fit_is_named() -> None:
    parameters = {"classes": {"phones": {"ntp-servers": "soon"}}}
    result = run(hook, "pkt4_send", parameters=parameters, query=packet4(classes=["phones"]))
    assert result.failure is not None and "ntp-servers" in result.failure
