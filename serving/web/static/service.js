// The one place that talks to the server. Addresses are relative, so the page works below any path.

const KEY = "lookalike.key";
export const PAGE = 24;

export const apiKey = () => sessionStorage.getItem(KEY);
export const useKey = (key) => sessionStorage.setItem(KEY, key);

/** A request that was not answered; `sentence` is the server's own where it gave one. */
export class Refusal extends Error {
  constructor(status, sentence, retryAfter = null) {
    super(sentence);
    this.status = status;
    this.sentence = sentence;
    this.retryAfter = retryAfter;
  }
}

/** One page of answers to a question; raises Refusal, and AbortError where `signal` says so. */
export async function search(question, cursor, signal) {
  const values = fieldsOf(question, cursor);
  if (question.product) {
    const path = `products/${encodeURIComponent(question.product)}/similar`;
    return (await ask(`${path}?${new URLSearchParams(values)}`, { signal })).json();
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  form.append("photo", question.photo, "photo");
  return (await ask("search", { method: "POST", body: form, signal })).json();
}

/** What is known of a product. */
export async function productOf(id, signal) {
  return (await ask(`products/${encodeURIComponent(id)}`, { signal })).json();
}

/** An address for <img>; a shop that asks for a key does not show its photos to a plain <img>. */
export async function photoAddress(url) {
  if (!apiKey() || new URL(url, document.baseURI).origin !== location.origin) return url;
  const response = await askPatiently(url);
  return URL.createObjectURL(await response.blob());
}

/** A page of photos may be more than the server reads at once; the rest come a little later. */
async function askPatiently(url) {
  for (let left = 5; ; left -= 1) {
    try {
      return await ask(url, {});
    } catch (error) {
      if (error.status !== 429 || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (error.retryAfter ?? 1)));
    }
  }
}

function fieldsOf({ photo, crop, filters, group, stock, vertical }, cursor) {
  const values = { k: String(PAGE), group, stock, explain: "true" };
  if (Object.keys(filters).length) values.filters = JSON.stringify(filters);
  if (crop) values.crop = crop.map((side) => side.toFixed(4)).join(",");
  if (vertical) values.vertical = vertical;
  else if (photo) values.category = "auto";
  if (cursor) values.cursor = cursor;
  return values;
}

async function ask(path, options) {
  const headers = apiKey() ? { Authorization: `Bearer ${apiKey()}` } : {};
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The shop cannot be reached. Check the connection, then try again.");
  }
  if (response.ok) return response;
  throw new Refusal(response.status, await sentenceOf(response), secondsOf(response));
}

async function sentenceOf(response) {
  try {
    return String((await response.json()).error ?? "");
  } catch {
    return ""; // a proxy's page of HTML says nothing to a shopper
  }
}

function secondsOf(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
