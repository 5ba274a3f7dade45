// @ts-check
// Lookup of elements that the page must have.

/** @param {string} id */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}

/**
 * The first descendant that matches, which must exist.
 * @param {Element} element
 * @param {string} selector
 */
export function find(element, selector) {
  return /** @type {HTMLElement} */ (element.querySelector(selector));
}

/** @param {string} name */
export function template(name) {
  return /** @type {HTMLTemplateElement} */ (element(`${name}-template`));
}
