"""What comes from elsewhere is named exactly: actions by commit, packages by hash, rights as few as a job needs."""

import re

import pytest

from mnist_helpers.paths import PROJECT_ROOT

WORKFLOWS = sorted((PROJECT_ROOT / ".github" / "workflows").glob("*.yml"))
LOCK = (PROJECT_ROOT / ".github" / "requirements.lock").read_text(encoding="utf-8")
PINS = dict(line.split("==") for line in (PROJECT_ROOT / "requirements.txt").read_text().split() if "==" in line)
USES = re.compile(r"^ *(?:- )?uses: (.+)$", re.MULTILINE)
BY_COMMIT = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def loose(workflow: str) -> list[str]:
    """Return the actions that are not named by a commit with its tag behind it."""
    return [action for action in USES.findall(workflow) if not BY_COMMIT.fullmatch(action)]


def locked(lock: str) -> dict[str, list[str]]:
    """Return the hashes of every package in a lock, by name and version."""
    entries = re.findall(
        r"^([a-z0-9._-]+==\S+)[^\n]*((?:\n    --hash=sha256:[0-9a-f]{64}[^\n]*)*)", lock, re.MULTILINE
    )
    return {name: re.findall(r"[0-9a-f]{64}", hashes) for name, hashes in entries}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_named_by_its_commit_and_no_token_is_left_in_a_checkout(path):
    text = path.read_text(encoding="utf-8")
    assert USES.findall(text)
    assert loose(text) == []
    assert text.count("uses: actions/checkout@") == text.count("persist-credentials: false")
    assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE)
    assert not re.search(r"^\s*pull_request_target:", text, re.MULTILINE)


def test_an_action_by_tag_is_found():
    assert loose("      - uses: actions/checkout@v4\n") == ["actions/checkout@v4"]
    assert loose(f"        uses: actions/cache@{'0' * 40}\n") == [f"actions/cache@{'0' * 40}"]


def test_the_lock_has_every_pin_and_a_hash_for_every_package():
    found = locked(LOCK)
    assert {f"{name}=={version}" for name, version in PINS.items()} <= set(found)
    assert len(found) > 150
    assert [name for name, hashes in found.items() if not hashes] == []
    assert not re.search(r"index-url|find-links|^-e|mnist", LOCK, re.MULTILINE)


def test_a_package_without_a_hash_is_found():
    assert locked("torch==1.0 ; x\n    --hash=sha256:" + "a" * 64 + "\ntqdm==2.0\n") == {
        "torch==1.0": ["a" * 64], "tqdm==2.0": []
    }  # fmt: skip


def test_every_package_that_is_asked_for_has_a_licence_in_the_list():
    listed = (PROJECT_ROOT / ".github" / "LICENCES.md").read_text(encoding="utf-8").lower()
    rows = {row.split("|")[1].strip().replace("_", "-"): row.split("|")[3].strip() for row in listed.splitlines()[2:]}
    assert set(PINS) <= set(rows)
    # what these two distribute says none; both repositories have MIT's
    assert {name for name in PINS if rows[name] in ("", "unknown")} == {"torchsummary", "axe-playwright-python"}
