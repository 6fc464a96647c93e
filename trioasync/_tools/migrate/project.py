"""What is known of all files together, gathered file by file: no tree is kept."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.discover import Place

__all__ = ["FileFacts", "Project", "facts_of", "quick_facts"]

_ATTRIBUTE = re.compile(r"\.\s*([^\W\d]\w*)")
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+([^#\n]*)|import[ \t]+([^#\n]+))", re.MULTILINE)
_FUNCTION = re.compile(r"^(async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class FileFacts:
    """What other files may want to know of one file.

    Args:
        path: as it was given.
        module: dotted name, "" if it is not known.
        functions: qualified names of its functions, and whether each is an `async def` that is no generator.
        attributes: names that are read or written as attributes, but for `self.x` in a class that sets x itself.
        imports: what it imports, absolute: modules, and names in modules.
        uses: canonical names of asyncio and trio that it uses.
        residual: canonical names of asyncio that are left when every fix has been made that is not gated.
    """

    path: str
    module: str = ""
    functions: Mapping[str, bool | None] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    residual: frozenset[str] = frozenset()


def facts_of(ctx: Context) -> FileFacts:
    """Gather the facts of a file that has been parsed."""
    functions: dict[str, bool | None] = {}
    generators = {ctx.function(node) for node in ctx.nodes(ast.Yield, ast.YieldFrom)}
    for node in ctx.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        around = ctx.qualname(node)
        name = f"{around}.{node.name}" if around else node.name
        known: bool | None = isinstance(node, ast.AsyncFunctionDef) and node not in generators
        functions[name] = None if node.decorator_list or functions.get(name, known) != known else known
    imports: set[str] = set()
    for alias in ctx.bindings.by_type[ast.alias]:
        assert isinstance(alias, ast.alias)
        statement = ctx.parent(alias)
        imports.add(alias.name if isinstance(statement, ast.Import) else ctx.bindings.import_target(alias))
    return FileFacts(ctx.path, ctx.module, functions, _attributes(ctx), frozenset(imports), frozenset(ctx.uses))


def _attributes(ctx: Context) -> frozenset[str]:
    """Give the attributes that may be of other files' classes: all but `self.x` in a class that sets x."""
    read: set[str] = set()
    of_self: list[ast.Attribute] = []
    own: set[tuple[ast.ClassDef | None, str]] = set()
    for node in ctx.bindings.by_type[ast.Attribute]:
        assert isinstance(node, ast.Attribute)
        if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
            read.add(node.attr)
        elif isinstance(node.ctx, ast.Store):
            own.add((ctx.class_of(node), node.attr))
        else:
            of_self.append(node)
    set_here = {name for _, name in own}
    read |= {
        node.attr
        for node in of_self
        if node.attr not in read and (node.attr not in set_here or (ctx.class_of(node), node.attr) not in own)
    }
    return frozenset(read)


def quick_facts(text: str, place: Place) -> FileFacts:
    """Gather the facts of a file without asyncio from its text alone: rather too many than too few."""
    functions: dict[str, bool | None] = {}
    for match in _FUNCTION.finditer(text):
        # Whether an `async def` yields, or is decorated, is not seen from here.
        functions[match.group(2)] = None if match.group(1) else False
    package = place.module if place.is_package else place.module.rpartition(".")[0]
    imports: set[str] = set()
    for source, names, modules in _IMPORT.findall(text):
        if modules:
            imports |= {part.split()[0] for part in modules.split(",") if part.strip()}
            continue
        base = _absolute(source, package)
        imports |= {base, *(f"{base}.{name}" for name in re.findall(r"\w+", names))}
    return FileFacts(place.path, place.module, functions, frozenset(_ATTRIBUTE.findall(text)), frozenset(imports))


def _absolute(source: str, package: str) -> str:
    name = source.lstrip(".")
    level = len(source) - len(name)
    if not level:
        return name
    parts = package.split(".") if package else []
    if level > len(parts):
        return source
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, name] if name else base)


