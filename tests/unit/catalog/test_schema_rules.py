"""The schema of rules.yaml."""

import pytest

from adserver.catalog.checking import check_rules_file
from adserver.catalog.documents import JsonObject
from adserver.catalog.reading import Parsed, RawValue
from adserver.catalog.yaml_reading import read_yaml
from adserver.domain.errors import InputRefused

RULE: dict[str, RawValue] = {"category": "betting", "as_of": "2026-11-01", "source": "the law"}


def checked(**rule: RawValue) -> JsonObject:
    return check_rules_file(Parsed({"rules": [{**RULE, **rule}]}, read_yaml(b"{}").positions))


def faults_of(**rule: RawValue) -> dict[str, str]:
    with pytest.raises(InputRefused) as refused:
        checked(**rule)
    return {fault.path.removeprefix("rules[0]."): fault.message for fault in refused.value.faults}


def test_a_rule_needs_a_category_a_day_and_a_source() -> None:
    assert checked() == {"rules": [RULE]}
    with pytest.raises(InputRefused) as refused:
        check_rules_file(Parsed({"rules": [{}]}, read_yaml(b"{}").positions))
    assert {fault.path for fault in refused.value.faults} == {
        "rules[0].category",
        "rules[0].as_of",
        "rules[0].source",
    }


@pytest.mark.parametrize("written", ["IA", "ia", "Iowa", "iowa"])
def test_a_state_is_stored_under_its_postal_code(written: str) -> None:
    line: JsonObject = {"allow": True, "disclosure": "21+"}
    document = checked(default="deny", states={written: {"allow": True, "disclosure": " 21+ "}})
    assert document == {"rules": [{**RULE, "default": "deny", "states": {"IA": line}}]}


def test_yaml_takes_no_state_for_a_truth_value() -> None:
    text = b"rules: [{category: a, as_of: 2026-01-01, source: x, states: {NO: {allow: true}, OR: {allow: false}}}]"
    with pytest.raises(InputRefused) as refused:
        check_rules_file(read_yaml(text))
    assert [fault.path for fault in refused.value.faults] == ["rules[0].states.NO"]


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        ({"category": "Betting"}, "category", "must be 1 to 64 of a-z"),
        ({"as_of": "2026-02-30"}, "as_of", "must be a day"),
        ({"as_of": None}, "as_of", "must be a day"),
        ({"source": ""}, "source", "must hold something that can be seen"),
        ({"source": "x" * 501}, "source", ""),
        ({"default": True}, "default", "must be one of deny, allow"),
        ({"default": "maybe"}, "default", "must be one of deny, allow"),
        ({"states": ["IA"]}, "states", "must be a mapping of states"),
        ({"states": {"Mars": {"allow": True}}}, "states.Mars", "there is no state 'Mars'"),
        ({"states": {"IA": {}}}, "states.IA.allow", "is missing; it must be true or false"),
        ({"states": {"IA": {"allow": "yes"}}}, "states.IA.allow", "must be true or false"),
        ({"states": {"IA": {"allow": 1}}}, "states.IA.allow", "must be true or false"),
        ({"states": {"IA": True}}, "states.IA", "must be a mapping with the fields allow, disclosure"),
        ({"states": {"IA": {"allow": True, "age": 21}}}, "states.IA.age", "unknown field; there are allow, disclosure"),
        ({"states": {"IA": {"allow": False, "disclosure": "x"}}}, "states.IA.disclosure", "goes with `allow: true`"),
        ({"states": {"IA": {"allow": True, "disclosure": "a\u202eb"}}}, "states.IA.disclosure", ""),
        ({"states": {"IA": {"allow": True}, "Iowa": {"allow": False}}}, "states.Iowa", "IA stands twice"),
        ({"until": "2027-01-01"}, "until", "unknown field; there are category, as_of, source, default, states"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_where_it_stands(rule: dict[str, RawValue], path: str, message: str) -> None:
    ((where, said),) = faults_of(**rule).items()
    assert where == path
    assert said.startswith(message)
