// Both voices as one picture: the caller's level grows upwards, the agent's downwards, the newest at the right.
//
// So an interruption is seen as it happens: upper bars begin, lower bars stop, and a line stands where they were cut.
// The ring around the button shows the same two levels. With reduced motion nothing moves sideways: two bars show the level alone.

/** Pixels of a bar and of the gap after it. One bar is one block of 40 ms. */
const BAR = 3;
const GAP = 2;
/** Bars that are kept: a window wider than 4096 pixels shows fewer. */
const KEPT = 820;

export class Voices {
  #canvas = document.getElementById("voices");
  #arcs = { you: document.querySelector(".arc-you"), agent: document.querySelector(".arc-agent") };
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #history = [];
  #smooth = { you: 0, agent: 0 };
  #drawn = false;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    this.#still.addEventListener("change", () => this.#draw());
  }

  /** RMS levels of one block, 0 to 1. */
  push(mic, agent) {
    this.#history.push({ you: height(mic), agent: height(agent), cut: false });
    if (this.#history.length > KEPT) this.#history.shift();
    for (const [side, level] of [["you", height(mic)], ["agent", height(agent)]]) {
      // Up at once, down slowly: the eye reads syllables, not blocks.
      this.#smooth[side] = Math.max(level, this.#smooth[side] * 0.78);
      this.#arcs[side].style.strokeDashoffset = String(1 - this.#smooth[side]);
    }
    this.#schedule();
  }

  /** The caller interrupted just now. */
  cut() {
    const last = this.#history.at(-1);
    if (last) last.cut = true;
  }

  /** Silence on both sides, as before the first word. */
  rest() {
    this.#smooth = { you: 0, agent: 0 };
    for (const arc of Object.values(this.#arcs)) arc.style.strokeDashoffset = "1";
    this.#schedule();
  }

  clear() {
    this.#history = [];
    this.rest();
  }

  #schedule() {
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame(() => {
      this.#drawn = false;
      this.#draw();
    });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = devicePixelRatio;
    this.#canvas.width = width * scale;
    this.#canvas.height = height * scale;
    const paint = this.#canvas.getContext("2d");
    const style = getComputedStyle(this.#canvas);
    const colour = (name) => style.getPropertyValue(name);
    paint.scale(scale, scale);
    if (this.#still.matches) this.#levels(paint, width, height, colour);
    else this.#waves(paint, width, height, colour);
  }

  #waves(paint, width, height, colour) {
    const middle = height / 2;
    const bars = Math.floor(width / (BAR + GAP));
    const shown = this.#history.slice(-bars);
    for (let index = 0; index < bars; index++) {
      const x = width - (bars - index) * (BAR + GAP) + GAP;
      const at = shown[index - (bars - shown.length)];
      if (!at) {
        pill(paint, colour("--line"), x, middle - 1, 2);
        continue;
      }
      const reach = middle - 5;
      pill(paint, at.you > 0 ? colour("--you") : colour("--line"), x, middle - 1 - at.you * reach, 2 + at.you * reach);
      if (at.agent > 0) pill(paint, colour("--agent"), x, middle + 3, 2 + at.agent * reach);
      if (at.cut) {
        paint.fillStyle = colour("--cut");
        paint.fillRect(x - 1, 2, 2, height - 4);
      }
    }
  }

  #levels(paint, width, height, colour) {
    const last = this.#history.at(-1) ?? { you: 0, agent: 0 };
    for (const [side, y] of [["you", height * 0.3], ["agent", height * 0.7]]) {
      paint.fillStyle = colour("--line");
      paint.fillRect(0, y - 3, width, 6);
      paint.fillStyle = colour(`--${side}`);
      paint.fillRect(0, y - 3, width * last[side], 6);
    }
  }
}

/** Loudness as the ear takes it: -54 dB of full scale is nothing, -6 dB is everything, speech is about two thirds. */
function height(rms) {
  return Math.max(0, Math.min(1, (20 * Math.log10(rms) + 54) / 48));
}

function pill(paint, colour, x, y, length) {
  paint.fillStyle = colour;
  paint.beginPath();
  paint.roundRect(x, y, BAR, Math.max(length, 2), BAR / 2);
  paint.fill();
}
