"""What newer asyncios have and the running Python's lacks, written anew; the public modules choose between the two.

Everything here imports and works on every supported Python, so that each piece is tested beside asyncio's own.
"""
