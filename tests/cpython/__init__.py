"""CPython's own tests of asyncio, run on trioasync: `python -m tests.cpython --help`, and docs/proof.md."""
