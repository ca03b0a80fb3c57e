"""`python -m pyfs`."""

from pyfs.cli import run

run()
