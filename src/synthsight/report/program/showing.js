import { byId, count, data, make, questions, rows, short } from "./helpers.js";
import { DEFAULTS, change, state } from "./state.js";

// Which models the page shows, under which names, and which of them stand out ---------------------

/** All models, best first, then those that answer questions. */
const EVERYONE = [...new Set([...data.order, ...(questions?.models ?? []).map((model) => model.name)])];

function parsedAs(text, wanted) {
  try {
    const found = JSON.parse(text);
    return wanted(found) ? found : null;
  } catch {
    return null;
  }
}
const isNames = (found) => Array.isArray(found) && found.every((each) => typeof each === "string");
const isAliases = (found) => found !== null && typeof found === "object" && !Array.isArray(found)
  && Object.values(found).every((each) => typeof each === "string");

/** A pattern as it was typed; what is no regular expression is looked for as it stands. */
function patternOf(text) {
  if (text === "") return null;
  try {
    return new RegExp(text, "iu");
  } catch {
    return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "iu");
  }
}

let lastChoice = { key: null };
/** The state's choice in a form that is quick to ask. */
function choice() {
  const key = JSON.stringify([state.only, state.off, state.lit, state.alias]);
  if (lastChoice.key !== key) {
    lastChoice = { key, pattern: patternOf(state.only), off: new Set(parsedAs(state.off, isNames) ?? []),
      lit: new Set(parsedAs(state.lit, isNames) ?? []), alias: new Map(Object.entries(parsedAs(state.alias, isAliases) ?? {})) };
  }
  return lastChoice;
}

/** What the page calls a model. */
export const called = (name) => choice().alias.get(name) || name;
/** The same, cut so that it fits. */
export const tagged = (name, length = 24) => short(called(name), length);
export const isLit = (name) => choice().lit.has(name);
/** Whether some do, so that names are bold, and longer. */
export const someLit = () => choice().lit.size > 0;
export const shows = (name) => {
  const { pattern, off } = choice();
  return !off.has(name) && (pattern === null || pattern.test(name) || pattern.test(called(name)));
};
/** The rows of a table but those about models that are hidden. */
export const seen = (table, columns = ["model"]) => rows(table).filter((row) => columns.every((column) => row[column] === "*" || shows(row[column])));
/** The models that the page does not call as the run does. */
const renamed = () => EVERYONE.filter((name) => shows(name) && called(name) !== name);
const goneModels = () => EVERYONE.filter((name) => !shows(name));

const listed = (list) => `${list.slice(0, 8).map((name) => called(name)).join(", ")}${list.length > 8 ? ", …" : ""}`;
/** What is to be said of the choice, in the page and below what is saved of it; empty without one. */
export function choiceSaid() {
  const gone = goneModels();
  const other = renamed();
  const parts = [];
  if (gone.length) parts.push(`${gone.length} of ${count(EVERYONE.length, "model")} ${gone.length === 1 ? "is" : "are"} hidden.`);
  if (other.length) parts.push(`${count(other.length, "model")} ${other.length === 1 ? "is" : "are"} renamed in this page: ${other.slice(0, 8).map((name) => `${called(name)} is ${name}`).join(", ")}${other.length > 8 ? ", …" : ""}.`);
  return parts.join(" ");
}

// The toolbox -----------------------------------------------------------------------------------

const keep = (key, value, empty) => change({ [key]: empty ? DEFAULTS[key] : JSON.stringify(value) });
function tick(key, name, on) {
  const list = EVERYONE.filter((each) => (each === name ? on : choice()[key].has(each)));
  keep(key, list, list.length === 0);
}
function callIt(name, text) {
  const alias = new Map(choice().alias);
  if (text.trim() === "" || text.trim() === name) alias.delete(name);
  else alias.set(name, text.trim());
  keep("alias", Object.fromEntries(alias), alias.size === 0);
}

const tickBox = (label, onchange) => make("input", { type: "checkbox", "aria-label": label, onchange });
const toolLines = new Map();
const toolbox = byId("toolbox");
function toolLine(name) {
  const shown = tickBox(`Show ${name}`, (event) => tick("off", name, !event.target.checked));
  const lit = tickBox(`Highlight ${name}`, (event) => tick("lit", name, event.target.checked));
  const alias = make("input", { type: "text", "aria-label": `Name of ${name} in this page`, placeholder: name, spellcheck: "false", autocomplete: "off",
    onchange: (event) => callIt(name, event.target.value) });
  toolLines.set(name, { shown, lit, alias });
  return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, shown), make("td", {}, lit), make("td", {}, alias));
}
if (toolbox) {
  byId("toolbox-models").append(make("table", {},
    make("thead", {}, make("tr", {}, ...["Model", "Show", "Highlight", "Called"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...EVERYONE.map(toolLine))));
  byId("toolbox-all").addEventListener("click", () => change({ only: "", off: "", lit: "", alias: "" }));
}

/** Show the state's choice in the toolbox and in the tables that are part of the page's text. */
export function showModels() {
  for (const [name, { shown, lit, alias }] of toolLines) {
    shown.checked = !choice().off.has(name);
    lit.checked = isLit(name);
    if (document.activeElement !== alias) alias.value = choice().alias.get(name) ?? "";
  }
  for (const node of document.querySelectorAll("[data-model]")) {
    const name = node.dataset.model;
    node.hidden = !shows(name);
    node.classList.toggle("lit", isLit(name));
    const label = node.querySelector("[data-called]");
    if (label) label.textContent = called(name);
  }
  // What is copied of a table has the page's names, and says so.
  for (const table of document.querySelectorAll("table:has([data-model])")) table.dataset.note = choiceSaid();
  if (!toolbox) return;
  const gone = goneModels();
  byId("toolbox-said").textContent = gone.length || renamed().length
    ? `${choiceSaid()}${gone.length ? ` Hidden: ${listed(gone)}. What is said of all models together still counts them.` : ""}` : "";
}
