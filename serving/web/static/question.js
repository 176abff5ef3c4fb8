// What is asked, as one frozen value; each question is an entry of the browser's history.

const photos = new Map(); // a photo stays in this page's memory: it is in no address and in no storage

/** A question about a photo or about a product, nothing refined yet. */
export const about = ({ photo = null, product = null }) =>
  Object.freeze({ photo, product, crop: null, filters: {}, group: "product", stock: "any", vertical: null });

export const changed = (question, change) => Object.freeze({ ...question, ...change });

/** Whether something else than the look must hold. */
export const isRefined = ({ filters, stock, vertical }) =>
  Object.keys(filters).length > 0 || stock !== "any" || vertical !== null;

export const unrefined = (question) => changed(question, { filters: {}, stock: "any", vertical: null });

/** The question with one filter more, or one less where it was on. */
export function toggled(question, field, value) {
  const values = question.filters[field] ?? [];
  const left = values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
  const { [field]: _, ...others } = question.filters;
  return changed(question, { filters: left.length ? { ...others, [field]: left } : others });
}

/** What the history keeps: everything but the photo, which is named by a number. */
export function toState(question) {
  let photo = null;
  if (question.photo) {
    photo = [...photos].find(([, file]) => file === question.photo)?.[0] ?? photos.size + 1;
    photos.set(photo, question.photo);
  }
  return { ...question, photo };
}

/** The question of a history entry; null where its photo was lost, as after a reload. */
export function fromState(state) {
  if (!state) return null;
  const { photo, ...rest } = state;
  if (photo === null) return Object.freeze({ ...rest, photo });
  return photos.has(photo) ? Object.freeze({ ...rest, photo: photos.get(photo) }) : null;
}

/** A product's question has an address that can be shared; a photo's has none. */
export function toAddress({ product, group, filters, stock, vertical }) {
  if (!product) return "./";
  const values = new URLSearchParams({ product });
  if (group !== "product") values.set("group", group);
  if (stock !== "any") values.set("stock", stock);
  if (vertical) values.set("vertical", vertical);
  if (Object.keys(filters).length) values.set("filters", JSON.stringify(filters));
  return `./?${values}`;
}

export function fromAddress(address) {
  const values = new URL(address).searchParams;
  const product = values.get("product");
  if (!product) return null;
  const said = ["group", "stock", "vertical"].filter((name) => values.has(name));
  const change = Object.fromEntries(said.map((name) => [name, values.get(name)]));
  return changed(about({ product }), { ...change, filters: readFilters(values.get("filters")) });
}

function readFilters(text) {
  try {
    const filters = JSON.parse(text ?? "{}");
    const lists = Object.entries(filters).filter(([, values]) => Array.isArray(values));
    return Object.fromEntries(lists.map(([field, values]) => [field, values.map(String)]));
  } catch {
    return {}; // an address cut short while it was shared
  }
}
