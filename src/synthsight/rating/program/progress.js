import { data, download } from "../../pages/program/basics.js";

// What raters have said, kept in the browser ---------------------------------------------------

const PREFIX = `synthsight-rating:${data.digest}:`;
const values = new Set(data.choices.map((choice) => choice.value));

/** Whether the browser keeps what is written down; some do not for pages opened from disk. */
export const keeps = (() => {
  try {
    localStorage.setItem(`${PREFIX}?`, "?");
    const kept = localStorage.getItem(`${PREFIX}?`) === "?";
    localStorage.removeItem(`${PREFIX}?`);
    return kept;
  } catch {
    return false;
  }
})();

export const keyOf = (rater) => `${PREFIX}${rater}`;

/** The responses in a text that was kept: by number of the item, [response, seconds]. */
function parse(text) {
  const found = new Map();
  try {
    for (const [number, [response, seconds]] of Object.entries(JSON.parse(text ?? "{}"))) {
      if (Object.hasOwn(data.items, number) && values.has(response) && seconds >= 0) {
        found.set(Number(number), [response, seconds]);
      }
    }
  } catch {
    found.clear(); // another program has written it
  }
  return found;
}

export const responsesOf = (rater) => parse(keeps ? localStorage.getItem(keyOf(rater)) : null);

/** Keep a rater's responses. Returns whether the browser does. */
export function keep(rater, responses) {
  if (!keeps) return false;
  try {
    localStorage.setItem(keyOf(rater), JSON.stringify(Object.fromEntries(responses)));
    return true;
  } catch {
    return false; // there is no room left
  }
}

export const forget = (rater) => localStorage.removeItem(keyOf(rater));

/** The raters who have begun in this browser, each with the number of their responses. */
export function raters() {
  if (!keeps) return [];
  const names = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
  return names.sort((a, b) => a.localeCompare(b, "en")).map((name) => [name, responsesOf(name).size]);
}

// The file -------------------------------------------------------------------------------------

const ASKS = data.kind === "answers";

/** A line as RFC 4180 has it. */
const line = (fields) => fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");

/** A rater's responses as CSV, in the order in which the items were shown. */
export function asCsv(rater, order, responses) {
  const rows = order.filter((number) => responses.has(number)).map((number) => {
    const [place, question] = data.items[number];
    const [response, seconds] = responses.get(number);
    return [rater, data.names[place], ...(ASKS ? [question] : []), response, seconds.toFixed(1)];
  });
  const columns = ["rater", "image", ...(ASKS ? ["question"] : []), "response", "seconds"];
  return [columns, ...rows].map((fields) => `${line(fields)}\r\n`).join("");
}

export const fileOf = (rater) => `${data.kind}-${data.digest}-${rater.replaceAll(/[^\p{L}\p{N}._-]+/gu, "_").replace(/_$/, "")}.csv`;

export const save = (rater, order, responses) => download(fileOf(rater), asCsv(rater, order, responses));
