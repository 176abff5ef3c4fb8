// Chips of what was seen, the category, and what counts as one result.

import { byId, make, refill } from "./dom.js";
import { changed, toggled } from "./question.js";
import { percent, spoken } from "./words.js";

export class Refine {
  #ask;
  #question = null;

  /** `ask` is called with the refined question. */
  constructor(ask) {
    this.#ask = ask;
    const wide = matchMedia("(min-width: 60rem)"); // as in subject.css; a phone's room is for results
    byId("options").open = wide.matches;
    wide.addEventListener("change", () => (byId("options").open = wide.matches));
    for (const choice of document.querySelectorAll("#group input")) {
      choice.addEventListener("change", () => ask(changed(this.#question, { group: choice.value })));
    }
    byId("vertical").addEventListener("change", (event) => {
      ask(changed(this.#question, { vertical: event.target.value || null }));
    });
  }

  /** `seen` is a list of {field, value, confidence?} to offer; filters that are on are always offered. */
  show(question, seen, category) {
    this.#question = question;
    for (const choice of document.querySelectorAll("#group input")) choice.checked = choice.value === question.group;
    const chips = [...seen, ...filtersBeside(question, seen)].map((chip) => this.#chip(chip));
    refill(byId("chips"), ...chips);
    byId("seen").hidden = chips.length === 0;
    this.#category(category);
  }

  #chip({ field, value, confidence }) {
    const sure = confidence === undefined ? "" : make("span", { className: "sure" }, ` ${percent(confidence)}`);
    const chip = make(
      "button",
      { type: "button", className: "chip", "data-key": `${field}=${value}` },
      make("span", { className: "field" }, `${spoken(field)} `),
      value,
      sure,
    );
    chip.setAttribute("aria-pressed", (this.#question.filters[field] ?? []).includes(value));
    chip.addEventListener("click", () => this.#ask(toggled(this.#question, field, value)));
    return chip;
  }

  #category(category) {
    byId("category").hidden = !category;
    if (!category) return;
    const { value, confidence, choices } = category;
    const automatic = value ? `As seen: ${spoken(value)}, ${percent(confidence)}` : "Any";
    const options = choices.map((choice) => make("option", { value: choice }, spoken(choice)));
    byId("vertical").replaceChildren(make("option", { value: "" }, automatic), ...options);
    byId("vertical").value = this.#question.vertical ?? "";
  }
}

function filtersBeside(question, seen) {
  const on = Object.entries(question.filters).flatMap(([field, values]) => values.map((value) => ({ field, value })));
  return on.filter(({ field, value }) => !seen.some((chip) => chip.field === field && chip.value === value));
}
