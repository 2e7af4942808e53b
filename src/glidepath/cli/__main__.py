"""`python -m glidepath.cli` is `glidepath`."""

import sys

from . import main

sys.exit(main())
