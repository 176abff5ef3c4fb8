// Elements are only ever made here: text goes in as text, so nothing a server says can become markup.

export const byId = (id) => document.getElementById(id);

/** An element; a name with a dash or `role` becomes an attribute, every other one a property. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "role" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** Replace what stands in an element and leave the focus on the part that had it, known by its `data-key`. */
export function refill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren(...children);
  if (focused === undefined) return;
  const again = [...element.querySelectorAll("[data-key]")].find((part) => part.dataset.key === focused);
  again?.focus({ preventScroll: true });
}
