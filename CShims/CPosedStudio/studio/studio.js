// The page: people, the skeleton, one or two live streams of one session, and what they tell.

import * as api from "./api.js";
import { Live } from "./live.js";
import { rest, Skeleton } from "./skeleton.js";

const find = (id) => document.getElementById(id);
const skeleton = new Skeleton(find("skeleton"));
const sides = { a: null, b: null };                 // the live streams
const choices = { a: {}, b: {} };                   // what their frames are made with
const shown = [];                                   // times of frames, for the rate
let session = null, playing = null, skipped = 0, people = [];

function say(kind, text) {
  find("state").dataset.kind = kind;
  find("state").textContent = text;
}

// Pictures

async function draw(side, { blob, facts, milliseconds }) {
  let picture;
  try {
    picture = await createImageBitmap(blob);
  } catch {
    find("skipped").textContent = ++skipped;
    return;
  }
  const canvas = find(`picture-${side}`);
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    [canvas.width, canvas.height] = [picture.width, picture.height];
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
  canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1;
  const used = facts.used;
  find(`facts-${side}`).textContent = `${used.solver}, ${used.nfe} evaluations, guidance ${used.guidance_scale}, seed ${used.seed}`;
  if (side !== "a") return;
  skeleton.backdrop = find("ghost").checked ? canvas : null;
  const now = performance.now();
  shown.push(now);
  while (shown[0] < now - 2000) shown.shift();
  find("rate").textContent = (shown.length / 2).toFixed(1);
  find("evaluations").textContent = used.nfe;
  if (milliseconds !== null) find("latency").textContent = Math.round(milliseconds);
}

function open(side) {
  sides[side]?.close();
  const live = sides[side] = new Live(session.name, choices[side]);
  live.addEventListener("open", () => {
    say("good", `Live with ${session.display_name || session.name}`);
    live.show(skeleton.pose);
  });
  live.addEventListener("frame", ({ detail }) => draw(side, detail));
  live.addEventListener("skipped", () => { find("skipped").textContent = ++skipped; });
  live.addEventListener("refused", ({ detail }) => say("bad", detail));
  live.addEventListener("lost", ({ detail }) => lost(detail));
}

/** The daemon went away: says so, and begins anew where the session is gone with it. */
async function lost({ code, reason }) {
  say("bad", reason || "The daemon does not answer; trying again");
  if (code !== 4404 || !session) return;
  const { picture, title } = session;
  await begin(picture, title);
}

function show() {
  for (const live of Object.values(sides)) live?.show(skeleton.pose);
}

// People

async function begin(picture, title) {
  say("wait", `Encoding ${title}`);
  for (const side of ["a", "b"]) { sides[side]?.close(); sides[side] = null; }
  if (session) api.deleteSession(session.name);
  session = null;
  try {
    session = Object.assign(await api.createSession(picture), { picture, title, display_name: title });
  } catch (error) {
    return say("bad", error.message);
  }
  open("a");
  if (find("compare").checked) open("b");
}

