"""Random programs of asyncio alone, each run on stock asyncio and on trioasync, whose traces must be equal.

    python -m tests.fuzz --programs 100000 --seed 1     the hunt; it ends with status 1 if programs differ
    python -m tests.fuzz --only 1000042                 one program, by the number that the hunt has printed

A program is data (`programs.py`), made from a number alone (`making.py`) out of the words that `deeds.py`,
`operations.py` and `blocks.py` define, each with its weight and with the Python from which on asyncio has it.
`running.py` runs it, `hunting.py` makes many and shrinks (`shrinking.py`) those that differ.
"""
