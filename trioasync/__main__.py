"""`python -m trioasync` is the console script `trioasync`."""

import sys

from trioasync._tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