function sample(person, button) {
  for (const other of find("samples").querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
  find("motions").replaceChildren(...person.motions.map((motion) => {
    const play = document.createElement("button");
    play.type = "button";
    play.textContent = motion.name;
    play.setAttribute("aria-pressed", "false");
    play.onclick = () => playing?.button === play ? stop() : start(motion, play);
    return play;
  }));
  fetch(person.source).then((response) => response.blob()).then((blob) => begin(blob, person.name));
  stop();
  if (person.motions.length) api.motion(person.motions[0].poses).then((poses) => { skeleton.pose = poses[0]; show(); });
}

async function upload(file) {
  if (!file) return;
  for (const button of find("samples").querySelectorAll("button")) button.setAttribute("aria-pressed", false);
  try {
    await begin(await api.picture(file), file.name);
  } catch (error) {
    say("bad", `The picture cannot be read: ${error.message}`);
  }
}

// Motions

async function start(motion, button) {
  stop();
  const poses = await api.motion(motion.poses);
  button.setAttribute("aria-pressed", "true");
  let frame = 0;
  const timer = setInterval(() => {
    skeleton.pose = poses[frame++ % poses.length];
    show();
  }, 1000 / (motion.rate || 20));
  playing = { button, timer };
}

function stop() {
  if (!playing) return;
  clearInterval(playing.timer);
  playing.button.setAttribute("aria-pressed", "false");
  playing = null;
}

// Settings

function settings(side, solvers, start) {
  const box = find(`settings-${side}`);
  const fields = {
    solver: select(["", ...solvers], (name) => name || "default"),
    nfe: number({ min: 1, max: 200, value: start.nfe ?? "", placeholder: "default" }),
    guidance_scale: number({ min: 0, max: 10, step: 0.1, placeholder: "default" }),
    seed: number({ min: 0, max: 4294967295, value: 7 }),
  };
  const titles = { solver: "Solver", nfe: "Evaluations", guidance_scale: "Guidance", seed: "Seed" };
  for (const [name, field] of Object.entries(fields)) {
    const label = document.createElement("label");
    label.textContent = titles[name];
    label.htmlFor = field.id = `${name}-${side}`;
    field.onchange = read;
    box.append(label, field);
  }
  function read() {
    const chosen = {};
    for (const [name, field] of Object.entries(fields)) {
      if (field.value === "" || !field.checkValidity()) continue;
      chosen[name] = name === "solver" || name === "seed" ? field.value : Number(field.value);
    }
    choices[side] = chosen;
    if (sides[side]) {
      sides[side].settings = chosen;
      sides[side].show(skeleton.pose);
    }
  }
  read();
}

function select(values, title) {
  const field = document.createElement("select");
  for (const value of values) field.add(new Option(title(value), value));
  return field;
}

function number(attributes) {
  return Object.assign(document.createElement("input"), { type: "number", step: 1 }, attributes);
}

// Files

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function poseFile() {
  const flat = skeleton.pose.flatMap(([x, y, c]) => [x * 256, y * 256, c]);
  const pose = { canvas_width: 256, canvas_height: 256, people: [{ pose_keypoints_2d: flat }] };
  return new Blob([JSON.stringify(pose)], { type: "application/json" });
}

// Wiring

skeleton.addEventListener("change", () => { stop(); show(); });
skeleton.addEventListener("choose", ({ detail }) => { find("joint").textContent = detail; });
find("ghost").onchange = ({ target }) => { skeleton.backdrop = target.checked ? find("picture-a") : null; };
find("reset").onclick = () => { stop(); skeleton.pose = rest; show(); };
find("save-picture").onclick = () => find("picture-a").toBlob((blob) => save(blob, "frame.png"));
find("save-pose").onclick = () => save(poseFile(), "pose.json");
find("load-pose").onchange = async ({ target }) => {
  try {
    stop();
    skeleton.pose = api.joints(JSON.parse(await target.files[0].text()));
    show();
  } catch (error) {
    say("bad", `The pose cannot be read: ${error.message}`);
  }
};
find("compare").onchange = ({ target }) => {
  find("answer-b").hidden = find("settings-b").hidden = !target.checked;
  if (target.checked && session) return open("b");
  sides.b?.close();
  sides.b = null;
};
find("upload").onchange = ({ target }) => upload(target.files[0]);
const drop = find("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") upload(event.dataTransfer.files[0]);
  });
}
addEventListener("pagehide", () => { if (session) api.deleteSession(session.name); });

async function load() {
  try {
    let solvers;
    [people, solvers] = await Promise.all([api.samples(), api.solvers()]);
    settings("a", solvers, {});
    settings("b", solvers, { nfe: 8 });
  } catch (error) {
    if (error.status === 401 || error.status === 403) return say("bad", `${error.message}. Run "posectl studio" for a new address.`);
    say("bad", "The daemon does not answer; trying again");
    return setTimeout(load, 1500);
  }
  find("samples").replaceChildren(...people.map((person) => {
    const [button, image, name] = ["button", "img", "span"].map((tag) => document.createElement(tag));
    [button.type, image.src, image.alt, name.textContent] = ["button", person.source, "", person.name];
    button.append(image, name);
    button.onclick = () => sample(person, button);
    return button;
  }));
  const first = find("samples").querySelector("button");
  if (first) first.click();
  else say("wait", "Choose a picture of a person");
}

load();
