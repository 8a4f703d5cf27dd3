// What may be ordered on the page.
import { h } from "./dom.js";

/** A button that orders something, once that was confirmed where it has to be. */
export const button = (does, text, attributes = {}) => h("button", { type: "button", "data-do": does, "data-key": `${does} ${attributes["data-hash"] ?? ""}`, ...attributes }, text);
