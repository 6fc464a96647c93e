"""What a run was asked for: options, and `[tool.trioasync]` of the nearest pyproject.toml."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trioasync._tools.migrate import toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ConfigError", "Options", "load"]

_CHOICES = {
    "safety": ("A", "B"),
    "timeout_style": ("preserve", "native"),
    "helpers": ("vendor", "import", "none"),
}


class ConfigError(Exception):
    """The settings say something that cannot be done."""


@dataclass(frozen=True)
class Options:
    """Everything that decides what a run does to one file.

    Args:
        stage: 1 rewrites imports, 2 rewrites asyncio to trio.
        safety: the least safe class of fixes that is made: "A" or "B".
        select: only these codes, as prefixes; empty means all.
        ignore: not these codes, as prefixes.
        timeout_style: "preserve" keeps TimeoutError, "native" uses `trio.fail_after`.
        helpers: whether helper functions are copied into the project, imported, or not used.
        todo: put a TODO comment above what a person must do.
        python: the oldest Python that the code must run on.
        exclude: patterns of files and folders that are left out.
        jobs: how many processes share the work.
    """

    stage: int = 2
    safety: Literal["A", "B"] = "A"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    timeout_style: Literal["preserve", "native"] = "preserve"
    helpers: Literal["vendor", "import", "none"] = "vendor"
    todo: bool = False
    python: tuple[int, int] = (3, 10)
    exclude: tuple[str, ...] = ()
    jobs: int = 1

    def wants(self, code: str) -> bool:
        """Tell whether findings of a code are asked for."""
        if self.ignore and code.startswith(self.ignore):
            return False
        return not self.select or code.startswith(self.select)


def load(paths: Sequence[str], overrides: Mapping[str, object]) -> Options:
    """Give the options of a run: defaults, then pyproject.toml, then the command line.

    Args:
        paths: what is looked at; the pyproject.toml of the first one's folder, or of one above it, counts.
        overrides: what the command line says, by the names of `Options`; None means that it says nothing.

    Raises:
        ConfigError: the file cannot be read, or has a setting that is not known.
    """
    settings: dict[str, Any] = {}
    file = project_file(paths[0] if paths else ".")
    if file is not None:
        settings = _from_file(file)
    settings.update({name: value for name, value in overrides.items() if value is not None})
    return replace(Options(), **settings)


def project_file(path: str) -> Path | None:
    """Give the pyproject.toml nearest to a path."""
    start = Path(os.path.abspath(path))
    for folder in [start, *start.parents] if start.is_dir() else start.parents:
        if (folder / "pyproject.toml").is_file():
            return folder / "pyproject.toml"
    return None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        tables = toml.read(file.read_text("utf-8"), ("project", "tool.trioasync"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: {error}") from None
    settings: dict[str, Any] = {}
    oldest = re.search(r">=?\s*(\d+)\.(\d+)", str(tables["project"].get("requires-python", "")))
    if oldest:
        settings["python"] = (int(oldest.group(1)), int(oldest.group(2)))
    known = {field.name for field in fields(Options)} - {"stage"}
    for key, value in tables["tool.trioasync"].items():
        name = key.replace("-", "_")
        if name not in known:
            raise ConfigError(f"{file}: [tool.trioasync] has no setting {key!r}")
        settings[name] = _checked(file, key, name, value)
    return settings


def _checked(file: Path, key: str, name: str, value: Any) -> Any:
    """Give a setting's value as `Options` has it."""
    if name in _CHOICES:
        good = value in _CHOICES[name]
    elif name == "python":
        match = re.fullmatch(r"(\d+)\.(\d+)", str(value))
        good = match is not None
        value = (int(match.group(1)), int(match.group(2))) if match else value
    elif name in ("select", "ignore", "exclude"):
        good = isinstance(value, list) and all(isinstance(part, str) for part in value)
        value = tuple(value) if good else value
    else:
        good = isinstance(value, bool if name == "todo" else int)
    if not good:
        raise ConfigError(f"{file}: {key} cannot be {value!r}")
    return value
