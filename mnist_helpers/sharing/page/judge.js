// What is said of a picture: a digit, or null and why. As `mnist_helpers/handwriting/reader.py` does it.

const [NOT_SURE, NO_DIGIT] = ["not sure", "no digit"];
const NETWORKS = new Map();

function network(name) {
  if (!NETWORKS.has(name)) NETWORKS.set(name, unpacked(PAGE.networks[name]));
  return NETWORKS.get(name);
}

// Pixels are 784 numbers from 0 to 255, or null where nothing is drawn.
function judged(pixels, name) {
  if (!pixels?.some(Boolean)) return { digit: null, why: NO_DIGIT, probabilities: new Float64Array(10) };
  const probabilities = logSoftmax(logitsOf(network(name), pixels)).map(Math.exp);
  const digit = probabilities.indexOf(Math.max(...probabilities));
  const [likeDigit, likeNone] = logitsOf(network("refusal"), pixels);
  if (likeNone - likeDigit > PAGE.limit) return { digit: null, why: NO_DIGIT, probabilities };
  if (probabilities[digit] < PAGE.choices[name].threshold) return { digit: null, why: NOT_SURE, probabilities };
  return { digit, why: "", probabilities };
}
