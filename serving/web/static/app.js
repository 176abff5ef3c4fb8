// Wires the parts: one question at a time, each an entry of the history with its answer remembered.

import { byId } from "./dom.js";
import { acceptPhotos } from "./photo_input.js";
import { Problem } from "./problem.js";
import { about, changed, fromAddress, fromState, isRefined, toAddress, toState, unrefined } from "./question.js";
import { Refine } from "./refine.js";
import { Results } from "./results.js";
import { Refusal, productOf, search } from "./service.js";
import { Subject } from "./subject.js";
import { attributesOf, count, nameOf } from "./words.js";

const problem = new Problem();
const refine = new Refine((question) => go(question, { refined: true }));
const results = new Results({ chosen: (hit) => go(about({ product: hit.product_id }), { product: hit }), more: showMore });
const subject = new Subject((crop) => go(changed(page.question, { crop }), { refined: true, replace: true }));

const remembered = new Map(); // history entry -> page
let page = null; // {question, product?, answer?, hits} that is on the screen
let running = new AbortController();

/** Ask a question: a new history entry, or the present one for a change that is still going on. */
function go(question, { product = null, refined = false, replace = false } = {}) {
  const entry = replace ? history.state.entry : Date.now() + Math.random();
  const state = { ...toState(question), entry };
  history[replace ? "replaceState" : "pushState"](state, "", toAddress(question));
  page = { question, product: refined ? page.product : product, answer: null, hits: [] };
  remembered.set(entry, page);
  document.body.dataset.view = "search";
  refine.mark(question);
  if (!refined) {
    results.clear();
    scrollTo(0, 0);
    byId("answer-title").focus({ preventScroll: true });
  }
  run();
}

/** Search for the page on the screen. */
async function run() {
  const { mine, signal } = begin();
  try {
    await showSubject(mine, signal);
    mine.answer = await search(mine.question, null, signal);
    mine.hits = mine.answer.hits;
    if (mine === page) render();
  } catch (error) {
    fail(error, mine, run);
  }
}

async function showMore() {
  const { mine, signal } = begin();
  try {
    const next = await search(mine.question, mine.answer.next_cursor, signal);
    if (mine !== page) return;
    mine.answer = { ...mine.answer, next_cursor: next.next_cursor };
    mine.hits = [...mine.hits, ...next.hits];
    results.add(next.hits, next.next_cursor !== null);
    tell(`${count(next.hits.length, "more product", "more products")}, ${mine.hits.length} in all.`);
  } catch (error) {
    const anew = error.status === 400; // the catalogue was updated, so these pages cannot go on
    fail(error, mine, anew ? run : showMore, anew ? "Search again" : "Try again");
  }
}

/** The page to search for, and what ends that search when another begins. */
function begin() {
  running.abort();
  running = new AbortController();
  problem.clear();
  results.busy();
  tell("Searching…");
  return { mine: page, signal: running.signal };
}

function fail(error, mine, again, label) {
  if (error.name === "AbortError" || mine !== page) return;
  if (mine.hits.length) results.settle(false);
  else results.clear();
  tell("");
  if (!(error instanceof Refusal)) throw error;
  problem.refused(error, again, label);
}

/** The panel with the photo or the product; a product that came by its address is looked up first. */
async function showSubject(mine, signal) {
  const { photo, crop, product } = mine.question;
  if (photo) return subject.photo(photo, crop);
  mine.product ??= await productOf(product, signal);
  if (mine === page) subject.product(mine.product);
}

function render() {
  const { question, product, answer, hits } = page;
  results.show(hits, answer.next_cursor !== null);
  refine.show(question, seenIn(page), answer);
  byId("answer-title").textContent = product ? `Like ${nameOf(product)}` : "What looks like your photo";
  document.title = `${byId("answer-title").textContent} · Lookalike`;
  tell(hits.length ? `${count(hits.length, "product", "products")}, the most alike first.` : "");
  if (!hits.length) tellEmpty(question);
}

function tellEmpty(question) {
  if (!isRefined(question)) return problem.tell("Nothing found", "The shop has nothing that looks like this.");
  const without = () => go(unrefined(question), { refined: true });
  problem.tell("Nothing found", "No product has everything that was asked for.", "Remove all filters", without);
}

/** What can be filtered by: what the model saw in the photo, or what is known of the product. */
function seenIn({ product, answer, hits }) {
  const known = hits.length ? (field) => field in hits[0].fields : () => true;
  if (product) return attributesOf(product).map(([field, value]) => ({ field, value }));
  const predicted = Object.entries(answer.predicted).map(([field, prediction]) => ({ field, ...prediction }));
  return predicted.filter(({ field }) => known(field) && field !== "vertical");
}

function tell(words) {
  byId("status").textContent = words;
}

/** What the address and the history say is asked now. */
function restore(state) {
  const question = fromState(state) ?? fromAddress(location.href);
  running.abort();
  problem.clear();
  page = question && (remembered.get(state?.entry) ?? { question, product: null, answer: null, hits: [] });
  if (!page) {
    document.body.dataset.view = "start";
    document.title = "Lookalike: find it by photo";
    return;
  }
  document.body.dataset.view = "search";
  refine.mark(page.question);
  if (page.answer) {
    showSubject(page);
    render();
  } else {
    results.clear();
    run();
  }
}

acceptPhotos(async (file) => {
  if (await Subject.readable(file)) go(about({ photo: file }));
  else problem.tell("That is no photo", "This file cannot be shown here. JPEG, PNG, WebP, GIF and BMP photos are accepted.");
});
addEventListener("popstate", (event) => restore(event.state));
restore(history.state);
