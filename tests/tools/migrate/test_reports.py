"""The reports of an audit: JSON, SARIF, Markdown, HTML and text, all from one document."""

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.tools.migrate.audited import audit, document, write
from trioasync._tools.migrate import report_html, report_json, report_md, report_sarif, report_text

SARIF = json.loads((Path(__file__).parent / "sarif.schema.json").read_text())
NASTY = "</script><script>alert(1)</script> | `a` <b> & *x* \\ \u2028 é"


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The code base, as the current directory."""
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def doc(code, capsys):
    """The document of the whole code base."""
    return document(capsys, ".")


def validator(schema):
    """Return what checks a document; jsonschema is not there for every Python."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def nasty(doc):
    """Return the document with texts in it that no format may take for its own signs."""
    doc = copy.deepcopy(doc)
    for finding in doc["findings"]:
        finding.update(message=NASTY, help=NASTY, text=NASTY, function=NASTY, path=NASTY)
    for file in doc["files"]:
        file["path"] = NASTY
    for error in doc["errors"]:
        error.update(path=NASTY, message=NASTY)
    return doc


# JSON


def test_the_json_report_is_valid_by_its_schema(doc):
    """Of a code base that has something of everything."""
    validator(report_json.schema()).validate(doc)
    assert doc["findings"]
    assert all(doc[part] for part in ("files", "symbols", "rules", "dependencies", "errors"))


def test_the_schema_allows_nothing_else(doc):
    """A field that is missing, and one too many, are errors; so is another version."""
    check = validator(report_json.schema())
    for part, change in [
        (doc, {"schema": 2}),
        (doc["summary"], {"native_pct": 101}),
        (doc["findings"][0], {"safety": "D"}),
        (doc["findings"][0]["start"], {"line": 0}),
        (doc["files"][0], {"extra": 1}),
    ]:
        before = dict(part)
        part.update(change)
        assert not check.is_valid(doc)
        part.clear()
        part.update(before)
    assert check.is_valid(doc)


def test_the_schema_is_published_by_the_command(capsys):
    """For whoever reads the reports."""
    status, text, _ = audit(capsys, "--schema")
    assert status == 0
    assert json.loads(text) == report_json.schema()


def test_the_report_of_nothing_is_valid(tmp_path, monkeypatch, capsys):
    """No file, no finding, no share."""
    monkeypatch.chdir(tmp_path)
    empty = document(capsys, ".")
    validator(report_json.schema()).validate(empty)
    assert empty["findings"] == empty["files"] == []


def test_json_is_read_back_as_it_was(doc):
    """One line for each finding, so that a difference between two reports can be read."""
    text = report_json.write(doc)
    assert json.loads(text) == doc
    assert all(text.count(json.dumps(finding)) == 1 for finding in doc["findings"])
    assert len(text.splitlines()) > len(doc["findings"])


def test_a_report_has_no_time_and_no_place_of_the_machine(code, doc):
    """Two machines give the same report."""
    assert str(code) not in report_json.write(doc)
    assert not re.search(r"20\d\d-\d\d", report_json.write(doc))


# SARIF


def test_the_sarif_report_is_valid_by_its_schema(code, capsys):
    """With rules, results, fixes, and what went wrong."""
    log = json.loads(audit(capsys, "--format", "sarif", ".")[1])
    validator(SARIF).validate(log)
    (run,) = log["runs"]
    assert run["results"]
    assert any("fixes" in result for result in run["results"])
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1


def test_sarif_results_name_their_rules(doc):
    """The index leads to the rule with that id, and the level is the class's."""
    (run,) = json.loads(report_sarif.write(doc))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [f["code"] for f in doc["findings"]]
    levels = {"A": "note", "B": "warning", "C": "error"}
    assert [result["level"] for result in run["results"]] == [levels[f["safety"]] for f in doc["findings"]]
    assert [r["partialFingerprints"]["trioasync/v1"] for r in run["results"]] == [
        f["fingerprint"] for f in doc["findings"]
    ]