class Project:
    """All files of a run, by path and by module.

    Args:
        files: the facts.
    """

    def __init__(self, files: Iterable[FileFacts] = ()) -> None:
        self.files = {facts.path: facts for facts in files}
        self._modules = {facts.module: facts for facts in self.files.values() if facts.module}
        self._holders: dict[str, set[str]] = {}
        self._importers: dict[str, set[str]] = {}
        for facts in self.files.values():
            for name in facts.attributes:
                self._holders.setdefault(name, set()).add(facts.path)
            for name in facts.imports:
                self._importers.setdefault(name, set()).add(facts.path)

    def with_residuals(self, residuals: Mapping[str, frozenset[str]]) -> Project:
        """Give the same project, knowing what is left in each file."""
        return Project(replace(facts, residual=residuals.get(path, frozenset())) for path, facts in self.files.items())

    def is_async(self, name: str) -> bool | None:
        """Tell whether a dotted name is an `async def` of the project; None if it is not known."""
        parts = name.split(".")
        for length in range(len(parts) - 1, 0, -1):
            facts = self._modules.get(".".join(parts[:length]))
            if facts is not None:
                return facts.functions.get(".".join(parts[length:]))
        return None

    def attribute_elsewhere(self, path: str, name: str) -> bool:
        """Tell whether a file other than `path` reads or writes an attribute of this name."""
        return bool(self._holders.get(name, set()) - {path})

    def imported_elsewhere(self, path: str, module: str) -> bool:
        """Tell whether a file other than `path` imports a module, or a name in it."""
        return bool(self._importers.get(module, set()) - {path})

    def uses_elsewhere(self, path: str, name: str) -> bool:
        """Tell whether a file other than `path` uses a canonical name, "asyncio.TimeoutError" say."""
        return any(name in facts.uses for facts in self.files.values() if facts.path != path)

    def knows_better(self, path: str, asked: Iterable[tuple[str, str]]) -> bool:
        """Tell whether a question that a file asked has another answer here than without knowing any other file."""
        answers: Mapping[str, Callable[[str], object]] = {
            "is_async": self.is_async,
            "attribute": partial(self.attribute_elsewhere, path),
            "imported": partial(self.imported_elsewhere, path),
            "uses": partial(self.uses_elsewhere, path),
            "files": lambda _: len(self.files) > 1,
        }
        unknown: Mapping[str, object] = {"is_async": None}
        return any(answers[question](name) is not unknown.get(question, False) for question, name in asked)

    def has_module(self, name: str) -> bool:
        """Tell whether a dotted name is a module or package of the project, or of one that it has a part of."""
        return name in self._modules or any(module.startswith(name + ".") for module in self._modules)

    def reach(self, path: str) -> list[FileFacts]:
        """Give a file and all files of the project that it imports, directly or not."""
        seen: dict[str, FileFacts] = {}
        todo = [self.files[path]] if path in self.files else []
        while todo:
            facts = todo.pop()
            if facts.path in seen:
                continue
            seen[facts.path] = facts
            todo += [found for name in facts.imports for found in self._imported(name)]
        return [seen[path] for path in sorted(seen)]

    def _imported(self, name: str) -> list[FileFacts]:
        """Give the modules that importing a dotted name runs."""
        parts = name.split(".")
        names = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
        return [self._modules[module] for module in names if module in self._modules]


class Asking:
    """The project as a rule sees it: what was asked is written down.

    Args:
        project: what is known so far.
        path: the file that asks.
        asked: where the questions go.
    """

    def __init__(self, project: Project, path: str, asked: set[tuple[str, str]]) -> None:
        self._project = project
        self._path = path
        self._asked = asked

    def is_async(self, name: str) -> bool | None:
        """Tell whether a dotted name is an `async def` of the project; None if it is not known."""
        self._asked.add(("is_async", name))
        return self._project.is_async(name)

    def attribute_elsewhere(self, path: str, name: str) -> bool:
        """Tell whether a file other than `path` reads or writes an attribute of this name."""
        self._asked.add(("attribute", name))
        return self._project.attribute_elsewhere(path, name)

    def imported_elsewhere(self, path: str, module: str) -> bool:
        """Tell whether a file other than `path` imports a module, or a name in it."""
        self._asked.add(("imported", module))
        return self._project.imported_elsewhere(path, module)

    def uses_elsewhere(self, path: str, name: str) -> bool:
        """Tell whether a file other than `path` uses a canonical name."""
        self._asked.add(("uses", name))
        return self._project.uses_elsewhere(path, name)

    @property
    def files(self) -> Mapping[str, FileFacts]:
        """The facts of all files: prefer a question, for which a file is looked at a second time less often."""
        self._asked.add(("files", ""))
        return self._project.files
