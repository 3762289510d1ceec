// How far a digit can be turned, thinned or thickened: a strip under each slider, painted while the pen rests.

const REST = 300; // milliseconds
const SCANS = {
  turn: { values: Array.from({ length: 73 }, (_, i) => 5 * i - 180), damage: turned, unit: "°" },
  width: { values: Array.from({ length: 13 }, (_, i) => i / 2 - 3), damage: widened, unit: " px" },
};
let latest = 0;

const signed = (number, unit) => (number > 0 ? "+" : number < 0 ? "−" : "") + Math.abs(number) + unit;

// Starts anew at each call and gives way to the next one; `drawn` is asked for once the pen rests.
async function scan(drawn, read) {
  const mine = ++latest;
  const strips = Object.keys(SCANS).map((name) => document.getElementById(`${name}-strip`));
  for (const strip of strips) strip.replaceChildren();
  document.getElementById("range").textContent = "";
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  await pause(REST);
  if (mine !== latest) return;
  const pixels = drawn();
  const { digit } = read(pixels);
  if (digit === null) return;
  const ranges = [];
  for (const [{ values, damage, unit }, strip] of Object.values(SCANS).map((one, i) => [one, strips[i]])) {
    strip.replaceChildren(...values.map(() => document.createElement("span")));
    const found = [];
    for (const value of values) {
      await pause(0);
      if (mine !== latest) return;
      const answer = read(damage(pixels, value)).digit;
      strip.children[found.length].className = answer === digit ? "right" : answer === null ? "unread" : "wrong";
      found.push(answer);
    }
    let [from, to] = [values.indexOf(0), values.indexOf(0)];
    while (found[from - 1] === digit) from--;
    while (found[to + 1] === digit) to++;
    ranges.push(`${signed(values[from], unit)} to ${signed(values[to], unit)}`);
  }
  const said = ranges.join(", or with strokes changed by ");
  document.getElementById("range").textContent = `Read as ${digit} when turned by ${said}.`;
}
