"""`trioasync matrix`: makes compat_matrix.md, and what `trioasync doctor` knows, from the evidence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trioasync._tools.matrix import facts, html, markdown
from trioasync._tools.matrix.differences import rows_of_cpython
from trioasync._tools.matrix.evidence import load
from trioasync._tools.matrix.known import DIFFERENCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["command"]


def command(arguments: list[str]) -> int:
    """Write or check the matrix, and return the exit status: 1 if a file to be checked is stale."""
    options = _parser().parse_args(arguments)
    evidence = load(options.evidence)
    if not evidence:
        print(f"trioasync matrix: there is no evidence in {options.evidence}; run it in a checkout", file=sys.stderr)
        return 2
    if options.html is not None:
        options.html.write_text(html.text(evidence), encoding="utf-8")
        return 0
    root = options.evidence.absolute().parent
    made = {
        root / "compat_matrix.md": markdown.text(evidence),
        root / "trioasync" / "_tools" / "matrix" / facts.FILE: facts.text(evidence),
    }
    return _check(made, root, evidence) if options.check else _write(made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trioasync matrix",
        description="Makes compat_matrix.md from what the test runs have written down in a checkout's evidence/.",
        allow_abbrev=False,
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something is stale")
    kinds.add_argument("--html", type=Path, metavar="FILE", help="write the matrix as one page that can be filtered")
    parser.add_argument("--evidence", type=Path, default=Path("evidence"), metavar="FOLDER", help="where it lies")
    return parser


def _write(made: dict[Path, str]) -> int:
    for file, text in made.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return 0


def _check(made: dict[Path, str], root: Path, evidence: Sequence[Evidence]) -> int:
    stale = [file for file, text in made.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    told = [f"{file.relative_to(root)} is stale: run 'trioasync matrix'" for file in stale]
    told += [f"the evidence names {name}, which is gone: record it again" for name in _gone(evidence, root)]
    told += [f"CPython's suite differs by {row!r}, which known.py does not have" for row in _unknown(evidence)]
    for line in told:
        print(line, file=sys.stderr)
    return 1 if told else 0


def _gone(evidence: Sequence[Evidence], root: Path) -> list[str]:
    """Return the tests of the evidence that are not in the checkout any more."""
    names = {name for each in evidence for part in each.parts for name in each.tests(part)}
    texts = {file: _read(root / file) for file in {name.partition("::")[0] for name in names}}
    return sorted(name for name in names if f"def {name.partition('::')[2]}(" not in texts[name.partition("::")[0]])


def _unknown(evidence: Sequence[Evidence]) -> list[str]:
    """Return the rows of CPython's suite that are no known difference."""
    rows = {row for each in evidence for row in rows_of_cpython(each) if row}
    return sorted(rows - {difference.title for difference in DIFFERENCES})


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
