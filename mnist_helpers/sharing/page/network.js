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
  const out = new Float32Array(size(dims));
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

const reshaped = (x, dims) => ({ dims, data: x.data });

const positive = (axis, count) => (axis < 0 ? axis + count : axis);

function reduced(finish) {
  return ([x, axes], { keepdims }) => {
    const gone = new Set([...axes.data].map((axis) => positive(axis, x.dims.length)));
    const all = [...x.dims.keys()];
    const last = transpose(x, [...all.filter((axis) => !gone.has(axis)), ...gone]);
    const count = size([...gone].map((axis) => x.dims[axis]));
    const data = new Float32Array(last.data.length / count);
    for (let i = 0; i < data.length; i++) {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += last.data[i * count + j];
      data[i] = finish(sum, count);
    }
    const dims = all.filter((axis) => keepdims || !gone.has(axis)).map((axis) => (gone.has(axis) ? 1 : x.dims[axis]));
    return { dims, data };
  };
}

// All products of a row of `left` with a row of `right`, eight at a time: here the time goes.
function products(left, right, inner) {
  const [rows, columns] = [left.length / inner, right.length / inner];
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i += 4) {
    // at an edge the last row takes the place of those that are not there, and is computed again
    const [i1, i2, i3] = [1, 2, 3].map((step) => Math.min(i + step, rows - 1));
    const [r0, r1, r2, r3] = [i * inner, i1 * inner, i2 * inner, i3 * inner];
    for (let j = 0; j < columns; j += 2) {
      const j1 = Math.min(j + 1, columns - 1);
      const c0 = j * inner;
      const c1 = j1 * inner;
      let a0 = 0, a1 = 0, b0 = 0, b1 = 0, d0 = 0, d1 = 0, e0 = 0, e1 = 0;
      for (let k = 0; k < inner; k++) {
        const x = right[c0 + k];
        const y = right[c1 + k];
        a0 += left[r0 + k] * x;
        a1 += left[r0 + k] * y;
        b0 += left[r1 + k] * x;
        b1 += left[r1 + k] * y;
        d0 += left[r2 + k] * x;
        d1 += left[r2 + k] * y;
        e0 += left[r3 + k] * x;
        e1 += left[r3 + k] * y;
      }
      out[i * columns + j] = a0;
      out[i * columns + j1] = a1;
      out[i1 * columns + j] = b0;
      out[i1 * columns + j1] = b1;
      out[i2 * columns + j] = d0;
      out[i2 * columns + j1] = d1;
      out[i3 * columns + j] = e0;
      out[i3 * columns + j1] = e1;
    }
  }
  return out;
}

function matMul(a, b) {
  const right = b.dims.length > 1 ? transpose(b, [1, 0]).data : b.data;
  return { dims: [...a.dims.slice(0, -1), ...b.dims.slice(1)], data: products(a.data, right, b.dims[0]) };
}

function padded(x, [top, left, bottom, right], value) {
  const [, channels, height, width] = x.dims;
  if (!(top || left || bottom || right)) return x;
  const dims = [1, channels, height + top + bottom, width + left + right];
  const data = new Float32Array(size(dims)).fill(value);
  for (let row = 0; row < channels * height; row++) {
    const line = Math.floor(row / height) * dims[2] + top + (row % height);
    data.set(x.data.subarray(row * width, (row + 1) * width), line * dims[3] + left);
  }
  return { dims, data };
}

const sidesLeft = (x, kernel, strides) =>
  [0, 1].map((axis) => Math.floor((x.dims[axis + 2] - kernel[axis]) / strides[axis]) + 1);

// The window of `count` channels from the `first` on at every place, one row each.
function windows(x, first, count, kernel, strides, [height, width]) {
  const out = new Float64Array(height * width * count * kernel[0] * kernel[1]);
  const [tall, wide] = [x.dims[2], x.dims[3]];
  const [rows, columns] = kernel;
  const { data } = x;
  let place = 0;
  for (let y = 0; y < height; y++) {
    for (let column = 0; column < width; column++) {
      for (let channel = first; channel < first + count; channel++) {
        const corner = (channel * tall + y * strides[0]) * wide + column * strides[1];
        for (let row = 0; row < rows; row++) {
          const from = corner + row * wide;
          for (let i = 0; i < columns; i++) out[place++] = data[from + i];
        }
      }
    }
  }
  return out;
}

function convolve([images, weight, bias], { group, kernel_shape: kernel, pads, strides }) {
  const x = padded(images, pads, 0);
  const [channels, perGroup] = weight.dims;
  const sides = sidesLeft(x, kernel, strides);
  const data = new Float32Array(channels * size(sides));
  for (let i = 0; i < group; i++) {
    const seen = windows(x, i * perGroup, perGroup, kernel, strides, sides);
    const filters = weight.data.subarray((i * weight.data.length) / group, ((i + 1) * weight.data.length) / group);
    data.set(products(filters, seen, filters.length / (channels / group)), (i * data.length) / group);
  }
  if (bias) data.forEach((value, i) => (data[i] = value + bias.data[Math.floor(i / size(sides))]));
  return { dims: [1, channels, ...sides], data };
}

function pooled(edge, start, gather, finish) {
  return ([images], { kernel_shape: kernel, pads, strides }) => {
    const x = padded(images, pads, edge);
    const [height, width] = sidesLeft(x, kernel, strides);
    const out = new Float32Array(x.dims[1] * height * width);
    for (let i = 0; i < out.length; i++) {
      const [channel, y, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
      const corner = (channel * x.dims[2] + y * strides[0]) * x.dims[3] + column * strides[1];
      let value = start;
      for (let row = 0; row < kernel[0]; row++) {
        for (let step = 0; step < kernel[1]; step++) value = gather(value, x.data[corner + row * x.dims[3] + step]);
      }
      out[i] = finish(value, kernel[0] * kernel[1]);
    }
    return { dims: [1, x.dims[1], height, width], data: out };
  };
}

// Bilinear, outside is 0, corners are the outer pixels' outer corners.
function gridSample([images, grid]) {
  const [, channels, height, width] = images.dims;
  const [, rows, columns] = grid.dims;
  const out = new Float32Array(channels * rows * columns);
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
  const data = new Float32Array(size(dims));
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
  AveragePool: pooled(0, 0, (sum, value) => sum + value, (sum, count) => sum / count),
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
  MaxPool: pooled(-Infinity, -Infinity, (most, value) => (value > most ? value : most), (most) => most),
  Mul: pairwise((a, b) => a * b),
  Pow: pairwise((a, b) => a ** b),
  ReduceMean: reduced((sum, count) => sum / count),
  ReduceSum: reduced((sum) => sum),
  Relu: each((value) => (value > 0 ? value : 0)),
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
    const data = new Float32Array(size(dims));
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
  const inputs = Float32Array.from(pixels, (pixel) => (pixel / 255 - PAGE.mean) / PAGE.std);
  const values = new Map(network.constants);
  values.set(network.input, { dims: [1, 1, 28, 28], data: inputs });
  for (const [operator, inputs, output, attributes] of network.nodes) {
    values.set(output, OPERATORS[operator](inputs.map((name) => values.get(name)), attributes));
  }
  return values.get(network.output).data;
}
