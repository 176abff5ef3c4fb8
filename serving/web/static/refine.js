// Chips of what was seen, the category, and what counts as one result.

import { byId, make, refill } from "./dom.js";
import { changed, toggled } from "./question.js";
import { percent, spoken } from "./words.js";

export class Refine {
  #ask;
  #question = null;
  #verticals = new Set(); // all that answers named so far, so that a choice can be changed for another

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
    byId("stock").addEventListener("change", (event) => {
      ask(changed(this.#question, { stock: event.target.checked ? "only" : "any" }));
    });
  }

  /** `seen` is a list of {field, value, confidence?} to offer; filters that are on are always offered. */
  show(question, seen, answer) {
    const chips = [...seen, ...filtersBeside(question, seen)].map((chip) => this.#chip(chip));
    refill(byId("chips"), ...chips);
    byId("seen").hidden = chips.length === 0;
    this.#category(answer);
    this.mark(question);
  }

  /** Show what is asked before it is answered, so that the next change is a change of it. */
  mark(question) {
    this.#question = question;
    for (const choice of document.querySelectorAll("#group input")) choice.checked = choice.value === question.group;
    for (const chip of byId("chips").children) {
      const { field, value } = chip.dataset;
      chip.setAttribute("aria-pressed", question.filters[field]?.includes(value) ?? false);
    }
    byId("vertical").value = question.vertical ?? "";
    byId("stock").checked = question.stock === "only";
  }

  #chip({ field, value, confidence }) {
    const sure = confidence === undefined ? "" : make("span", { className: "sure" }, ` ${percent(confidence)}`);
    const chip = make(
      "button",
      { type: "button", className: "chip", "data-key": `${field}=${value}`, "data-field": field, "data-value": value },
      make("span", { className: "field" }, `${spoken(field)} `),
      value,
      sure,
    );
    chip.addEventListener("click", () => this.#ask(toggled(this.#question, field, value)));
    return chip;
  }

  #category({ category, hits }) {
    const named = [...hits.map((hit) => hit.fields.vertical), ...(category?.choices ?? [])];
    for (const vertical of named) if (vertical) this.#verticals.add(vertical);
    byId("category").hidden = this.#verticals.size === 0;
    const open = category ? `Any (looks like ${spoken(category.value)}, ${percent(category.confidence)})` : "Any";
    const choices = [...this.#verticals].sort().map((vertical) => make("option", { value: vertical }, spoken(vertical)));
    byId("vertical").replaceChildren(make("option", { value: "" }, open), ...choices);
  }
}

function filtersBeside(question, seen) {
  const on = Object.entries(question.filters).flatMap(([field, values]) => values.map((value) => ({ field, value })));
  return on.filter(({ field, value }) => !seen.some((chip) => chip.field === field && chip.value === value));
}
