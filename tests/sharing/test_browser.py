"""The page to draw on in a real browser: networks, what is drawn, fingers and keys, looks (make test-page)."""

import base64
import math
import os

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from mnist_helpers.benchmarks.page import open_browser, open_page
from mnist_helpers.handwriting.prepare import prepare
from mnist_helpers.handwriting.reader import load_reader
from mnist_helpers.handwriting.strokes import PATHS, follow
from mnist_helpers.looking import change_width, rotate
from mnist_helpers.networks import load
from mnist_helpers.sharing import PAGE_NETWORKS
from mnist_helpers.training import predict_logits

pytestmark = pytest.mark.page
DIGITS = int(os.environ.get("PAGE_DIGITS") or 500)  # of the 10,000 test digits, for each network
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BATCH = """([name, digits]) => {
  const bytes = Uint8Array.from(atob(digits), (letter) => letter.charCodeAt(0));
  return Array.from({ length: bytes.length / 784 }, (_, i) =>
    [...logitsOf(network(name), bytes.subarray(784 * i, 784 * (i + 1)))]);
}"""
SEVEN = [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.8)]]
SIX = [
    [
        (0.55, 0.15),
        (0.4, 0.4),
        (0.36, 0.62),
        (0.4, 0.8),
        (0.52, 0.84),
        (0.62, 0.75),
        (0.6, 0.6),
        (0.48, 0.56),
        (0.38, 0.66),
    ]
]
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def opened(browser):
    page = open_page(browser, viewport={"width": 1280, "height": 1300})  # all of it: nothing scrolls
    return page, listen(page)


@pytest.fixture
def page(opened):
    page, said = opened
    page.keyboard.press("Escape")
    page.click("#reset")
    page.check("input[value=final]")
    yield page
    assert not said


def listen(page):
    """Load the page anew; return the list that its console and its errors go to."""
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.reload()
    return said


def draw(page, strokes):
    """Draw strokes of points from 0 to 1 on the paper, with the mouse."""
    box = page.locator("#paper").bounding_box()
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if i == 0:
                page.mouse.down()
        page.mouse.up()


def written(digit, style, random):
    """A digit's strokes, of no hand twice the same: turned, slanted, of any size, anywhere on the paper."""
    turn, slant, size = random.normal(0, 0.08), random.normal(0.1, 0.1), random.uniform(0.3, 0.8)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) @ [[1, -slant], [0, 1]]
    strokes = [stroke @ matrix.T * size / 100 for stroke in follow(PATHS[digit][style], random.normal(0, 2, (64, 2)))]
    low, high = np.min([s.min(0) for s in strokes], axis=0), np.max([s.max(0) for s in strokes], axis=0)
    corner = 0.06 + random.uniform(0, 1, 2) * (0.88 - (high - low)) - low
    return [(stroke[::16] + corner).tolist() for stroke in strokes]


def answer(page):
    page.evaluate(TWO_FRAMES)
    return page.evaluate("document.body.dataset.answer")


