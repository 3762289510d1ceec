"""`python -m mnist_helpers.handwriting page.jpg --json`: a photo read from the shell."""

import sys

from mnist_helpers.handwriting.command import main

if __name__ == "__main__":
    sys.exit(main())
