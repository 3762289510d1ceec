// The paper: strokes of pen, mouse or finger, kept as points from 0 to 1, drawn twice: for the eye and to be read.

const READ_SIDE = 280; // pixels of what is read
const PEN = 0.075; // of the paper's side

function makePaper(canvas, changed) {
  const eye = canvas.getContext("2d");
  const sheet = new OffscreenCanvas(READ_SIDE, READ_SIDE).getContext("2d", { willReadFrequently: true });
  const history = [];
  let strokes = [];
  let open = null;

  function draw(context, side) {
    context.clearRect(0, 0, side, side);
    context.lineWidth = PEN * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      stroke.forEach(([x, y], i) => (i ? context.lineTo(x * side, y * side) : context.moveTo(x * side, y * side)));
      if (stroke.length === 1) context.lineTo(stroke[0][0] * side, stroke[0][1] * side); // a dot
      context.stroke();
    }
  }

  function show() {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    eye.strokeStyle = getComputedStyle(canvas).color;
    draw(eye, side);
  }

  function change(next) {
    strokes = next;
    changed();
  }

  function add(event) {
    const box = canvas.getBoundingClientRect();
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of moves.length ? moves : [event]) {
      open.points.push([(clientX - box.left) / box.width, (clientY - box.top) / box.height]);
    }
    changed();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (open || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    history.push(strokes);
    open = { pointer: event.pointerId, points: [] };
    strokes = [...strokes, open.points];
    add(event);
  });
  canvas.addEventListener("pointermove", (event) => open?.pointer === event.pointerId && add(event));
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => {
      if (open?.pointer === event.pointerId) open = null;
    });
  }

  return {
    show,
    drawing: () => Boolean(open),
    undo: () => !open && history.length && change(history.pop()),
    clear: () => {
      if (open || !strokes.length) return;
      history.push(strokes);
      change([]);
    },
    // How much ink lies on every pixel, rows first, from 0 to 255.
    read: () => {
      draw(sheet, READ_SIDE);
      const { data } = sheet.getImageData(0, 0, READ_SIDE, READ_SIDE);
      const ink = new Uint8Array(READ_SIDE * READ_SIDE);
      for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3];
      return ink;
    },
  };
}
