"""What the code may import, and how long it may grow: the rules of docs/design.md, kept by reading the code itself."""

import ast
import functools
import gc
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "trioasync"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
RUNTIME = [module for module in MODULES if module != "__main__.py" and not module.startswith("_tools/")]

MAY_IMPORT_TRIO = {"_trio.py", "runners.py", "loop.py", "threads.py", "exceptions.py"}
# To be copied into programs that have left asyncio behind.
MAY_IMPORT_TRIO.add("_tools/migrate/helpers.py")
DOCUMENTED = {
    "_get_running_loop",
    "_set_running_loop",
    "_register_task",
    "_unregister_task",
    "_enter_task",
    "_leave_task",
}
MODULE_LINES = 450
FUNCTION_LINES = 55


@functools.cache
def tree(module):
    gc.disable()  # CPython 3.11 does not stand a finalizer that runs while it parses
    try:
        return ast.parse((PACKAGE / module).read_text())
    finally:
        gc.enable()


def nodes(module, *kinds):
    return [node for node in ast.walk(tree(module)) if isinstance(node, kinds)]


def in_folder(folder):
    return [module for module in MODULES if module.startswith(folder + "/")]


def imports(module):
    """The absolute names of what a module imports: of modules, and of names in modules."""
    package = ["trioasync", *Path(module).parts[:-1]]
    names = set()
    for node in nodes(module, ast.Import):
        names |= {alias.name for alias in node.names}
    for node in nodes(module, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        source = ".".join([*base, *filter(None, [node.module])])
        names |= {f"{source}.{alias.name}" for alias in node.names}
    return names


def imported(module, package):
    return {name for name in imports(module) if name == package or name.startswith(package + ".")}


def private(name):
    return name.startswith("_") and not name.startswith("__")


def names_bound_to(module, package):
    """The local names under which a module holds `package`, its submodules and its classes."""
    bound = set()
    for node in nodes(module, ast.Import):
        bound |= {alias.asname or package for alias in node.names if alias.name.split(".")[0] == package}
    for node in nodes(module, ast.ImportFrom):
        if not node.level and (node.module or "").split(".")[0] == package:
            bound |= {alias.asname or alias.name for alias in node.names}
    return bound


def private_uses(module, package):
    """Where a module reads a private name of another package: `package.x._y`, or `from package.x import _y`."""
    bound = names_bound_to(module, package)
    uses = {name for name in imported(module, package) if any(map(private, name.split(".")[1:]))}
    for node in nodes(module, ast.Attribute):
        path = ast.unparse(node)
        if private(node.attr) and path.split(".")[0] in bound:
            uses.add(path)
    return uses


# Doors


@pytest.mark.parametrize("module", [m for m in MODULES if m not in MAY_IMPORT_TRIO and not m.startswith("_host/")])
def test_trio_is_imported_by_the_host_alone(module):
    """Only the host, the door to trio and the few public modules that hand trio's things on know trio."""
    assert imported(module, "trio") == set()


@pytest.mark.parametrize("module", [m for m in MODULES if m != "_trio.py"])
def test_private_names_of_trio_are_read_behind_one_door(module):
    """`_trio.py` names each of them once."""
    assert private_uses(module, "trio") == set()


@pytest.mark.parametrize("module", [m for m in MODULES if m != "_stdlib.py"])
def test_private_names_of_asyncio_are_read_behind_one_door(module):
    """`_stdlib.py` names each once. What asyncio documents for other people's loops and tasks is not private."""
    assert {use for use in private_uses(module, "asyncio") if use.split(".")[-1] not in DOCUMENTED} == set()


# Rings


@pytest.mark.parametrize("module", RUNTIME)
def test_tools_are_imported_by_nothing_of_the_runtime(module):
    """The command line stands above everything."""
    assert imported(module, "trioasync._tools") == set()


@pytest.mark.parametrize("module", ["_stdlib.py", "_trio.py", "exceptions.py", "_version.py"])
def test_the_lowest_modules_import_nothing_above_them(module):
    """The doors and the exceptions know only each other."""
    lowest = {"_stdlib", "_trio", "exceptions", "_version"}
    ours = {name.split(".")[1] for name in imported(module, "trioasync") if "." in name}
    assert ours <= lowest


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m not in ("__init__.py", "__main__.py") and not m.startswith("_tools/")]
)
def test_the_switch_is_imported_by_nothing_below_it(module):
    """What `install()` replaces must not depend on whether it has been called."""
    assert imported(module, "trioasync._install") == set()


def test_the_namespace_has_no_logic():
    """`__init__.py` imports and lists names; what else it has are names that warn when they are asked for."""
    functions = nodes("__init__.py", ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert {function.name for function in functions} <= {"__getattr__"}


# Sizes


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_read_in_one_sitting(module):
    """At most 450 lines."""
    assert len((PACKAGE / module).read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("module", MODULES)
def test_a_function_fits_on_a_screen(module):
    """At most 55 lines with its docstring."""
    functions = nodes(module, ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {function.name: function.end_lineno - function.lineno + 1 for function in functions}
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


@pytest.mark.parametrize("module", [m for m in MODULES if m.split("/")[-1] != "__init__.py"])
def test_a_module_says_what_it_is_for(module):
    """Its first line is a docstring."""
    assert ast.get_docstring(tree(module))


# Words


def texts():
    """Every text file that is part of the project."""
    folders = ["trioasync", "tests", "examples", "benchmarks", "docs", ".ci"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml")]
    return [
        path for path in files if path.suffix in (".py", ".md", ".toml", ".txt", ".json", ".csv") or path.name == "run"
    ]


def test_no_file_names_places_of_one_machine():
    """What holds on one machine only has no place in the project."""
    places = ["/" + "work/", "/" + "tmp/w/", "/" + "root/", "/" + "home/", "/" + "opt/"]
    found = [
        (path.relative_to(ROOT).as_posix(), place) for path in texts() for place in places if place in path.read_text()
    ]
    assert found == []


def test_the_tests_that_the_design_names_exist():
    """Each row of its tables says what proves it."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "design.md").read_text()))
    defined = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert len(named) > 20
    assert named <= defined
