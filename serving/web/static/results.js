// The grid of products.

import { byId, make } from "./dom.js";
import { about, toAddress } from "./question.js";
import { photoAddress } from "./service.js";
import { whyOf } from "./why.js";
import { detailsOf, priceOf, stockOf, titleOf } from "./words.js";

const PLACEHOLDERS = 12;

export class Results {
  #list = byId("hits");
  #more = byId("more");

  /** `chosen` is called with the hit that was clicked, `more` when the shopper asks for the next page. */
  constructor({ chosen, more }) {
    this.chosen = chosen;
    this.#more.addEventListener("click", more);
  }

  /** A search is under way: what stands there is kept, dimmed, and an empty grid shows where results will be. */
  busy() {
    this.#list.setAttribute("aria-busy", "true");
    this.#more.hidden = true;
    if (this.#list.childElementCount) return;
    this.#list.append(...Array.from({ length: PLACEHOLDERS }, placeholder));
  }

  show(hits, more) {
    this.#list.replaceChildren(...hits.map((hit) => this.#card(hit)));
    this.settle(more);
  }

  /** Append a page and put the focus on its first product. */
  add(hits, more) {
    const cards = hits.map((hit) => this.#card(hit));
    this.#list.append(...cards);
    this.settle(more);
    cards[0]?.querySelector("a").focus();
  }

  clear() {
    this.show([], false);
  }

  /** The search is over. */
  settle(more) {
    this.#list.removeAttribute("aria-busy");
    this.#more.hidden = !more;
  }

  #card(hit) {
    const title = make("h2", {}, titleOf(hit));
    const link = make("a", { href: toAddress(about({ product: hit.product_id })) }, photoOf(hit), title, detailLine(hit));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a new tab or window
      event.preventDefault();
      this.chosen(hit);
    });
    return make("li", { className: "card" }, link, offerLine(hit), whyOf(hit));
  }
}

function placeholder() {
  return make("li", { className: "card", "aria-hidden": "true" }, make("div", { className: "photo" }));
}

function photoOf(hit) {
  const image = make("img", { alt: "", loading: "lazy", decoding: "async" });
  const frame = make("div", { className: "photo" }, image);
  const lost = () => {
    image.remove();
    frame.classList.add("lost");
  };
  image.addEventListener("error", lost);
  if (hit.photo_url) photoAddress(hit.photo_url).then((url) => (image.src = url), lost);
  else lost();
  return frame;
}

function detailLine(hit) {
  const values = detailsOf(hit).flatMap(([name, value]) => [
    " · ",
    make("span", hit.matched.includes(name) ? { className: "matched" } : {}, value),
  ]);
  return make("p", { className: "details" }, ...values.slice(1));
}

function offerLine({ features }) {
  const stock = stockOf(features);
  return make(
    "p",
    { className: "offer" },
    make("span", { className: "price" }, priceOf(features)),
    make("span", { className: stock === "Out of stock" ? "stock gone" : "stock" }, stock),
  );
}
