// The editor of a pose: 18 joints in OpenPose's order, in shares of the picture's sides.

export const names = ["nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
  "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye",
  "right ear", "left ear"];

const limbs = [[1, 2], [1, 5], [2, 3], [3, 4], [5, 6], [6, 7], [1, 8], [8, 9], [9, 10], [1, 11], [11, 12], [12, 13], [1, 0],
  [0, 14], [14, 16], [0, 15], [15, 17]];

const colours = ["#ff0000", "#ff5500", "#ffaa00", "#ffff00", "#aaff00", "#55ff00", "#00ff00", "#00ff55", "#00ffaa",
  "#00ffff", "#00aaff", "#0055ff", "#0000ff", "#5500ff", "#aa00ff", "#ff00ff", "#ff00aa", "#ff0055"];

// The joints that follow when one is dragged: what hangs on it.
const below = { 2: [3, 4], 3: [4], 5: [6, 7], 6: [7], 8: [9, 10], 9: [10], 11: [12, 13], 12: [13], 0: [14, 15, 16, 17] };

export const rest = [[.5, .19, 1], [.5, .29, 1], [.42, .29, 1], [.4, .41, 1], [.39, .52, 1], [.58, .29, 1], [.6, .41, 1],
  [.61, .52, 1], [.45, .51, 1], [.45, .69, 1], [.45, .87, 1], [.55, .51, 1], [.55, .69, 1], [.55, .87, 1], [.48, .17, 1],
  [.52, .17, 1], [.46, .18, 1], [.54, .18, 1]];

const present = (joint) => joint[2] >= 0.05;

export class Skeleton extends EventTarget {
  #canvas; #pose = structuredClone(rest); #held = null; #chosen = null; #whole = null;
  #backdrop = null; #awaitsDrawing = false;

  /** An editor on a canvas. `change` tells that a person moved a joint; `choose` tells that one was chosen. */
  constructor(canvas) {
    super();
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.#held = this.#whole = null; });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#draw();
  }

  get pose() { return this.#pose; }

  set pose(joints) {
    this.#pose = structuredClone(joints);
    this.#draw();
  }

  /** The picture that shows through behind the joints; null for none. */
  set backdrop(picture) {
    this.#backdrop = picture;
    this.#draw();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #press(event) {
    const [x, y] = this.#place(event);
    let nearest = null, distance = 0.06;
    this.#pose.forEach((joint, index) => {
      const d = Math.hypot(joint[0] - x, joint[1] - y);
      if (present(joint) && d < distance) [nearest, distance] = [index, d];
    });
    this.#canvas.setPointerCapture(event.pointerId);
    if (nearest === null) {
      this.#whole = [x, y];
    } else {
      this.#held = nearest;
      this.#choose(nearest);
    }
    event.preventDefault();
    this.#canvas.focus();
  }

  #drag(event) {
    const [x, y] = this.#place(event);
    if (this.#held !== null) {
      const joint = this.#pose[this.#held];
      this.#move(this.#held, x - joint[0], y - joint[1], event.shiftKey);
    } else if (this.#whole) {
      const [dx, dy] = [x - this.#whole[0], y - this.#whole[1]];
      this.#pose = this.#pose.map(([jx, jy, c]) => [jx + dx, jy + dy, c]);
      this.#whole = [x, y];
      this.#changed();
    }
  }

  /** Moves a joint and what hangs on it; `alone` leaves the others where they are. */
  #move(index, dx, dy, alone) {
    for (const moved of alone ? [index] : [index, ...(below[index] ?? [])]) {
      this.#pose[moved][0] += dx;
      this.#pose[moved][1] += dy;
    }
    this.#changed();
  }

  #key(event) {
    const step = event.shiftKey ? 0.05 : 0.01;
    const arrows = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in arrows && this.#chosen !== null) {
      this.#move(this.#chosen, ...arrows[event.key], event.altKey);
    } else if (event.key === "Tab" && !event.shiftKey && this.#chosen !== 17) {
      this.#choose((this.#chosen ?? -1) + 1);
    } else if (event.key === "Tab" && event.shiftKey && this.#chosen > 0) {
      this.#choose(this.#chosen - 1);
    } else if (event.key === "Escape") {
      this.#choose(null);
      this.#canvas.blur();
    } else {
      return;
    }
    event.preventDefault();
  }

  #choose(index) {
    this.#chosen = index;
    this.#draw();
    this.dispatchEvent(new CustomEvent("choose", { detail: index === null ? "" : names[index] }));
  }

  #changed() {
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  /** Draws once before the screen is next painted, however often it is called. */
  #draw() {
    if (this.#awaitsDrawing) return;
    this.#awaitsDrawing = true;
    requestAnimationFrame(() => {
      this.#awaitsDrawing = false;
      this.#paint();
    });
  }

  #paint() {
    const [canvas, side] = [this.#canvas, this.#canvas.width];
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, side, side);
    if (this.#backdrop) {
      pen.globalAlpha = 0.35;
      pen.drawImage(this.#backdrop, 0, 0, side, side);
    }
    pen.lineCap = "round";
    limbs.forEach(([from, to], index) => {
      const [a, b] = [this.#pose[from], this.#pose[to]];
      if (!present(a) || !present(b)) return;
      pen.globalAlpha = 0.75;
      pen.strokeStyle = colours[index];
      pen.lineWidth = side / 44;
      pen.beginPath();
      pen.moveTo(a[0] * side, a[1] * side);
      pen.lineTo(b[0] * side, b[1] * side);
      pen.stroke();
    });
    pen.globalAlpha = 1;
    this.#pose.forEach((joint, index) => {
      if (!present(joint)) return;
      pen.beginPath();
      pen.arc(joint[0] * side, joint[1] * side, side / 52, 0, 2 * Math.PI);
      pen.fillStyle = colours[index];
      pen.fill();
      pen.lineWidth = index === this.#chosen ? 4 : 1.5;
      pen.strokeStyle = index === this.#chosen ? "#fff" : "#0008";
      pen.stroke();
    });
  }
}
