// A network as ONNX has it, run on one image: tensors are {dims, data}, rows first.

const PAGE = JSON.parse(document.getElementById("data").textContent);

const size = (dims) => dims.reduce((product, side) => product * side, 1);

function stridesOf(dims) {
  const strides = Array(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * dims[axis + 1];
  return strides;
}

// What transposes, slices and repeats have in common: an element's place is a sum of steps along the axes.
function strided(data, dims, strides, offset = 0) {
  const out = new Float64Array(size(dims));
  const index = Array(dims.length).fill(0);
  for (let i = 0, place = offset; i < out.length; i++) {
    out[i] = data[place];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      place += strides[axis];
      if (++index[axis] < dims[axis]) break;
      place -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return { dims, data: out };
}

function transpose(x, order) {
  const strides = stridesOf(x.dims);
  return strided(x.data, order.map((axis) => x.dims[axis]), order.map((axis) => strides[axis]));
}

function broadcast(x, dims) {
  const missing = dims.length - x.dims.length;
  const strides = stridesOf(x.dims).map((stride, axis) => (x.dims[axis] === 1 ? 0 : stride));
  return strided(x.data, dims, [...Array(missing).fill(0), ...strides]);
}

function pairwise(compute) {
  return ([a, b]) => {
    const [long, short] = a.dims.length < b.dims.length ? [b.dims, a.dims] : [a.dims, b.dims];
    const missing = long.length - short.length;
    const dims = long.map((side, axis) => (axis < missing ? side : Math.max(side, short[axis - missing])));
    const [left, right] = [broadcast(a, dims), broadcast(b, dims)];
    return { dims, data: left.data.map((value, i) => compute(value, right.data[i])) };
  };
}

const each = (compute) => ([x]) => ({ dims: x.dims, data: x.data.map(compute) });

// By far the longest of what is done to each: a loop of its own, with no call in it.
function rectified([x]) {
  const data = new Float64Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = x.data[i] > 0 ? x.data[i] : 0;
  return { dims: x.dims, data };
}

const reshaped = (x, dims) => ({ dims, data: x.data });

const positive = (axis, count) => (axis < 0 ? axis + count : axis);

function reduced(finish) {
  return ([x, axes], { keepdims }) => {
    const gone = new Set([...axes.data].map((axis) => positive(axis, x.dims.length)));
    const all = [...x.dims.keys()];
    const last = transpose(x, [...all.filter((axis) => !gone.has(axis)), ...gone]);
    const count = size([...gone].map((axis) => x.dims[axis]));
    const data = new Float64Array(last.data.length / count);
    for (let i = 0; i < data.length; i++) {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += last.data[i * count + j];
      data[i] = finish(sum, count);
    }
    const dims = all.filter((axis) => keepdims || !gone.has(axis)).map((axis) => (gone.has(axis) ? 1 : x.dims[axis]));
    return { dims, data };
  };
}

function matMul(a, b) {
  const inner = b.dims[0];
  const [rows, columns] = [a.data.length / inner, b.data.length / inner];
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const value = a.data[i * inner + k];
      for (let j = 0; j < columns; j++) data[i * columns + j] += value * b.data[k * columns + j];
    }
  }
  return { dims: [...a.dims.slice(0, -1), ...b.dims.slice(1)], data };
}

function padded(x, [top, left, bottom, right], value) {
  const [, channels, height, width] = x.dims;
  if (!(top || left || bottom || right)) return x;
  const dims = [1, channels, height + top + bottom, width + left + right];
  const data = new Float64Array(size(dims)).fill(value);
  for (let row = 0; row < channels * height; row++) {
    const line = Math.floor(row / height) * dims[2] + top + (row % height);
    data.set(x.data.subarray(row * width, (row + 1) * width), line * dims[3] + left);
  }
  return { dims, data };
}

const sidesLeft = (x, kernel, strides) =>
  [0, 1].map((axis) => Math.floor((x.dims[axis + 2] - kernel[axis]) / strides[axis]) + 1);

// Writes into `pair` what two places `step` apart see in their windows, and where in the window: all but what is 0
// for both, as half of what a rectifier leaves is. Returns how much that is.
function look(data, corner, step, plane, wide, rows, columns, { one, other, where }) {
  let [seen, place] = [0, 0];
  for (let channel = corner; channel < data.length; channel += plane) {
    for (let row = 0; row < rows; row++) {
      const from = channel + row * wide;
      for (let i = from; i < from + columns; i++) {
        const x = data[i];
        const y = data[i + step];
        one[seen] = x;
        other[seen] = y;
        where[seen] = place++;
        if (x !== 0 || y !== 0) seen++;
      }
    }
  }
  return seen;
}

