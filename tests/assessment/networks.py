"""Submissions to assess: a good one, and what may be wrong with others."""

GOOD = '''
"""A network."""
from torch import nn

SETTINGS = {"epochs": 1, "augmentation": None}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(1, 4, 5, stride=4)  # 6×6
        self.last = nn.Linear(4 * 36, 10)

    def forward(self, images):
        return self.last(self.features(images).relu().flatten(1))
'''
# other names, other words, no comment
COPIED = (
    GOOD.replace("Net", "Mine")
    .replace("features", "layers")
    .replace("images", "x")
    .replace('"""A network."""', '"""All my own work."""')
    .replace("  # 6×6", "")
)
ALIKE = GOOD.replace(".relu()", ".sigmoid()").replace('"epochs": 1', '"epochs": 2')
LARGE = GOOD.replace(
    "self.last = nn.Linear(4 * 36, 10)", "self.last = nn.Sequential(nn.Linear(144, 300), nn.Linear(300, 10))"
)
CRASHING = GOOD + "\nraise RuntimeError('out of | ideas <b>')\n"
ENDLESS = GOOD + "\nwhile True:\n    pass\n"
# keeps what it found beside itself, every time it is made
PEEKING = GOOD.replace(
    "super().__init__()",
    """super().__init__()
        from pathlib import Path
        from mnist_helpers.data import DataError, load_mnist, load_split
        found = [path.name for path in Path.cwd().rglob("t10k*")]
        for look in (load_mnist, lambda: load_split("data", 50, None, 0)):
            try:
                found.append(len(look()))
            except DataError as error:
                found.append("nothing")
        with Path(__file__).with_suffix(".log").open("a") as log:
            log.write(f"{found}\\n")""",
)
