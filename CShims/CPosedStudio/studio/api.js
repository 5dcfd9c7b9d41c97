// Calls of the daemon's HTTP interface. Every refusal becomes an Error with the daemon's own sentence.

async function answer(response) {
  if (response.ok) return response;
  let sentence = `${response.status} ${response.statusText}`;
  try {
    const problem = await response.json();
    sentence = problem.detail || problem.title || sentence;
  } catch { /* no problem document: the status says it */ }
  throw Object.assign(new Error(sentence), { status: response.status });
}

async function json(path) {
  return (await answer(await fetch(path, { cache: "no-store" }))).json();
}

/** The sample people: [{name, source, motions: [{name, poses}]}]. */
export const samples = async () => (await json("/studio/samples.json")).people;

/** The solvers' names. */
export const solvers = async () => (await json("/v1/solvers")).solvers.map((solver) => solver.name);

/** The models; the first is the default. */
export const models = async () => (await json("/v1/models")).models;

/** The poses of a motion: one list of joints [x, y, confidence] a frame, in shares of the picture. */
export async function motion(path) {
  const text = await (await answer(await fetch(path))).text();
  return text.split("\n").filter((line) => line.trim()).map((line) => joints(JSON.parse(line)));
}

/** The joints of a pose file of OpenPose, or a list of joints, in shares of the picture's sides. */
export function joints(pose) {
  let flat = pose.people?.[0]?.pose_keypoints_2d ?? pose.keypoints ?? pose;
  if (typeof flat[0] === "number") {
    flat = Array.from({ length: Math.floor(flat.length / 3) }, (_, i) => flat.slice(3 * i, 3 * i + 3));
  }
  if (!Array.isArray(flat) || flat.length < 18) throw new Error("A pose of 18 joints was expected");
  const [width, height] = [pose.canvas_width ?? 1, pose.canvas_height ?? 1];
  return flat.slice(0, 18).map(([x, y, c = 1]) => [x / width, y / height, c]);
}

/**
 * A file's picture, in memory: the file may be gone when a daemon that was lost asks for it again. Where a side is longer
 * than the daemon's default for limits.maxSide, it is made smaller, as a JPEG.
 */
export async function picture(file, longest = 2048) {
  const whole = new Blob([await file.arrayBuffer()], { type: file.type });
  const bitmap = await createImageBitmap(whole).catch(() => null);
  const scale = bitmap ? longest / Math.max(bitmap.width, bitmap.height) : 1;
  if (scale >= 1) return whole;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = canvas.getContext("2d");
  [context.fillStyle, context.imageSmoothingQuality] = ["white", "high"];
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? whole), "image/jpeg", 0.95));
}

/** Sends a picture of a person; the session's number is the answer's name. */
export async function createSession(picture) {
  const form = new FormData();
  form.append("source", picture, "source");
  return (await answer(await fetch("/v1/sessions", { method: "POST", body: form }))).json();
}

/** Ends a session; nobody waits for the answer. */
export function deleteSession(name) {
  fetch(`/v1/${name}`, { method: "DELETE", keepalive: true }).catch(() => {});
}
