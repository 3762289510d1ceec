// The page: what is drawn goes through preparation, damage and network, and the answer is shown.

const byId = (id) => document.getElementById(id);
const percent = (share) => (share > 0.9995 && share < 1 ? ">99.9" : (100 * share).toFixed(1)) + " %";

const paper = makePaper(byId("paper"), renew);
let chosen = Object.keys(PAGE.choices)[0];
let waiting = false;
let speaking = 0;

// Everything that changes within one frame is read once.
function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    update();
  });
}

const drawn = () => prepared(paper.read(), READ_SIDE);

// After a change of what is drawn or who reads it.
function renew() {
  later();
  scan(drawn, answer);
}

const answer = (pixels) => judged(pixels, chosen);

function update() {
  paper.show();
  const pixels = drawn();
  const [degrees, change] = [byId("turn").valueAsNumber, byId("width").valueAsNumber];
  const damaged = pixels && (degrees || change) ? widened(turned(pixels, degrees), change) : pixels;
  const found = answer(damaged);
  show(damaged, found);
  byId("turn-value").textContent = signed(degrees, "°");
  byId("width-value").textContent = signed(change, " px");
  byId("hint").hidden = Boolean(pixels);
  byId("outcome").textContent = damaged === pixels ? "" : compared(answer(pixels), found);
}

function compared(before, after) {
  if (before.digit === null) return "";
  if (after.digit === before.digit) return `Still read as ${after.digit}.`;
  if (after.digit === null) return `The ${before.digit} is no longer read: ${after.why}.`;
  return `Misread: the ${before.digit} is taken for a ${after.digit}.`;
}

function show(pixels, { digit, why, probabilities }) {
  byId("digit").textContent = digit ?? "–";
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  const doubt = why === NOT_SURE ? `not sure: ${order[0]} or ${order[1]}` : why;
  byId("sure").textContent = doubt || `${percent(probabilities[digit])} sure`;
  document.body.dataset.answer = digit ?? why;
  // bars that glide cost frames of their own, which the next point would wait for
  byId("bars").classList.toggle("at-once", paper.drawing());
  [...byId("bars").children].forEach((row, i) => {
    row.classList.toggle("read", i === digit);
    row.querySelector(".bar").style.transform = `scaleX(${probabilities[i]})`;
    row.querySelector(".share").textContent = percent(probabilities[i]);
  });
  const image = new ImageData(SIDE, SIDE);
  image.data.fill(255);
  for (let i = 0; i < 4 * SIDE * SIDE; i++) if (i % 4 < 3) image.data[i] = pixels ? pixels[Math.floor(i / 4)] : 0;
  byId("seen").getContext("2d").putImageData(image, 0, 0);
  // a screen reader hears the answer once the pen rests
  clearTimeout(speaking);
  const sentence = doubt || `${digit}, ${byId("sure").textContent}`;
  speaking = setTimeout(() => (byId("spoken").textContent = sentence), REST);
}

for (let digit = 0; digit < 10; digit++) {
  const row = document.createElement("li");
  for (const [name, text] of [["name", digit], ["track", ""], ["share", ""]]) {
    const part = row.appendChild(document.createElement("span"));
    part.className = name;
    part.textContent = text;
  }
  row.children[1].appendChild(document.createElement("span")).className = "bar";
  byId("bars").append(row);
}

for (const [name, { parameters }] of Object.entries(PAGE.choices)) {
  const label = byId("networks").appendChild(document.createElement("label"));
  const radio = label.appendChild(document.createElement("input"));
  Object.assign(radio, { type: "radio", name: "network", value: name, checked: name === chosen });
  radio.addEventListener("change", () => {
    chosen = name;
    renew();
  });
  label.append(name, " ");
  label.appendChild(document.createElement("small")).textContent = `${parameters.toLocaleString("en")} parameters`;
}

byId("undo").addEventListener("click", paper.undo);
byId("clear").addEventListener("click", paper.clear);
byId("reset").addEventListener("click", () => {
  byId("turn").value = byId("width").value = 0;
  later();
});
for (const slider of ["turn", "width"]) byId(slider).addEventListener("input", later);
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
    event.preventDefault();
    paper.undo();
  } else if (event.key === "Escape") paper.clear();
});
addEventListener("resize", later);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);

// on GitHub Pages the project is not beside the page
const [owner, project] = [location.hostname.replace(/\.github\.io$/, ""), location.pathname.split("/")[1]];
if (owner !== location.hostname) byId("readme").href = `https://github.com/${owner}/${project}#readme`;

later();
