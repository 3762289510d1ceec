"""Milliseconds from a stroke's point to the answer shown on the page to draw on, in headless Chromium."""

import argparse
import math
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from pydantic import BaseModel
from tqdm import tqdm

from mnist_helpers.benchmarks.measure import Record
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.sharing import PAGE, PAGE_NETWORKS
from mnist_helpers.training import describe_environment

if TYPE_CHECKING:  # a browser is for those who measure or test the page
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")  # without any, playwright's own
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
SIZES = (0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36, 0.4)  # half the height of the digits drawn, of the paper's side
POINTS = 40  # of each
# from the moment the browser knows of a point until the frame with the answer to it is done
STOPWATCH = """() => {
  window.delays = [];
  document.getElementById("paper").addEventListener("pointermove", (event) => {
    if (event.buttons) requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.delays.push(performance.now() - event.timeStamp);
      port2.postMessage(null);
    });
  });
}"""


class Delay(BaseModel, frozen=True):
    """Milliseconds over all points of all strokes."""

    points: int
    median: float
    percentile_95: float


class PageSpeed(Record, frozen=True):
    """What a network's answer takes, by the network's name."""

    NAME = "page_speed"
    browser: str
    milliseconds: dict[str, Delay]


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """Start headless Chromium: the system's, or else playwright's own. Raises playwright's Error: there is none."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*OPTIONS, *QUIET])
        yield browser
        browser.close()


def open_page(browser: "Browser", **options: Any) -> "Page":
    """Return the page to draw on, opened in a window of its own; `options` are those of playwright's `new_context`.

    Raises FileNotFoundError: the page is not built.
    """
    path = resolve(PAGE)
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is not there; run: make page")
    page = browser.new_context(**options).new_page()
    page.goto(path.as_uri())
    return page


def measure(page: "Page", name: str) -> Delay:
    """Draw zeros of several sizes with the mouse, point by point, read by the network `name`."""
    page.check(f"input[value={name}]")
    page.evaluate("window.delays.length = 0")
    page.evaluate("scrollTo(0, 0)")  # the choice of a network may have scrolled the paper out of sight
    box = page.locator("#paper").bounding_box()
    for size in tqdm(SIZES, desc=name, unit="digit"):
        for point in range(POINTS):
            angle = 2 * math.pi * point / POINTS
            x, y = 0.5 - 0.6 * size * math.sin(angle), 0.5 - size * math.cos(angle)
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if point == 0:
                page.mouse.down()
        page.mouse.up()
        page.keyboard.press("Escape")
    delays = page.evaluate("window.delays")
    return Delay(
        points=len(delays),
        median=round(statistics.median(delays), 2),
        percentile_95=round(statistics.quantiles(delays, n=20)[-1], 2),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and save; return 1 where the page or a browser is missing."""
    from playwright.sync_api import Error

    argparse.ArgumentParser(prog="python -m mnist_helpers bench-page", description=__doc__).parse_args(arguments)
    try:
        with open_browser() as browser:
            page, version = open_page(browser), f"Chromium {browser.version}"
            page.evaluate(STOPWATCH)
            measure(page, PAGE_NETWORKS[0])  # the browser compiles what it runs often
            found = {name: measure(page, name) for name in PAGE_NETWORKS}
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    except Error as error:
        print(f"{error.message.splitlines()[0]}; run: make browser", file=sys.stderr)
        return 1
    PageSpeed(environment=describe_environment(torch.device("cpu")), browser=version, milliseconds=found).write()
    for name, delay in found.items():
        print(f"{name:6s} median {delay.median:6.1f} ms, 95 of 100 points within {delay.percentile_95:.1f} ms")
    return 0
