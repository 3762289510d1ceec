"""`python -m mnist_helpers.handwriting page.jpg --json`: a photo read from the shell."""

import gc
import sys

from mnist_helpers.handwriting.command import main

if __name__ == "__main__":
    status = main()
    gc.freeze()  # the process ends: looking for garbage takes a second
    sys.exit(status)
