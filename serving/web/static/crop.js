// The box on the photo: drawn with a mouse, moved and resized with any pointer or with the keyboard.

import { byId } from "./dom.js";
import { percent } from "./words.js";

const LEAST = 0.08; // of a side; less shows nothing
const STEP = 0.02;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PAUSE_MS = 500; // keys come in rows; one search for all of them

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class CropBox {
  #stage = byId("stage");
  #box = byId("crop");
  #start = byId("crop-start");
  #clear = byId("crop-clear");
  #sides = null; // [left, top, right, bottom] as fractions of the photo
  #told;
  #timer;

  /** `told` is called with the sides, or null for the whole photo, whenever the shopper is done changing them. */
  constructor(told) {
    this.#told = told;
    this.#stage.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#start.addEventListener("click", () => this.#begin());
    this.#clear.addEventListener("click", () => this.#remove());
  }

  show(sides) {
    clearTimeout(this.#timer);
    this.#put(sides);
  }

  #put(sides) {
    this.#sides = sides;
    this.#box.hidden = sides === null;
    this.#clear.hidden = sides === null;
    this.#start.hidden = sides !== null;
    if (sides === null) return;
    const [left, top, right, bottom] = sides;
    Object.assign(this.#box.style, {
      left: `${left * 100}%`,
      top: `${top * 100}%`,
      width: `${(right - left) * 100}%`,
      height: `${(bottom - top) * 100}%`,
    });
    const across = `${percent(left)} to ${percent(right)} across`;
    this.#box.setAttribute("aria-label", `Part searched in: ${across}, ${percent(top)} to ${percent(bottom)} down`);
  }

  #begin() {
    this.#put([0.1, 0.1, 0.9, 0.9]);
    this.#box.focus();
    this.#told(this.#sides);
  }

  #remove() {
    clearTimeout(this.#timer);
    this.#put(null);
    this.#start.focus();
    this.#told(null);
  }

  #key(event) {
    if (event.key === "Escape") return this.#remove();
    const way = KEYS[event.key];
    if (!way) return;
    event.preventDefault();
    const [across, down] = way.map((sign) => sign * STEP);
    this.#put(event.shiftKey ? resized(this.#sides, across, down) : moved(this.#sides, across, down));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#told(this.#sides), PAUSE_MS);
  }

  #drag(event) {
    const corner = event.target.dataset.corner;
    const inside = this.#box.contains(event.target);
    if (event.button !== 0 || (!inside && event.pointerType === "touch")) return; // a finger there scrolls the page
    event.preventDefault();
    clearTimeout(this.#timer);
    const before = this.#sides;
    const change = this.#change(this.#place(event), corner, inside);
    this.#stage.setPointerCapture(event.pointerId);
    const follow = (move) => this.#put(change(this.#place(move)));
    const end = (last) => {
      this.#stage.removeEventListener("pointermove", follow);
      for (const name of ["pointerup", "pointercancel"]) this.#stage.removeEventListener(name, end);
      if (last.type === "pointercancel") this.#put(before);
      else this.#settle(before);
    };
    this.#stage.addEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) this.#stage.addEventListener(name, end);
  }

  /** From where the pointer is to the sides: the box moves along, or is spanned from a corner that stays. */
  #change(start, corner, inside) {
    const sides = this.#sides;
    if (inside && !corner) return ([x, y]) => moved(sides, x - start[0], y - start[1]);
    if (!corner) return (place) => spanned(start, place);
    const [left, top, right, bottom] = sides;
    const opposite = [corner.includes("w") ? right : left, corner.includes("n") ? bottom : top];
    return (place) => spanned(opposite, place);
  }

  #settle(before) {
    if (this.#sides === before) return;
    const [left, top, right, bottom] = this.#sides;
    if (right - left < LEAST || bottom - top < LEAST) return this.#put(before); // a click, not a box
    this.#told(this.#sides);
  }

  #place(event) {
    const frame = this.#stage.getBoundingClientRect();
    const x = (event.clientX - frame.left) / frame.width;
    const y = (event.clientY - frame.top) / frame.height;
    return [clamp(x, 0, 1), clamp(y, 0, 1)];
  }
}

function moved([left, top, right, bottom], across, down) {
  const dx = clamp(across, -left, 1 - right);
  const dy = clamp(down, -top, 1 - bottom);
  return [left + dx, top + dy, right + dx, bottom + dy];
}

function resized([left, top, right, bottom], across, down) {
  return [left, top, clamp(right + across, left + LEAST, 1), clamp(bottom + down, top + LEAST, 1)];
}

const spanned = ([x, y], [u, v]) => [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];
