"""Options as the server writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outrigger_hooks._option_codec import Codec, space
from outrigger_hooks._option_table import SPACES
from outrigger_hooks.errors import MalformedOption
from outrigger_hooks.options import read_options

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[4] / "proto/vectors/options.json").read_text(encoding="utf-8")
)


def codec(vector: dict[str, Any]) -> Codec:
    return space(f"{vector['family']}:{vector['space']}").find(vector["name"])


def decoded(vector: dict[str, Any]) -> tuple[Any, str, bytes]:
    """The value, its text, and its bytes once more."""
    of = codec(vector)
    data = bytes.fromhex(vector["hex"])
    if not of.is_carrier:
        value = of.decode(data)
        return value, of.text(value), of.encode(value)
    fields, at = of.split(data)
    texts = [field.text(value) for field, value in zip(of.fields, fields, strict=True)]
    rest = data[at:]
    return fields, ", ".join([*texts, rest.hex()] if rest else texts), of.encode(read_options(of, data).as_value())


@pytest.mark.parametrize("key", sorted({f"{vector['family']}:{vector['space']}" for vector in VECTORS}))
def test_every_vector_is_read_and_written_as_the_server_does(key: str) -> None:
    mine = [vector for vector in VECTORS if f"{vector['family']}:{vector['space']}" == key]
    for vector in mine:
        if vector["text"] is None:
            with pytest.raises(MalformedOption):
                decoded(vector)
            continue
        _, text, data = decoded(vector)
        assert text == vector["text"], vector
        # A boolean of 2 is true and written as 1.
        if vector["text"] != "true":
            assert data.hex() == vector["hex"], vector


def test_every_definition_has_a_vector() -> None:
    defined = {(key, definition.code) for key, definitions in SPACES.items() for definition in definitions}
    seen = {(f"{vector['family']}:{vector['space']}", vector["code"]) for vector in VECTORS}
    assert defined <= seen
