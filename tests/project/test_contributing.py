"""The maintainers' page: its links and commands are there, and every command of the tests is in its table."""

import re

from mnist_helpers.__main__ import COMMANDS
from mnist_helpers.paths import PROJECT_ROOT

PAGE = PROJECT_ROOT / ".github" / "CONTRIBUTING.md"
TEXT = PAGE.read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_its_links_lead_somewhere():
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", TEXT) if "://" not in target]
    assert len(targets) > 10
    for target in targets:
        assert (PAGE.parent / target).exists(), target


def test_every_command_it_names_is_there():
    named = re.findall(r"(?<=`)make ([a-z- ]+)|^make ([a-z-]+)", TEXT, re.MULTILINE)
    assert len(named) > 20
    for line in named:
        assert set("".join(line).split()) <= TARGETS, line
    assert set(re.findall(r"mnist_helpers ([a-z-]+)`", TEXT)) <= set(COMMANDS)


def test_every_command_that_tests_is_in_its_table():
    for target in TARGETS:
        if re.match(r"(test|check-notebooks|check-checks)", target) and target != "test-all":
            assert f"`make {target}`" in TEXT, target


def test_it_names_every_workflow():
    assert {path.name for path in (PAGE.parent / "workflows").glob("*.yml")} == set(
        re.findall(r"\(workflows/([\w.]+)\)", TEXT)
    )
