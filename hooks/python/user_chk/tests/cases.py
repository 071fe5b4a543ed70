"""The cases that the service meets in every language that it is written in: hooks/user_chk_cases.json."""

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[3] / "user_chk_cases.json"
CASES: dict[str, list[dict[str, Any]]] = json.loads(_FILE.read_text())


def named(kind: str) -> list[Any]:
    """The cases of a kind, one test each."""
    import pytest

    cases = CASES[kind]
    assert cases
    return [pytest.param(case, id=_name(case, number)) for number, case in enumerate(cases, start=1)]


def _name(case: dict[str, Any], number: int) -> str:
    family = f" (v{case['family']})" if "name" in case and "family" in case else ""
    return f"{case.get('name', number)}{family}"