// The answers of all filters to what such a pair sees, eight sums at a time: here the time goes.
function respond(filters, inner, bias, { one, other, where }, seen, out, at, step, area) {
  const most = bias.length - 1;
  for (let i = 0; i <= most; i += 4) {
    // at the end the last filter takes the place of those that are not there, and is computed again
    const [i1, i2, i3] = [Math.min(i + 1, most), Math.min(i + 2, most), Math.min(i + 3, most)];
    const [f0, f1, f2, f3] = [i * inner, i1 * inner, i2 * inner, i3 * inner];
    let a0 = bias[i], b0 = bias[i1], c0 = bias[i2], d0 = bias[i3];
    let a1 = a0, b1 = b0, c1 = c0, d1 = d0;
    for (let j = 0; j < seen; j++) {
      const x = one[j];
      const y = other[j];
      const k = where[j];
      const a = filters[f0 + k];
      const b = filters[f1 + k];
      const c = filters[f2 + k];
      const d = filters[f3 + k];
      a0 += a * x;
      a1 += a * y;
      b0 += b * x;
      b1 += b * y;
      c0 += c * x;
      c1 += c * y;
      d0 += d * x;
      d1 += d * y;
    }
    out[i * area + at] = a0;
    out[i * area + at + step] = a1;
    out[i1 * area + at] = b0;
    out[i1 * area + at + step] = b1;
    out[i2 * area + at] = c0;
    out[i2 * area + at + step] = c1;
    out[i3 * area + at] = d0;
    out[i3 * area + at + step] = d1;
  }
}

function convolve([images, weight, bias], { group, kernel_shape: kernel, pads, strides: [down, across] }) {
  const x = padded(images, pads, 0);
  const [channels, perGroup] = weight.dims;
  const sides = sidesLeft(x, kernel, [down, across]);
  // `| 0`: what was once a quotient is a float to the browser; it would count in floats, at a third of the speed
  const [height, width, tall, wide] = [...sides, ...x.dims.slice(2)].map((side) => side | 0);
  const inner = (perGroup * size(kernel)) | 0;
  const data = new Float64Array(channels * height * width);
  const biases = bias ? bias.data : new Float64Array(channels);
  const pair = { one: new Float64Array(inner), other: new Float64Array(inner), where: new Int32Array(inner) };
  for (let i = 0; i < group; i++) {
    const part = (values) => values.subarray((i * values.length) / group, ((i + 1) * values.length) / group);
    const [seenBy, filters, start, out] = [x.data, weight.data, biases, data].map(part);
    for (let y = 0; y < height; y++) {
      for (let column = 0; column < width; column += 2) {
        const step = column + 1 < width ? 1 : 0; // the last of an odd row stands for its neighbour too
        const corner = y * down * wide + column * across;
        const seen = look(seenBy, corner, step * across, tall * wide, wide, kernel[0], kernel[1], pair);
        respond(filters, inner, start, pair, seen, out, y * width + column, step, height * width);
      }
    }
  }
  return { dims: [1, channels, height, width], data };
}

function pooled(edge, gather, finish) {
  return ([images], { kernel_shape: [rows, columns], pads, strides: [down, across] }) => {
    const x = padded(images, pads, edge);
    const [height, width] = sidesLeft(x, [rows, columns], [down, across]);
    const [, channels, tall, wide] = x.dims;
    const data = new Float64Array(channels * height * width);
    for (let channel = 0, place = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) {
        for (let column = 0; column < width; column++) {
          const corner = (channel * tall + y * down) * wide + column * across;
          let value = edge;
          for (let row = 0; row < rows; row++) {
            for (let i = 0; i < columns; i++) value = gather(value, x.data[corner + row * wide + i]);
          }
          data[place++] = finish(value, rows * columns);
        }
      }
    }
    return { dims: [1, channels, height, width], data };
  };
}

// Bilinear, outside is 0, corners are the outer pixels' outer corners.
function gridSample([images, grid]) {
  const [, channels, height, width] = images.dims;
  const [, rows, columns] = grid.dims;
  const out = new Float64Array(channels * rows * columns);
  const pixel = (channel, y, x) =>
    y < 0 || y >= height || x < 0 || x >= width ? 0 : images.data[(channel * height + y) * width + x];
  for (let i = 0; i < rows * columns; i++) {
    const x = ((grid.data[2 * i] + 1) * width - 1) / 2;
    const y = ((grid.data[2 * i + 1] + 1) * height - 1) / 2;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, below] = [x - left, y - top];
    for (let c = 0; c < channels; c++) {
      out[c * rows * columns + i] =
        (1 - below) * ((1 - right) * pixel(c, top, left) + right * pixel(c, top, left + 1)) +
        below * ((1 - right) * pixel(c, top + 1, left) + right * pixel(c, top + 1, left + 1));
    }
  }
  return { dims: [1, channels, rows, columns], data: out };
}

