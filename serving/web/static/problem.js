// What went wrong, in words, with what can be done about it.

import { byId } from "./dom.js";
import { apiKey, useKey } from "./service.js";

export class Problem {
  #panel = byId("problem");
  #remedy = byId("problem-remedy");
  #form = byId("key-form");
  #act = null;
  #timer;

  constructor() {
    this.#remedy.addEventListener("click", () => this.#act());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      useKey(byId("key").value.trim());
      byId("key").value = "";
      this.#act();
    });
  }

  clear() {
    clearInterval(this.#timer);
    this.#panel.hidden = true;
    this.#form.hidden = true;
    this.#remedy.hidden = true;
  }

  /** Say it; `act` with its `label` is offered as a button. */
  tell(title, sentence, label = "", act = null) {
    this.clear();
    this.#panel.hidden = false;
    byId("problem-title").textContent = title;
    byId("problem-sentence").textContent = sentence;
    this.#act = act;
    this.#remedy.hidden = !label;
    this.#remedy.disabled = false;
    this.#remedy.textContent = label;
  }

  /** Say why a search was refused; `again` repeats it, which is offered where it can help or has a `label`. */
  refused({ status, sentence, retryAfter }, again, label = "") {
    if (status === 401) return this.#askForKey(again);
    if (status === 429 || status === 503) return this.#busy(sentence, retryAfter ?? 0, again);
    const [title, otherwise] = REFUSALS[status] ?? ["That did not work", "The search failed. Try again."];
    this.tell(title, sentence || otherwise, label || (LASTING.has(status) ? "" : "Try again"), again);
  }

  #askForKey(again) {
    const title = apiKey() ? "That key was not accepted" : "This shop asks for a key";
    this.tell(title, "Enter the API key you were given to search here.");
    this.#act = again;
    this.#form.hidden = false;
    byId("key").focus();
  }

  /** The seconds are announced once; only the button counts them down. */
  #busy(sentence, seconds, again) {
    const wait = seconds > 0 ? ` Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.` : "";
    this.tell("Too busy just now", `${sentence || "The search cannot take more requests."}${wait}`, "Try again", again);
    const until = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      this.#remedy.disabled = left > 0;
      this.#remedy.textContent = left > 0 ? `Try again in ${left}` : "Try again";
      if (left <= 0) clearInterval(this.#timer);
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }
}

const LASTING = new Set([400, 403, 404, 413, 415, 422]); // the same question would be refused again

const REFUSALS = {
  0: ["No connection", ""],
  400: ["That could not be searched", "The request was not understood."],
  403: ["Not allowed", "This key may not search here."],
  404: ["Not found", "There is no such product in this shop."],
  413: ["The photo is too large", "Choose a smaller one."],
  504: ["It took too long", "The search did not finish in time."],
};
