// @ts-check
// Lookup of elements that the page must have.

/** @param {string} id */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}

/** @param {string} name */
export function template(name) {
  return /** @type {HTMLTemplateElement} */ (element(`${name}-template`));
}
