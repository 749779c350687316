import json
import logging
import sys

from adserver.processes.logs import ConsoleFormatter, JsonFormatter


def record(**extra: object) -> logging.LogRecord:
    line = logging.makeLogRecord({"name": "adserver.catalog", "levelname": "WARNING", "msg": "catalog.store_away"})
    vars(line).update(extra)
    return line


def test_a_line_for_people_has_the_event_and_its_fields() -> None:
    assert ConsoleFormatter().format(record(fault="no answer"))[9:] == "warning catalog.store_away fault=no answer"


def test_a_line_for_machines_is_one_json_object() -> None:
    line = JsonFormatter().format(record(fault="two\nlines"))

    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["fault"]) == ("catalog.store_away", "warning", "two\nlines")


def test_a_trace_follows_its_line() -> None:
    try:
        int("why")
    except ValueError:
        failed = record(exc_info=sys.exc_info())

    assert "ValueError: invalid literal" in ConsoleFormatter().format(failed)
    assert "ValueError: invalid literal" in json.loads(JsonFormatter().format(failed))["trace"]
