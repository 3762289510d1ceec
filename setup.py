"""The package needs what requirements.txt pins: one list, which ends in the project itself."""

from pathlib import Path

from setuptools import setup

LINES = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8").splitlines()

setup(install_requires=[line for line in LINES if "==" in line])
