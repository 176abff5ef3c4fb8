// How numbers, names and values are said.

const percentage = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const amount = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const percent = (share) => percentage.format(share);

/** `sleeve_length` is said "sleeve length". */
export const spoken = (name) => String(name).replaceAll("_", " ");

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

/** What a product is called: its title where the shop serves one, else the first thing known of it. */
export function titleOf(product) {
  const title = givenTitle(product);
  return title ?? capital(attributesOf(product)[0]?.[1] ?? product.product_id);
}

/** Known attributes as [name, value]; the category is shown on its own. */
export function attributesOf(product) {
  return Object.entries(product.fields ?? {}).filter(([name, value]) => value !== null && name !== "vertical");
}

/** The attributes its title does not say. */
export function detailsOf(product) {
  return attributesOf(product).slice(givenTitle(product) === null ? 1 : 0);
}

/** Title and the two details that come first, for where a product is only named. */
export function nameOf(product) {
  const said = givenTitle(product) === null ? detailsOf(product).slice(0, 2).map(([, value]) => value) : [];
  return [titleOf(product), ...said].join(", ");
}

function givenTitle({ title, features }) {
  const given = title ?? features?.title ?? features?.name ?? null;
  return given === null ? null : String(given);
}

export function priceOf(features) {
  const price = features?.price;
  if (typeof price !== "number") return "";
  return features.currency ? `${features.currency} ${amount.format(price)}` : amount.format(price);
}

/** "", or what a shopper wants to know of the stock. */
export function stockOf(features) {
  const stock = features?.stock;
  if (typeof stock !== "number") return "";
  if (stock <= 0) return "Out of stock";
  return stock <= 5 ? `Only ${stock} left` : "In stock";
}
