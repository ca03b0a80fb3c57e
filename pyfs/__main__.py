"""`python -m pyfs`."""

import sys

from pyfs.cli import main

sys.exit(main())
