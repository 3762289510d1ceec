"""`python -m mnist_helpers.handwriting page.jpg --json`: a photo read from the shell."""

import gc
import sys

from mnist_helpers.handwriting.command import main

if __name__ == "__main__":
    gc.freeze()  # what was imported stays: as in `python -m mnist_helpers`
    sys.exit(main())
