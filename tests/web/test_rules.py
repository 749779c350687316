"""`GET` and `PUT /v1/rules`: which categories may run in which states."""

from catalog_bench import campaign, campaign_file, slots_file
from management_desk import ADMIN, desk, errors_of, rules_file


def test_rules_are_given_as_they_were_put_and_kept_by_other_uploads() -> None:
    one = desk()
    answer = one.put_rules(rules_file("betting"))
    assert answer.status_code == 200
    plan = {"add": ["rules.betting"], "change": [], "remove": [], "effects": []}
    assert answer.json == {"base": 2, "revision": 3, "plan": plan}
    one.post(campaign_file(campaign("autumn")))
    one.put_slots(slots_file("masthead", "other"))
    given = one.get("/v1/rules")
    assert given.json == rules_file("betting")
    assert given.headers["ETag"] == '"5"'


def test_rules_show_in_the_plan_what_changes_and_leave_out_what_goes() -> None:
    one = desk()
    one.put_rules(rules_file("betting", "alcohol"))
    file = rules_file("betting")
    file["rules"][0]["states"] = {"IA": {"allow": False}, "MN": {"allow": False}}
    answer = one.put_rules(file)
    assert answer.json is not None
    assert answer.json["plan"] == {
        "add": [],
        "change": [
            {"path": "rules.betting.states.IA.allow", "from": True, "to": False},
            {"path": "rules.betting.states.IA.disclosure", "from": "21+", "to": None},
            {"path": "rules.betting.states.MN.allow", "from": None, "to": False},
        ],
        "remove": ["rules.alcohol"],
        "effects": [],
    }


def test_rules_may_be_emptied() -> None:
    one = desk()
    one.put_rules(rules_file("betting"))
    assert one.put_rules(rules_file()).status_code == 200
    assert one.get("/v1/rules").json == {"rules": []}


def test_rules_that_were_never_published_are_404() -> None:
    assert desk().get("/v1/rules").status_code == 404


def test_rules_that_are_wrong_are_refused_with_every_path() -> None:
    one = desk()
    file = rules_file("betting", "betting")
    file["rules"][1]["default"] = "allow"
    assert errors_of(one.put_rules(file))[0][0] == "rules[1].category"
    del file["rules"][1]
    file["rules"][0] |= {"as_of": "soon", "states": {"IA": {"allow": "yes"}, "Mars": {"allow": True}}}
    answer = one.put_rules(file)
    assert answer.status_code == 422
    assert {path for path, _ in errors_of(answer)} == {
        "rules[0].as_of",
        "rules[0].states.IA.allow",
        "rules[0].states.Mars",
    }
    assert one.get("/v1/rules").status_code == 404


def test_rules_are_guarded_by_if_match() -> None:
    one = desk()
    assert one.put_rules(rules_file(), {**ADMIN, "If-Match": '"1"'}).status_code == 409
