// What is drawn, put into MNIST's form: `mnist_helpers/handwriting/prepare.py`, step by step, which says why.

const MIDDLE = 14.5;
const LONGER = 20;
const FAINT = 0.1;
const THINNEST = 2.0;
const THICKEST = 3.6;
const MOST_CHANGE = 3.0;
const TIE = 1e-3;

const matrix = (height, width) => ({ height, width, data: new Float64Array(height * width) });

// Ink from 0 to 255 on a square, rows first; null where there is none.
function prepared(ink, side) {
  const cut = cropped(ink, side);
  if (!cut) return null;
  const longer = Math.max(cut.height, cut.width);
  const width = strokeWidth(resized(cut, (LONGER * FINE) / longer)) / FINE;
  let wanted = Math.min(Math.max(width, THINNEST), THICKEST);
  wanted = Math.min(Math.max(wanted, width - MOST_CHANGE), width + MOST_CHANGE);
  if (wanted === width) return centred(resized(cut, LONGER / longer));
  const ratio = (LONGER - wanted) / (LONGER - Math.min(width, LONGER / 2));
  const fine = resized(cut, (FINE * LONGER * ratio) / longer);
  return centred(averaged(edgesMoved(fine, (FINE * (wanted - width * ratio)) / 2)));
}

function cropped(ink, side) {
  let most = 0;
  for (let i = 0; i < ink.length; i++) if (ink[i] > most) most = ink[i];
  if (!most) return null;
  let [top, bottom, left, right] = [side, 0, side, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (ink[y * side + x] / most <= FAINT) continue;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      if (x < left) left = x;
      if (x > right) right = x;
    }
  }
  const cut = matrix(bottom - top + 1, right - left + 1);
  for (let y = 0; y < cut.height; y++) {
    for (let x = 0; x < cut.width; x++) cut.data[y * cut.width + x] = ink[(top + y) * side + left + x] / most;
  }
  return cut;
}

// For every target the first source that it covers, and the weights of this and the next ones.
function coverings(length, scale) {
  const last = length - 1;
  return Array.from({ length: Math.ceil(length * scale - TIE) }, (_, target) => {
    const first = Math.max(0, Math.floor(scale < 1 ? target / scale : (target + 0.5) / scale - 0.5));
    const weights = [];
    for (let source = first; source <= last; source++) {
      const weight =
        scale < 1
          ? (Math.min((target + 1) / scale, source + 1) - Math.max(target / scale, source)) * scale
          : 1 - Math.abs((target + 0.5) / scale - 0.5 - source);
      if (weight <= 0) break;
      weights.push(weight);
    }
    return { first, weights };
  });
}

function resized(ink, scale) {
  const [down, across] = [coverings(ink.height, scale), coverings(ink.width, scale)];
  const [tall, out] = [matrix(down.length, ink.width), matrix(down.length, across.length)];
  down.forEach(({ first, weights }, y) => {
    weights.forEach((weight, i) => {
      const from = (first + i) * ink.width;
      for (let x = 0; x < ink.width; x++) tall.data[y * ink.width + x] += weight * ink.data[from + x];
    });
  });
  across.forEach(({ first, weights }, x) => {
    weights.forEach((weight, i) => {
      const from = first + i;
      for (let y = 0; y < out.height; y++) out.data[y * out.width + x] += weight * tall.data[y * ink.width + from];
    });
  });
  return out;
}

function bordered(ink, top, left, bottom = top, right = left) {
  const out = matrix(ink.height + top + bottom, ink.width + left + right);
  for (let y = 0; y < ink.height; y++) {
    out.data.set(ink.data.subarray(y * ink.width, (y + 1) * ink.width), (y + top) * out.width + left);
  }
  return out;
}

function strokeWidth(ink) {
  const { height, width, data } = bordered(ink, 1, 1);
  let [area, outline] = [0, 0];
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const i = y * width + x;
      const [a, b, c, d] = [data[i], data[i + 1], data[i + width], data[i + width + 1]];
      area += a;
      outline += Math.sqrt((b + d - a - c) ** 2 + (d + c - b - a) ** 2) / 2;
    }
  }
  return (2 * area) / outline;
}

// Squared distances of a row's places to the nearest one within `reach` if those across it are `before`; transposed.
function nearest(before, width, reach) {
  const out = new Float64Array(before.length);
  const height = (before.length / width) | 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const last = Math.min(width - 1, x + reach);
      let least = Infinity;
      for (let i = Math.max(0, x - reach); i <= last; i++) {
        const square = (x - i) * (x - i) + before[y * width + i];
        if (square < least) least = square;
      }
      out[x * height + y] = least;
    }
  }
  return out;
}

// The squared distance of every pixel to the nearest one that is marked with 0 and not with Infinity.
const squares = ({ height, width }, marked, reach) => nearest(nearest(marked, width, reach), height, reach);

function edgesMoved(ink, distance) {
  const margin = Math.max(0, Math.ceil(distance));
  const out = bordered(ink, margin, margin);
  const half = ink.data.reduce((most, value) => Math.max(most, value)) / 2;
  const [paper, inside] = [new Float64Array(out.data.length), new Float64Array(out.data.length)];
  for (let i = 0; i < paper.length; i++) (out.data[i] > half ? paper : inside)[i] = Infinity;
  const reach = Math.ceil(Math.abs(distance)) + 1; // what is further from the edge stays ink or paper
  const [toPaper, toInk] = [squares(out, paper, reach), squares(out, inside, reach)];
  for (let i = 0; i < paper.length; i++) {
    const outwards = paper[i] ? 0.5 - Math.sqrt(toPaper[i]) : Math.sqrt(toInk[i]) - 0.5;
    out.data[i] = Math.min(Math.max(0.5 - outwards + distance, 0), 1);
  }
  return out;
}

function averaged(ink) {
  const fine = bordered(ink, 0, 0, (FINE - (ink.height % FINE)) % FINE, (FINE - (ink.width % FINE)) % FINE);
  const out = matrix(fine.height / FINE, fine.width / FINE);
  fine.data.forEach((value, i) => {
    const [y, x] = [Math.floor(i / fine.width), i % fine.width];
    out.data[Math.floor(y / FINE) * out.width + Math.floor(x / FINE)] += value / FINE ** 2;
  });
  return out;
}

function centred(ink) {
  let [mass, down, across] = [0, 0, 0];
  ink.data.forEach((value, i) => {
    mass += value;
    down += value * (Math.floor(i / ink.width) + 0.5);
    across += value * ((i % ink.width) + 0.5);
  });
  const [top, left] = [down, across].map((sum) => Math.floor(MIDDLE - sum / mass + 0.5 - TIE));
  const out = new Uint8Array(SIDE * SIDE);
  ink.data.forEach((value, i) => {
    const [y, x] = [top + Math.floor(i / ink.width), left + (i % ink.width)];
    if (y >= 0 && y < SIDE && x >= 0 && x < SIDE) out[y * SIDE + x] = Math.floor(255 * value + 0.5);
  });
  return out;
}
