"""`python -m minids`: the command line where no `minids` is on the path."""

import sys

from minids.cli import main

if __name__ == "__main__":
    sys.exit(main())
