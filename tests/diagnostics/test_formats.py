"""What `check --format` prints for programs, of every diagnostic that the cases of the tests bring about."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sarif_structure import LOG

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.diagnostics.found import FORMATS, Found, Right
from cnnspec.lint import linted
from cnnspec.network import check, read_source
from cnnspec.source import Source, Span

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted([*(ROOT / "tests" / "cases").rglob("*.cnn"), *(ROOT / "tests" / "syntax" / "cases").rglob("*.cnn")])
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "diagnostics.schema.json").read_text(encoding="utf-8"))
SOURCE = Source("a, b: c\\d é.cnn", "model 100%\nsecond line\n")
ODD = Diagnostic(
    "E301",
    "50 % of it,\x1b[31m or: more",
    Span(SOURCE, 6, 10),
    "here",
    (Label(Span(SOURCE, 11, 17), "there"),),
    "because\nof this",
    ("a note",),
    (Fix("in words"), Fix("by an edit", (Edit(Span(SOURCE, 6, 17), "x\ny"),), safe=True)),
)


def found() -> list[Found]:
    """What the cases bring about, and one diagnostic with everything that needs care."""
    files = [Found(SOURCE.name, (ODD,)), Found("<stdin>", (), (Right("M", "1x8x8", "10", 650),))]
    for path in CASES:
        checked = linted(check(read_source(path)))
        files.append(Found(path.name, checked.diagnostics))
    return files


def printed(form: str, files: list[Found], *, color: bool = False) -> str:
    module = import_module(f"cnnspec.diagnostics.{FORMATS[form]}")
    return "".join(f"{text}\n" for text in module.report(files, color=color))


@pytest.fixture(scope="module")
def files() -> list[Found]:
    return found()


def test_json_is_as_its_schema_says(files: list[Found]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(printed("json", files))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert sum(document["summary"].values()) == sum(len(each.diagnostics) for each in files) > 100
    assert document["files"][1]["models"] == [{"name": "M", "input": "1x8x8", "output": "10", "parameters": 650}]


def test_json_says_all_that_is_known() -> None:
    (file,) = json.loads(printed("json", [Found("a", (ODD,))]))["files"]
    (told,) = file["diagnostics"]
    assert (told["code"], told["name"], told["severity"]) == ("E301", "size-mismatch", "error")
    assert (told["message"], told["why"], told["notes"]) == (ODD.message, ODD.why, list(ODD.notes))
    assert told["start"] == {"line": 1, "column": 7, "offset": 6}
    assert told["end"] == {"line": 1, "column": 11, "offset": 10}
    assert told["labels"][0]["text"] == "there"
    assert [(fix["safe"], len(fix["edits"])) for fix in told["fixes"]] == [(False, 0), (True, 1)]
    edit = told["fixes"][1]["edits"][0]
    assert (edit["start"]["line"], edit["end"]["line"], edit["text"]) == (1, 2, "x\ny")


def test_the_schema_refuses_what_it_does_not_know(files: list[Found]) -> None:
    document = json.loads(printed("json", files))
    document["files"][0]["diagnostics"][0]["colour"] = "red"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_sarif_has_its_structure(files: list[Found]) -> None:
    document = json.loads(printed("sarif", files))
    jsonschema.validate(document, LOG)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == sum(len(each.diagnostics) for each in files)
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}: ")
        for place in places(result):
            assert (place["startLine"], place["startColumn"]) <= (place["endLine"], place["endColumn"])


def places(result: dict[str, Any]) -> list[dict[str, int]]:
    spots = [*result["locations"], *result.get("relatedLocations", [])]
    changes = [change for fix in result.get("fixes", []) for change in fix["artifactChanges"]]
    regions = [each["deletedRegion"] for change in changes for each in change["replacements"]]
    return [each["physicalLocation"]["region"] for each in spots] + regions


def test_sarif_of_something_odd() -> None:
    twice = [Found(SOURCE.name, (ODD,)), Found(SOURCE.name, ())]
    document = json.loads(printed("sarif", twice))
    jsonschema.validate(document, LOG)
    (run,) = document["runs"]
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%2C%20b%3A%20c/d%20%C3%A9.cnn"
    assert [fix["description"]["text"] for fix in result["fixes"]] == ["by an edit"]
    assert run["tool"]["driver"]["rules"][0]["name"] == "SizeMismatch"


def test_concise_is_one_line_each(files: list[Found]) -> None:
    lines = printed("concise", files).splitlines()
    assert len(lines) == sum(len(each.diagnostics) for each in files)
    assert all(re.match(r"\S.*:\d+:\d+: [EWN]\d{3} \S", line) for line in lines)
    assert lines[0] == f"{SOURCE.name}:1:7: E301 50 % of it,\N{REPLACEMENT CHARACTER}[31m or: more"
    assert printed("concise", files[:1], color=True).count("\x1b[") == 2


def test_annotations_of_github(files: list[Found]) -> None:
    lines = printed("github", files).splitlines()
    assert len(lines) == sum(len(each.diagnostics) for each in files)
    assert all(re.match(r"::(error|warning|notice) file=[^:,]+,line=\d+,endLine=\d+,[^:]+::\S", line) for line in lines)
    assert lines[0] == (
        "::error file=a%2C b%3A c/d é.cnn,line=1,endLine=1,col=7,endColumn=11,title=E301 size-mismatch"
        "::50 %25 of it,\N{REPLACEMENT CHARACTER}[31m or: more%0Awhy: because%0Aof this%0Anote: a note"
        "%0Ahelp: in words%0Ahelp: by an edit"
    )


def test_a_person_is_spared_all_but_the_first() -> None:
    text = printed("human", [Found("a", (ODD,) * 60)])
    assert text.count("error[E301]") == 50
    assert text.endswith("... and 10 more\n\n")


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_found(form: str) -> None:
    text = printed(form, [])
    assert text == "" or json.loads(text)
