"""Reading and writing sources: every byte that no edit covers comes out as it went in."""

import ast

import pytest

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.source import Source, SourceError

TEXTS = {
    "empty": b"",
    "one line": b"x = 1\n",
    "no newline at the end": b"x = 1\ny = 2",
    "CRLF": b"x = 1\r\ny = 2\r\n",
    "mixed newlines": b"x = 1\r\ny = 2\nz = 3\r",
    "BOM": b"\xef\xbb\xbfx = 1\n",
    "BOM and cookie": b"\xef\xbb\xbf# coding: utf-8\nx = 1\n",
    "latin-1": b"# -*- coding: latin-1 -*-\nx = '\xe9\xff'\n",
    "cp1252 on line 2": b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n",
    "euc-jp": "# coding: euc-jp\nx = 'あ'\n".encode("euc-jp"),
    "form feed": b"x = 1\n\x0c\ny = '\x0c\x0b\x1c'\n",
    "line separators in strings": "x = '\u2028\u2029\x85'\ny = 2\n".encode(),
    "tabs": b"if x:\n\ty = 1\n",
}


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_bytes_come_back_as_they_were(data):
    """Decoding and encoding is the identity."""
    assert Source.decode(data).encode() == data


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_lines_are_python_s_lines(data):
    """The table of lines agrees with the parser: every node's span has the node's source in it."""
    source = Source.decode(data)
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Name):
            start, end = source.span(node)
            assert source.text[start:end] == node.id


@pytest.mark.parametrize(
    "data",
    [b"x = '\xff'\n", b"# coding: no-such-codec\nx = 1\n", b"\xef\xbb\xbf# coding: latin-1\nx = 1\n", b"\x80\n"],
    ids=["not UTF-8", "unknown codec", "BOM against cookie", "nothing at all"],
)
def test_bytes_that_are_no_source_are_refused(data):
    """Rather no edit than a broken file."""
    with pytest.raises(SourceError):
        Source.decode(data)


def test_spans_count_characters_where_ast_counts_bytes():
    """Before a node on its line may be anything."""
    source = Source("x = 'äöü€𝄞', asyncio.sleep  # ß\n")
    node = ast.parse(source.text).body[0].value.elts[1]
    start, end = source.span(node)
    assert source.text[start:end] == "asyncio.sleep"
    assert source.position(start) == (1, 14)


def test_an_offset_of_latin_1_text_does_not_depend_on_the_encoding():
    """ast sees the decoded text."""
    source = Source.decode("# coding: latin-1\nx = 'é'; name\n".encode("latin-1"))
    name = ast.parse(source.text).body[1].value
    assert source.text[slice(*source.span(name))] == "name"


def test_comments_are_found_and_signs_in_strings_are_not():
    """A comment is a token."""
    source = Source('x = "# no"  # yes\n"""\n# no\n"""\n# also\r\ny = f"{x!r:#>5}"\n')
    assert [comment.text for comment in source.comments()] == ["# yes", "# also"]
    assert [source.text[c.start : c.end] for c in source.comments()] == ["# yes", "# also"]
    assert source.comments(0, 5) == []


def test_lines_inside_of_strings_are_known():
    """They must not be indented: it would change the string."""
    source = Source('x = """a\nb\n  c""" + f"""d\n{\n x}\ne"""\ny = ("f"\n"g")\n')
    assert source.lines_inside_strings >= {2, 3, 4, 6}
    assert not source.lines_inside_strings & {1, 7, 8}


def test_edits_get_the_newlines_of_the_file():
    """An edit is written with \\n."""
    source = Source("a\r\nb\r\nc\n")
    assert source.apply([Edit(1, 1, "1\n2"), Edit(6, 7, "")]) == "a1\r\n2\r\nb\r\n\n"


def test_edits_are_made_in_the_order_of_the_text():
    """Two that touch do not disturb each other."""
    source = Source("abc")
    assert source.apply([Edit(2, 3, "Z"), Edit(1, 2, "Y"), Edit(1, 1, "+"), Edit(3, 3, "!")]) == "a+YZ!"


@pytest.mark.parametrize("edits", [[Edit(0, 2, ""), Edit(1, 3, "")], [Edit(2, 1, "")], [Edit(0, 9, "")]])
def test_edits_that_cannot_be_made_are_refused(edits):
    """Overlapping, backwards, out of the text."""
    with pytest.raises(ValueError, match="overlaps another or lies outside"):
        Source("abc").apply(edits)