@pytest.mark.parametrize("name", PAGE_NETWORKS)
def test_the_page_gives_pytorchs_answers_on_test_digits(page, mnist, name):
    pixels = mnist[1].pixels[:: len(mnist[1]) // DIGITS]
    ours = predict_logits(load(name), pixels)
    theirs = []
    for batch in pixels.split(500):
        theirs += page.evaluate(BATCH, [name, base64.b64encode(batch.numpy().tobytes()).decode()])
    theirs = torch.tensor(theirs)
    print(f"{name}: {len(pixels)} digits, logits differ by at most {(ours - theirs).abs().max():.1e}")
    assert len(theirs) >= DIGITS
    assert (ours - theirs).abs().max() < 1e-3
    assert torch.equal(ours.argmax(1), theirs.argmax(1))


def test_what_is_drawn_is_prepared_and_read_as_python_does(page):
    random, apart, right = np.random.default_rng(0), 0, 0
    readers = {name: load_reader(name) for name in PAGE_NETWORKS}
    cases = [(digit, style) for digit in PATHS for style in range(len(PATHS[digit]))] * 2
    for digit, style in cases:
        page.keyboard.press("Escape")
        draw(page, written(digit, style, random))
        ink, picture = page.evaluate("[[...paper.read()], [...prepared(paper.read(), READ_SIDE)]]")
        ours = prepare(np.array(ink).reshape(math.isqrt(len(ink)), -1) / 255)
        apart = max(apart, np.abs(ours - np.array(picture).reshape(28, 28)).max())
        for name, reader in readers.items():
            page.check(f"input[value={name}]")
            (reading,) = reader.read(torch.from_numpy(ours)[None])
            assert answer(page) == (reading.why if reading.digit is None else str(reading.digit)), (digit, name)
            right += reading.digit == digit
    print(f"{len(cases)} digits: pixels differ by at most {apart} of 255; {right} of {3 * len(cases)} readings right")
    assert apart <= 1
    assert right > 0.9 * 3 * len(cases)


@pytest.mark.parametrize(("degrees", "change"), [(-33, 0), (0, 0.5), (90, -1.5), (-170, 3)])
def test_sliders_damage_as_notebook_08_does(page, mnist, degrees, change):
    pixels = mnist[0].pixels[:20]
    # `rotate` turns either way at random
    ours = [change_width(rotate(pixels, angle), change) for angle in (degrees, -degrees)]
    for i, image in enumerate(pixels):
        given = [image.flatten().tolist(), degrees, change]
        theirs = page.evaluate("([pixels, degrees, change]) => [...widened(turned(pixels, degrees), change)]", given)
        either = [(one[i].flatten().int() - torch.tensor(theirs)).abs().max() for one in ours]
        assert min(either) <= 1
    # and the sliders are what sets them
    draw(page, [[(0.5, 0.2), (0.5, 0.5), (0.51, 0.8)]])
    for slider, value in (("turn", degrees), ("width", change)):
        page.fill(f"#{slider}", str(value))
    page.evaluate(TWO_FRAMES)
    shown, expected = page.evaluate(
        """([degrees, change]) => {
          const copy = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
          copy.drawImage(byId("seen"), 0, 0);
          const { data } = copy.getImageData(0, 0, 28, 28);
          const drawn = prepared(paper.read(), READ_SIDE);
          return [[...data].filter((_, i) => i % 4 === 0), [...widened(turned(drawn, degrees), change)]];
        }""",
        [degrees, change],
    )
    assert shown == expected


def test_a_digit_turned_far_enough_is_misread_and_said_to_be(page):
    draw(page, SIX)
    assert answer(page) == "6"
    said = {}
    for degrees in (0, 5, 180):
        page.fill("#turn", str(degrees))
        said[degrees] = (answer(page), page.inner_text("#outcome"))
    assert said[0] == ("6", "")
    assert said[5] == ("6", "Still read as 6.")
    assert said[180] == ("9", "Misread: the 6 is taken for a 9.")
    page.click("#reset")
    assert answer(page) == "6"
    # while the pen rests all of it is tried
    page.wait_for_selector("#range:not(:empty)", timeout=120_000)
    turns = page.evaluate("[...byId('turn-strip').children].map((cell) => cell.className)")
    assert len(turns) == 73
    assert turns[36] == turns[37] == "right"
    assert turns[0] == turns[-1] == "wrong"
    assert page.inner_text("#range").startswith("Read as 6 when turned by −")
    page.keyboard.press("Escape")
    assert page.inner_text("#range") == ""


def test_a_digit_thinned_far_enough_is_no_longer_read_and_said_to_be(page):
    draw(page, SIX)
    said = {}
    for change in ("0", page.get_attribute("#width", "min")):
        page.fill("#width", change)
        said[change] = (answer(page), page.inner_text("#outcome"))
    assert said == {"0": ("6", ""), "-3": ("no digit", "The 6 is no longer read: no digit.")}
    page.wait_for_selector("#range:not(:empty)", timeout=120_000)
    widths = page.evaluate("[...byId('width-strip').children].map((cell) => cell.className)")
    assert len(widths) == 13
    assert widths[0] == "unread"  # thinnest
    assert widths[6] == widths[-1] == "right"
    assert "with strokes changed by −1 px to" in page.inner_text("#range")


def test_an_empty_paper_holds_no_digit(page):
    assert answer(page) == "no digit"
    assert page.inner_text("#sure") == "no digit"
    assert page.is_visible("#hint")


@pytest.mark.parametrize("name", PAGE_NETWORKS)
@pytest.mark.parametrize(
    "strokes",
    [
        [[(0.2 + 0.6 * ((7 * i) % 11) / 10, 0.2 + 0.6 * ((5 * i) % 13) / 12) for i in range(60)]],
        [[(0.2, y / 40), (0.8, y / 40)] for y in range(8, 32)],
        [[(0.5, 0.5)]],
    ],
    ids=["scribble", "blot", "dot"],
)
def test_what_is_no_digit_is_not_read(page, name, strokes):
    page.check(f"input[value={name}]")
    draw(page, strokes)
    assert answer(page) in ("no digit", "not sure")


def test_undo_and_clear_by_key_and_by_button(page):
    one, seven = [[(0.5, 0.2), (0.5, 0.8)]], [[(0.3, 0.2), (0.5, 0.2)]]

    def ink():
        page.evaluate(TWO_FRAMES)
        return page.evaluate("paper.read().reduce((sum, value) => sum + value, 0)")

    for undo, clear in (
        (lambda: page.keyboard.press("Control+z"), lambda: page.keyboard.press("Escape")),
        (lambda: page.click("#undo"), lambda: page.click("#clear")),
    ):
        draw(page, one)
        first = ink()
        draw(page, seven)
        assert ink() > first > 0
        undo()
        assert ink() == first
        clear()
        assert ink() == 0
        undo()  # clearing is undone as well
        assert ink() == first
        clear()
    assert page.get_attribute("#undo", "aria-keyshortcuts") == "Control+Z Meta+Z"
    assert page.get_attribute("#clear", "aria-keyshortcuts") == "Escape"


def test_another_network_is_another_reading(page):
    draw(page, SEVEN)
    shares = set()
    for name in PAGE_NETWORKS:
        page.check(f"input[value={name}]")
        assert answer(page) == "7"
        shares.add(tuple(page.evaluate("[...answer(prepared(paper.read(), READ_SIDE)).probabilities]")))
    assert len(shares) == len(PAGE_NETWORKS)


def test_the_bars_the_numbers_and_the_spoken_answer_agree(page):
    draw(page, SEVEN)
    assert answer(page) == "7"
    assert page.inner_text("#digit") == "7"
    shares = page.evaluate("[...answer(prepared(paper.read(), READ_SIDE)).probabilities]")
    assert abs(sum(shares) - 1) < 1e-5
    bars = page.evaluate("[...document.querySelectorAll('.bar')].map((bar) => new DOMMatrix(bar.style.transform).a)")
    assert np.allclose(bars, shares, atol=1e-5)
    assert [row.split()[0] for row in page.locator("#bars li").all_inner_texts()] == list("0123456789")
    page.wait_for_timeout(600)
    assert page.inner_text("#spoken").startswith("7, ")


def test_bars_follow_the_pen_at_once_and_glide_when_it_is_up(page):
    glide = "parseFloat(getComputedStyle(document.querySelector('.bar')).transitionDuration)"
    box = page.locator("#paper").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 200)
    page.evaluate(TWO_FRAMES)
    assert page.evaluate(glide) == 0
    page.mouse.up()
    page.keyboard.press("Escape")
    page.evaluate(TWO_FRAMES)
    assert page.evaluate(glide) > 0


