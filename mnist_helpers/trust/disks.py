"""Disks that are full, folders that are read only or vanish: the error names a file, and what was kept is kept."""

import os
import random
import shutil
from functools import partial
from pathlib import Path

from mnist_helpers.trust.runs import Reference, after_a_while, finish, said, start, training_has_begun, wait_for
from mnist_helpers.trust.trial import Kind, Trial

NOBODY = 65_534
SMALLEST, LARGEST = 8_000, 60_000  # bytes: what is said goes to a file as well, which must have room


def disks(reference: Reference) -> list[Kind]:
    """Return the kinds of trials with folders that cannot be written to."""

    def full(random: random.Random, folder: Path, when: str, word: str) -> Trial:
        """No file may be larger than some bytes: as on a full disk, a write fails in its middle."""
        try:
            import resource
        except ImportError:
            return Trial(skipped="no limit on a file's size here (resource)")
        del resource
        run = folder / "run"
        status = finish(start(run, **{when: partial(_limit, random.randint(SMALLEST, LARGEST))}))
        if status == 0:
            return Trial(lost=reference.difference(run))
        last = said(run).strip().splitlines()[-1]
        if word not in last or str(run) not in last:
            return Trial(unnamed=f"a full disk: {last}")
        return _again(run)

    def read_only(random: random.Random, folder: Path) -> Trial:
        if not hasattr(os, "geteuid"):
            return Trial(skipped="no modes of folders here")
        run = folder / "run"
        run.mkdir()
        folder.chmod(0o777)
        run.chmod(0o555)
        status = finish(start(run, before=_as_nobody))
        run.chmod(0o755)
        last = (said(run).strip().splitlines() or [""])[-1]
        if status == 0 or str(run) not in last:
            return Trial(unnamed=f"a read-only folder (status {status}): {last}")
        return Trial(
            lost=f"{[path.name for path in run.iterdir()]} in a read-only folder" if any(run.iterdir()) else ""
        )

    def vanishes(random: random.Random, folder: Path) -> Trial:
        run = folder / "run"
        process = start(run)
        wait_for(training_has_begun(run), process)
        after_a_while(random, process, reference.seconds[0])
        shutil.rmtree(run, ignore_errors=True)
        status = finish(process)
        if status != 0 and str(run) not in said(run).strip().splitlines()[-1]:
            return Trial(unnamed=f"a folder that vanished: {said(run).strip().splitlines()[-1]}")
        return _again(run)

    def _again(run: Path) -> Trial:
        status = finish(start(run, resume=True))
        return Trial(lost=reference.difference(run) if status == 0 else f"cannot be resumed: {said(run)[-300:]}")

    return [
        Kind("a disk that is full", partial(full, when="before", word="allowed: a place with"), 10),
        Kind("a disk that fills up in a run", partial(full, when="checked", word="cannot be written"), 30),
        Kind("a folder that is read only", read_only, 5),
        Kind("a folder that vanishes", vanishes, 15),
    ]


def _limit(size: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _as_nobody() -> None:
    if os.geteuid() == 0:  # to whom no folder is read only
        os.setgid(NOBODY)
        os.setuid(NOBODY)
