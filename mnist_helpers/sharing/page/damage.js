// Damage as notebook 08 does it to 28×28 pixels: digits turned, their strokes thinned or thickened.

const SIDE = 28;
const FINE = 4; // sub-pixels along a pixel's side

// Halves go to the even neighbour, as in Python.
function toByte(value) {
  const rounded = Math.round(value);
  const even = rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
  return Math.min(Math.max(even, 0), 255);
}

function turned(pixels, degrees) {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const grid = new Float64Array(2 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [((i % SIDE) * 2 + 1) / SIDE - 1, (Math.floor(i / SIDE) * 2 + 1) / SIDE - 1];
    grid[2 * i] = cos * x + sin * y;
    grid[2 * i + 1] = cos * y - sin * x;
  }
  const image = { dims: [1, 1, SIDE, SIDE], data: Float64Array.from(pixels) };
  return Uint8Array.from(gridSample([image, { dims: [1, SIDE, SIDE, 2], data: grid }]).data, toByte);
}

// The largest (or smallest) of `reach` values to either side, along rows of `length`, and then transposed.
function spread(values, length, reach, extreme) {
  const out = new Uint8Array(values.length);
  for (let row = 0; row < length; row++) {
    for (let i = 0; i < length; i++) {
      let value = values[row * length + i];
      for (let j = Math.max(0, i - reach); j <= Math.min(length - 1, i + reach); j++) {
        value = extreme(value, values[row * length + j]);
      }
      out[i * length + row] = value;
    }
  }
  return out;
}

// Grey-scale dilation (change > 0) or erosion by about `change` pixels, in steps of 0.5.
function widened(pixels, change) {
  const [fine, reach] = [SIDE * FINE, Math.round((Math.abs(change) / 2) * FINE)];
  if (!reach) return pixels;
  const extreme = change > 0 ? Math.max : Math.min;
  let cut = new Uint8Array(fine * fine);
  for (let i = 0; i < cut.length; i++) {
    cut[i] = pixels[Math.floor(Math.floor(i / fine) / FINE) * SIDE + Math.floor((i % fine) / FINE)];
  }
  cut = spread(spread(cut, fine, reach, extreme), fine, reach, extreme);
  const sums = new Float32Array(SIDE * SIDE);
  cut.forEach((value, i) => {
    sums[Math.floor(Math.floor(i / fine) / FINE) * SIDE + Math.floor((i % fine) / FINE)] += value;
  });
  return Uint8Array.from(sums, (sum) => toByte(sum / FINE ** 2));
}
