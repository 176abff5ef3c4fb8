// Why a product is among the results, in a disclosure.

import { make } from "./dom.js";
import { nameOf, percent, spoken } from "./words.js";

export function whyOf(hit) {
  return make(
    "details",
    { className: "why" },
    make("summary", {}, "Why", make("span", { className: "unseen" }, ` ${nameOf(hit)}`)),
    make("dl", {}, ...rows(hit)),
  );
}

function rows(hit) {
  const said = [["Similarity", hit.score.toFixed(3)]];
  if (hit.matched.length) said.push(["Agrees in", hit.matched.map(spoken).join(", ")]);
  said.push(...Object.entries(hit.why ?? {}).map(([name, value]) => [spoken(name), wordsOf(value)]));
  if (hit.variants?.length) said.push(["Also as", hit.variants.join(", ")]);
  said.push(["Product", hit.product_id]);
  return said.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
}

function wordsOf(value) {
  if (typeof value === "number") return value >= 0 && value <= 1 ? percent(value) : value.toFixed(3);
  if (Array.isArray(value)) return value.map(wordsOf).join(", ");
  if (value && typeof value === "object") {
    return Object.entries(value).map(([name, part]) => `${spoken(name)} ${wordsOf(part)}`).join(", ");
  }
  return String(value);
}
