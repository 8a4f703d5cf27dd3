// Elements, and how those on the page become others without losing the focus, what is unfolded, or a selection.
// Whatever comes from outside becomes text or an attribute here, never HTML.

const svgNamespace = "http://www.w3.org/2000/svg";

/** An element. Attributes that are null, undefined or false are left out; children that are, too. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    // A style attribute is what the content security policy forbids; a property isn't.
    if (name === "grow") element.style.flexGrow = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Makes what is below an element what is given. Elements with a data-key stay themselves, wherever they move. */
export function show(element, ...children) {
  const next = document.createDocumentFragment();
  next.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  becomeChildren(element, next);
}

function become(node, next) {
  if (node.nodeType === Node.TEXT_NODE) {
    if (node.data !== next.data) node.data = next.data;
    return;
  }
  becomeAttributes(node, next);
  becomeChildren(node, next);
}

function becomeAttributes(node, next) {
  for (const { name } of [...node.attributes]) {
    if (!next.hasAttribute(name) && !isTheirs(node, name)) node.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (node.getAttribute(name) !== value && !isTheirs(node, name)) node.setAttribute(name, value);
  }
  if (node.style.flexGrow !== next.style.flexGrow) node.style.flexGrow = next.style.flexGrow;
}

// What somebody has folded or unfolded stays so. A style is none of the attributes: see fill.
const isTheirs = (node, name) => name === "style" || name === "open" && node.nodeName === "DETAILS";

function becomeChildren(node, next) {
  let current = node.firstChild;
  for (const child of [...next.childNodes]) {
    const match = matchFor(child, current);
    if (!match) {
      node.insertBefore(child, current);
      continue;
    }
    if (match === current) current = current.nextSibling;
    else node.insertBefore(match, current);
    become(match, child);
  }
  while (current) {
    const following = current.nextSibling;
    current.remove();
    current = following;
  }
}

function matchFor(child, current) {
  const key = keyOf(child);
  for (let candidate = current; candidate; candidate = candidate.nextSibling) {
    if (candidate.nodeName === child.nodeName && keyOf(candidate) === key) return candidate;
    if (!key) return null;
  }
  return null;
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined;
}
