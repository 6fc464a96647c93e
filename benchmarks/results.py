"""Keeps the committed results: one JSON, one table and perhaps one picture per kind of measurement and Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from report import Session

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
README = HERE / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
KINDS = ("speed", "memory", "load")

Formatter = Callable[[Session], str]


def minor_version(session: Session) -> str:
    return ".".join(session["python"].split(".")[:2])


def load(path: Path) -> dict[str, Any]:
    """Return the session stored at `path`, or an empty one."""
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return stored


def merged(stored: Session, session: Session) -> Session:
    """Return `session` with the rows that only `stored` has; a row itself is always of one session."""
    seen = [*stored.get("implementations", []), *session["implementations"]]
    return {
        **session,
        "implementations": list(dict.fromkeys(seen)),
        "rows": {**stored.get("rows", {}), **session["rows"]},
    }


def save(kind: str, session: Session, report: Formatter, picture: Formatter | None = None) -> None:
    """Write `session` into the results, over the rows of the same name."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{kind}-{minor_version(session)}.json"
    complete = merged(load(path), session)
    path.write_text(json.dumps(complete, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(report(complete) + "\n", encoding="utf-8")
    if picture is not None:
        path.with_suffix(".svg").write_text(picture(complete), encoding="utf-8")


def by_version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.stem.rpartition("-")[2].split("."))


def rewrite_readme() -> None:
    """Put all stored tables and pictures between the markers of the README."""
    parts = [BEGIN]
    for kind in KINDS:
        for table in sorted(RESULTS.glob(f"{kind}-*.md"), key=by_version):
            parts.append(table.read_text(encoding="utf-8").strip())
            if table.with_suffix(".svg").exists():
                name = table.with_suffix(".svg").relative_to(HERE)
                parts.append(f"![{table.stem}: the ratios as a picture]({name})")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + "\n\n".join([*parts, END]) + after, encoding="utf-8")
