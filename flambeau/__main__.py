"""`python -m flambeau` is the `flambeau` command."""

import sys

from flambeau.cli import main

sys.exit(main())
