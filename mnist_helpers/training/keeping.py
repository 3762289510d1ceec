"""What a run keeps while it trains: its folder to itself, a checkpoint an epoch, and a word when it is stopped."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from mnist_helpers.paths import display_path
from mnist_helpers.training.checkpoints import FOLDER, latest_checkpoint, save_checkpoint, start_folder
from mnist_helpers.training.interruption import telling
from mnist_helpers.training.ownership import owned
from mnist_helpers.training.settings import Settings
from mnist_helpers.training.state import TrainingState


@dataclass
class Keeper:
    """Keeps the checkpoints of one run, or none."""

    settings: Settings
    keep: bool
    state: TrainingState | None = None

    def begin(self, state: TrainingState) -> None:
        """Take up a run before its first epoch, or bring it to where its last checkpoint was; CheckpointError."""
        self.state = state
        if self.keep:
            folder = self.settings.output_folder() / FOLDER
            start_folder(folder, bool(self.settings.resume))
            if self.settings.resume and (checkpoint := latest_checkpoint(folder)):
                state.restore(checkpoint)

    def save(self) -> None:
        """Keep the epoch that has just ended; WriteError."""
        if self.keep:
            folder = self.settings.output_folder() / FOLDER
            save_checkpoint(folder, self.state.snapshot(), is_best=self.state.last_is_best())

    def told(self) -> str:
        """Return where the run is, what is kept of it, and how to go on."""
        done, epochs = self.state.epoch if self.state else 0, self.settings.epochs
        where = f"in epoch {done + 1} of {epochs}" if done < epochs else f"after all {epochs} epochs"
        if not self.keep:
            return f"{where}: nothing is kept, this run keeps no checkpoints; start it again"
        if not done:
            return f"{where}: nothing is kept yet; start it again"
        folder = display_path(self.settings.output_folder() / FOLDER)
        kept = "epoch 1 is" if done == 1 else f"epochs 1 to {done} are"
        return f"{where}: {kept} kept in {folder}; the same run with resume=True goes on from there"


@contextmanager
def keeping(settings: Settings, keep: bool, show: bool) -> Iterator[Keeper]:
    """Give what keeps a run, `keep` or not, while nobody else may use its folder; `show`: somebody is to be told."""
    keeper = Keeper(settings, keep)
    with telling(keeper.told) if show else nullcontext(), owned(settings.output_folder()) if keep else nullcontext():
        yield keeper