function concatenated(parts, { axis }) {
  const dims = [...parts[0].dims];
  dims[axis] = parts.reduce((sum, part) => sum + part.dims[axis], 0);
  const data = new Float64Array(size(dims));
  const outer = size(dims.slice(0, axis));
  let place = 0;
  for (let row = 0; row < outer; row++) {
    for (const part of parts) {
      const length = part.data.length / outer;
      data.set(part.data.subarray(row * length, (row + 1) * length), place);
      place += length;
    }
  }
  return { dims, data };
}

function sliced([x, starts, ends, axes, steps]) {
  const [dims, strides] = [[...x.dims], stridesOf(x.dims)];
  let offset = 0;
  [...axes.data].forEach((named, i) => {
    const axis = positive(named, dims.length);
    const within = (place) => Math.min(positive(place, x.dims[axis]), x.dims[axis]);
    dims[axis] = Math.ceil((within(ends.data[i]) - within(starts.data[i])) / steps.data[i]);
    offset += within(starts.data[i]) * strides[axis];
    strides[axis] *= steps.data[i];
  });
  return strided(x.data, dims, strides, offset);
}

function logSoftmax(logits) {
  const most = Math.max(...logits);
  const sum = Math.log(logits.reduce((total, value) => total + Math.exp(value - most), 0)) + most;
  return logits.map((value) => value - sum);
}

const OPERATORS = {
  Add: pairwise((a, b) => a + b),
  AveragePool: pooled(0, (sum, value) => sum + value, (sum, count) => sum / count),
  Clip: ([x, low, high]) => {
    const [least, most] = [low ? low.data[0] : -Infinity, high ? high.data[0] : Infinity];
    return each((value) => Math.min(Math.max(value, least), most))([x]);
  },
  Concat: concatenated,
  Conv: convolve,
  Div: pairwise((a, b) => a / b),
  Expand: ([x, dims]) => broadcast(x, [...dims.data]),
  Gemm: ([a, b, bias]) => OPERATORS.Add([matMul(a, transpose(b, [1, 0])), bias]),
  GridSample: gridSample,
  LogSoftmax: ([x]) => reshaped({ data: logSoftmax(x.data) }, x.dims),
  MatMul: ([a, b]) => matMul(a, b),
  Max: pairwise(Math.max),
  MaxPool: pooled(-Infinity, (most, value) => (value > most ? value : most), (most) => most),
  Mul: pairwise((a, b) => a * b),
  Pow: pairwise((a, b) => a ** b),
  ReduceMean: reduced((sum, count) => sum / count),
  ReduceSum: reduced((sum) => sum),
  Relu: rectified,
  Reshape: ([x, dims]) => {
    const known = [...dims.data].filter((side) => side >= 0);
    return reshaped(x, [...dims.data].map((side) => (side < 0 ? x.data.length / size(known) : side)));
  },
  Shape: ([x]) => ({ dims: [x.dims.length], data: x.dims }),
  Slice: sliced,
  Sqrt: each(Math.sqrt),
  Squeeze: ([x, axes]) => reshaped(x, x.dims.filter((_, axis) => !axes.data.includes(axis))),
  Sub: pairwise((a, b) => a - b),
  Transpose: ([x], { perm }) => transpose(x, perm),
  Unsqueeze: ([x, axes]) => {
    const dims = [...x.dims];
    [...axes.data].sort((a, b) => a - b).forEach((axis) => dims.splice(axis, 0, 1));
    return reshaped(x, dims);
  },
};

// Whole numbers as they are, weights in three bytes each, lowest first, in units of a scale.
function unpacked({ constants, weights, ...graph }) {
  const bytes = atob(weights);
  let place = 0;
  const tensors = constants.map(([name, dims, content]) => {
    if (Array.isArray(content)) return [name, { dims, data: content }];
    const data = new Float64Array(size(dims));
    for (let i = 0; i < data.length; i++) {
      const [low, middle, high] = [0, 1, 2].map((offset) => bytes.charCodeAt(place + offset));
      data[i] = (((low << 8) | (middle << 16) | (high << 24)) >> 8) * content;
      place += 3;
    }
    return [name, { dims, data }];
  });
  return { constants: new Map(tensors), ...graph };
}

// The ten logits of one image, 784 numbers from 0 to 255.
function logitsOf(network, pixels) {
  const inputs = Float64Array.from(pixels, (pixel) => (pixel / 255 - PAGE.mean) / PAGE.std);
  const values = new Map(network.constants);
  values.set(network.input, { dims: [1, 1, 28, 28], data: inputs });
  for (const [operator, inputs, output, attributes] of network.nodes) {
    values.set(output, OPERATORS[operator](inputs.map((name) => values.get(name)), attributes));
  }
  return values.get(network.output).data;
}