def test_a_pen_draws_as_a_mouse_does(page):
    page.evaluate("byId('paper').addEventListener('pointerdown', (event) => { window.kind = event.pointerType; })")
    box, pen = page.locator("#paper").bounding_box(), page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 5
    for kind, share in (("mousePressed", 0), *(("mouseMoved", i / 10) for i in range(1, 11)), ("mouseReleased", 1)):
        place = {"x": x, "y": y + 0.6 * share * box["height"]}
        how = {"pointerType": "pen", "button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
        pen.send("Input.dispatchMouseEvent", {"type": kind, **place, **how})
        page.evaluate(TWO_FRAMES)
    assert page.evaluate("window.kind") == "pen"
    assert answer(page) == "1"


def test_a_finger_draws_and_does_not_scroll(browser):
    page = open_page(browser, **PHONE)
    said = listen(page)
    assert page.evaluate("getComputedStyle(byId('paper')).touchAction") == "none"
    fingers = page.context.new_cdp_session(page)

    def drag(box):
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8
        for i in range(11):
            kind = "touchMove" if i else "touchStart"
            points = [{"x": x, "y": y - i * min(30, box["height"] * 0.06)}]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            page.evaluate(TWO_FRAMES)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)
        return page.evaluate("scrollY")

    assert drag(page.locator("#paper").bounding_box()) == 0
    assert answer(page) == "1"
    assert drag(page.locator("#bars").bounding_box()) > 50  # elsewhere a finger scrolls
    assert not said


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_in_both_schemes_and_axe_finds_nothing_serious(browser, width, scheme):
    page = open_page(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    said = listen(page)
    for strokes in ([], SEVEN):
        draw(page, strokes)
        page.evaluate(TWO_FRAMES)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert not found, [(v["id"], v["help"], [node["html"] for node in v["nodes"]]) for v in found]
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(light) > 3 * 128) == (scheme == "light")
    assert not said


def test_every_control_is_reached_by_keyboard_alone(page):
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"undo", "clear", "turn", "width", "reset", "network", "readme"} <= set(reached)


def test_who_wants_less_motion_gets_none(browser):
    for motion, moves in (("no-preference", True), ("reduce", False)):
        page = open_page(browser, reduced_motion=motion)
        assert (
            page.evaluate("parseFloat(getComputedStyle(document.querySelector('.bar')).transitionDuration)") > 0
        ) == moves
