"""`trioasync matrix --html` writes the same as one page that needs nothing beside itself."""

import re
from html.parser import HTMLParser

import pytest

from trioasync._tools.matrix import command, html, markdown
from trioasync._tools.matrix.evidence import load
from trioasync._tools.matrix.html import inline


class Page(HTMLParser):
    """What the tests look at: rows by their id, with the text of their cells; ids, links and open elements."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.ids, self.links, self.loaded, self.open = {}, [], [], [], []
        self._cells = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        self.loaded += [given["src"]] if "src" in given or tag == "link" else []
        if tag not in ("meta", "input"):
            self.open.append(tag)
        if tag == "tr":
            self._cells = self.rows.setdefault(given["id"], []) if "id" in given else None
        elif tag == "td" and self._cells is not None:
            self._cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self._cells and "td" in self.open:
            self._cells[-1] += data


@pytest.fixture
def page(folder):
    return Page(html.text(load(folder)))


def test_it_is_one_whole_page(page):
    """Each element is closed, and nothing is loaded from anywhere."""
    assert page.open == []
    assert page.loaded == []


def test_each_row_can_be_linked_to(page):
    """Rows have ids, no two the same, and a link to themselves."""
    assert len(set(page.ids)) == len(page.ids)
    assert {f"#{place}" for place in page.rows if "/" in place and page.rows[place]} <= set(page.links)
    assert "page/page_wait.first" in page.rows
    assert "names/taskgroup" in page.rows


def test_links_within_the_page_lead_somewhere(page):
    """Each goes to an id that is there."""
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)


def test_it_says_what_the_markdown_says(page, folder):
    """Every row with every cell, in the same order."""
    lines = [line for line in markdown.text(load(folder)).splitlines() if line.startswith("| ")]
    told = [plain(cell) for line in lines for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    shown = [cell.strip().removeprefix("#").strip() for row in page.rows.values() for cell in row]
    rest = iter(told)
    assert len(shown) > 80
    assert all(cell in rest for cell in shown)


def plain(cell):
    cell = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", cell.replace("\\|", "|"))
    return re.sub(r"`|\*\*|(?<!\w)\*|\*(?!\w)", "", cell).strip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b` c", "a <code>b</code> c"),
        ("x < y & z", "x &lt; y &amp; z"),
        ("**all** of *it*", "<strong>all</strong> of <em>it</em>"),
        ("[the page](#page)", '<a href="#page">the page</a>'),
        ("[test_x](tests/a.py)", '<span class="test" title="tests/a.py">test_x</span>'),
        ("2 * 3 * 4", "2 * 3 * 4"),
    ],
)
def test_markdown_within_a_line(text, shown):
    """As far as the matrix uses it; what HTML takes for its own is escaped."""
    assert inline(text) == shown


def test_the_command_writes_the_page_alone(folder, tmp_path):
    """`--html FILE` writes that file, and leaves the matrix as it is."""
    assert command.command(["--evidence", str(folder), "--html", str(tmp_path / "matrix.html")]) == 0
    assert (tmp_path / "matrix.html").read_text() == html.text(load(folder))
    assert not (tmp_path / "compat_matrix.md").exists()