def test_sarif_places_are_uris_from_the_root(doc):
    """Signs that a URI cannot have are escaped, and no path is absolute."""
    log = json.loads(report_sarif.write(nasty(doc)))
    validator(SARIF).validate(log)
    for result in log["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert unquote(place["uri"]) == NASTY
        assert place["uriBaseId"] == "%SRCROOT%"


# Markdown


def test_markdown_has_a_row_for_each_rule_and_each_file(doc):
    """And a box to tick for what a person must do."""
    text = report_md.write(doc)
    assert [line for line in text.splitlines() if line.startswith("| `app/half.py`")] == [
        "| `app/half.py` | 2 | 1 | 0 | 1 | 50 % | 75 % |"
    ]
    for rule in doc["rules"]:
        assert f"| `{rule['code']}` | {rule['safety']} | " in text
    assert text.count("* [ ] ") == sum(finding["safety"] == "C" for finding in doc["findings"])


def test_markdown_tables_hold(doc):
    """Every row of a table has as many cells as its head, whatever the texts are."""
    for text in (report_md.write(doc), report_md.write(nasty(doc))):
        tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("| ")]
        assert len(tables) >= 3
        for table in tables:
            assert {len(re.findall(r"(?<!\\)\|", row)) for row in table} == {table[0].count("|")}


# HTML


class Page(HTMLParser):
    """What a browser takes from a page: tags that load something, and the text of scripts by type."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.scripts, self._script = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.loads += [(tag, value) for name, value in attributes.items() if name in ("src", "href", "action", "data")]
        if tag == "script":
            self._script = [attributes.get("type"), ""]
            self.scripts.append(self._script)

    def handle_data(self, data):
        if self._script:
            self._script[1] += data

    def handle_endtag(self, tag):
        self._script = None


def test_the_page_has_the_whole_document_in_it(doc):
    """As data, which no text in it can end."""
    for each in (doc, nasty(doc)):
        page = Page(report_html.write(each))
        assert [kind for kind, _ in page.scripts] == ["application/json", None]
        assert json.loads(page.scripts[0][1]) == each


def test_the_page_needs_nothing_else(doc):
    """It loads nothing, its policy forbids to, and its program never writes text as HTML."""
    text = report_html.write(doc)
    assert Page(text).loads == [("link", "data:,")]
    assert "default-src 'none'" in text
    program = Page(text).scripts[1][1]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|https?:|import\(|fetch\(", program)


def test_the_page_says_something_without_scripts(doc):
    """The summary."""
    text = report_html.write(doc)
    assert report_text.summary(doc).replace("'", "&#x27;") in re.search(r"<noscript>.*?</noscript>", text, re.S).group()


# Text


def test_text_has_a_line_for_each_finding_as_compilers_do(doc):
    """Path, line, column, code and class."""
    lines = report_text.write(doc).splitlines()
    for finding in doc["findings"]:
        place = f"{finding['path']}:{finding['start']['line']}:{finding['start']['col']}: "
        assert sum(line.startswith(f"{place}{finding['code']}[{finding['safety']}] ") for line in lines) >= 1


def test_text_tells_of_each_function(doc):
    """With the names of asyncio that it uses, and how often."""
    text = report_text.write(doc)
    assert "\n    Jobs.nap: 1 A, 1 B: asyncio.sleep (2)\n" in text
    assert "\n    native: 1 native\n" in text


def test_the_last_line_is_the_summary(doc):
    """What a person reads first."""
    last = report_text.write(doc).splitlines()[-1]
    assert last == report_text.summary(doc)
    counts = r"7 files scanned, \d+ lines, 1 not read; 9 uses of asyncio: 2 A, \d B, \d C"
    assert re.fullmatch(counts + r"; 25% native, \d+% within the tool's reach", last)
