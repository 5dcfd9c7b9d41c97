// One live stream: poses go out over a WebSocket, pictures come back. The latest pose wins.

const ahead = 2;           // poses under way at a time
const patience = 2000;     // milliseconds, at least, until an answer counts as lost

export class Live extends EventTarget {
  #session; #settings; #socket = null; #closed = false; #sequence = 0; #waiting = null; #sent = new Map(); #retry = 0;
  #latency = 0;            // of the last answer, in milliseconds

  /** A stream of a session. Events: `open`, `lost`, `frame` {blob, facts, milliseconds}, `skipped`, `refused`. */
  constructor(session, settings) {
    super();
    this.#session = session;
    this.#settings = settings;
    this.#connect();
    this.clock = setInterval(() => this.#forget(), 1000);
  }

  /** The pose to show next, [x, y, confidence] × 18; one that could not be sent yet is replaced. */
  show(pose) {
    this.#waiting = pose;
    this.#flush();
  }

  /** What later frames are made with, as `SynthesisSettings`. */
  set settings(settings) { this.#settings = settings; }

  close() {
    this.#closed = true;
    clearInterval(this.clock);
    this.#socket?.close(1000);
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/v1/${this.#session}/stream?format=jpeg`);
    socket.binaryType = "blob";
    let told = null;
    socket.onopen = () => {
      this.#retry = 0;
      this.#tell("open");
      this.#flush();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return this.#picture(data, told);
      told = JSON.parse(data);
      if (told.frame) return;
      this.#answered(told.sequence);
      this.#tell(told.superseded ? "skipped" : "refused", told.error?.message ?? "");
      this.#flush();
    };
    socket.onclose = ({ code, reason }) => {
      this.#sent.clear();
      this.#socket = null;
      if (this.#closed) return;
      this.#tell("lost", { code, reason });
      setTimeout(() => { if (!this.#closed) this.#connect(); }, Math.min(4000, 250 * 2 ** this.#retry++));
    };
    this.#socket = socket;
  }

  #picture(blob, told) {
    if (!told?.frame) return;
    const at = this.#sent.get(told.sequence);
    if (at !== undefined) this.#latency = performance.now() - at;
    this.#answered(told.sequence);
    this.#tell("frame", { blob, facts: told.frame, milliseconds: at === undefined ? null : this.#latency });
    this.#flush();
  }

  #flush() {
    if (!this.#waiting || this.#socket?.readyState !== WebSocket.OPEN || this.#sent.size >= ahead) return;
    const message = { sequence: ++this.#sequence, pose: this.#waiting, settings: this.#settings };
    this.#waiting = null;
    this.#sent.set(message.sequence, performance.now());
    this.#socket.send(JSON.stringify(message));
  }

  /** Answers come in the order of the poses, so those of earlier poses come no more. */
  #answered(sequence) {
    for (const earlier of this.#sent.keys()) {
      if (earlier <= sequence) this.#sent.delete(earlier);
    }
  }

  /** Answers that never come do not hold the stream up. */
  #forget() {
    for (const [sequence, at] of this.#sent) {
      if (performance.now() - at > Math.max(patience, 4 * this.#latency)) this.#sent.delete(sequence);
    }
    this.#flush();
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
