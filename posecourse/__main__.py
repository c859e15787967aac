"""`python -m posecourse` is the same as `posecourse`."""

import sys

from posecourse.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
