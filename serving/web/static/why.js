// Why a product is among the results, in a disclosure.

import { make } from "./dom.js";
import { nameOf, percent, spoken } from "./words.js";

export function whyOf(hit) {
  return make(
    "details",
    { className: "why" },
    make("summary", {}, "Why", make("span", { className: "unseen" }, ` ${nameOf(hit)}`)),
    make("dl", {}, ...rows(hit).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
  );
}

function rows({ product_id, score, why, variants }) {
  const said = [["Looks alike", percent(why.appearance)]];
  if (why.colour !== undefined) said.push(["Colours alike", percent(why.colour)]);
  if (why.agrees.length) said.push(["Same", why.agrees.map(({ stored }) => stored).join(", ")]);
  if (why.differs.length) said.push(["Other", why.differs.map(difference).join(", ")]);
  if (why.category_gain) said.push(["Moved up by", `its category, ${why.category_gain.toFixed(2)}`]);
  if (variants?.length) said.push(["Also as", variants.join(", ")]);
  return [...said, ["Score", score.toFixed(3)], ["Product", product_id]];
}

const difference = ({ attribute, stored, seen }) => `${spoken(attribute)} (${stored}, not ${seen})`;
