"""Which tests are behind which part of compat_matrix.md, and how the rows of a part are arranged."""

import ast
import importlib
import importlib.metadata
import inspect
import re

import trioasync
from trioasync._tools.matrix.known import DIFFERENCES

# What a library's tests are named after, where that is not the name of its distribution.
DISTRIBUTIONS = {"anyio_limits": "anyio", "grpc": "grpcio", "telegram": "python-telegram-bot"}
# Tests beside those of the libraries that are about no library.
NO_LIBRARY = {"servers"}
# Random programs have no row of their own: they are all of the mixing at once.
NO_ROW = {"random_programs"}


def finder():
    """Return a function that gives the parts that a collected test is behind, in order."""
    behind_methods = {name for names in loop_methods().values() for name in names}
    behind_differences = {name for difference in DIFFERENCES for name in difference.proofs}

    def parts_of(item):
        name = item.nodeid.partition("[")[0]
        folder, _, stem = name.partition("::")[0].removesuffix(".py").rpartition("/test_")
        rules = {
            "page": folder == "tests/parity" and stem.startswith("page_"),
            "names": name.startswith("tests/tools/matrix/test_names.py::test_what_became_of"),
            "methods": name in behind_methods,
            "mixing": folder == "tests/mixing" and stem not in NO_ROW,
            "libraries": folder == "tests/libraries" and stem not in NO_LIBRARY,
            "differences": name in behind_differences,
        }
        return [part for part, holds in rules.items() if holds]

    return parts_of


def about(part, tests):
    """Return what else the evidence says of a part: how its rows are arranged, and versions of libraries."""
    match part:
        case "page":
            from tests.parity.page import arranged

            return {"rows": arranged(tests)}
        case "methods":
            from tests.network.test_every_method import METHODS

            rows = loop_methods()
            return {"rows": [list(row) for row in rows.items()], "new": sorted(rows.keys() - METHODS)}
        case "mixing":
            return {"grids": list(grids(tests)), "rows": by_file(tests)}
        case "libraries":
            rows = {}
            for name in tests:
                rows.setdefault(distribution(name), []).append(name)
            return {
                "rows": sorted(rows.items()),
                "libraries": {each: importlib.metadata.version(each) for each in rows},
            }
        case _:
            return {}


def distribution(name):
    """Return the name of the distribution that a test of a library is about."""
    stem = re.search(r"test_(\w+)\.py", name).group(1)
    return DISTRIBUTIONS.get(stem, stem.replace("_", "-"))


def loop_methods():
    """Return the tests that call each method of our loop, in the order of the table in tests/network."""
    from tests.network.test_every_method import TESTS

    return {method: _tests_behind(entry) for method, entry in TESTS.items() if hasattr(trioasync.EventLoop, method)}


def _tests_behind(entry):
    """Return the names of the tests that an entry of the table names; of what tests share, those that call it."""
    place, name = entry.rsplit(".", 1)
    file = f"tests/{place.replace('.', '/')}.py"
    if name.startswith("test_"):
        return [f"{file}::{name}"]
    tests = vars(importlib.import_module(f"tests.{place}"))
    return [
        f"{file}::{test}"
        for test, function in tests.items()
        if test.startswith("test_") and re.search(rf"\b{name}\(", inspect.getsource(inspect.unwrap(function)))
    ]


def by_file(tests):
    """Return the tests of each file in their order, with what the file says of itself."""
    rows = []
    for file in sorted({name.partition("::")[0] for name in tests}):
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        rows.append([module.__doc__.partition("\n")[0], [name for name in in_order(file) if name in tests]])
    return rows


def grids(tests):
    """Give the files that have a table of waits: the waits, and the tests that go through all of them."""
    for file in sorted({name.partition("::")[0] for name in tests}):
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        waits = set(getattr(module, "WAITS", ()))
        situations = [[name, tests[name]["says"]] for name in in_order(file) if name in tests]
        through_all = [
            [name, says]
            for name, says in situations
            if len({word for case in tests[name]["cases"] for word in case.split("-")} & waits) > len(waits) // 2
        ]
        if through_all:
            title = module.__doc__.partition("\n")[0]
            yield {"title": title, "waits": list(module.WAITS), "situations": through_all}


def in_order(file):
    """Return the names of a file's tests in the order in which they stand there."""
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    nodes = ast.parse(inspect.getsource(module)).body
    functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [f"{file}::{name}" for name in functions if name.startswith("test_")]
