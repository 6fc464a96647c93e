"""The command line: `trioasync COMMAND`. Nothing of the runtime imports this package."""
