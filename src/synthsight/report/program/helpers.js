export const byId = (id) => document.getElementById(id);
export const data = JSON.parse(byId("data").textContent);
export const { explorer, questions } = data;

// Helpers ----------------------------------------------------------------------------------

/** An element with properties, `class` among them, and children: nodes, or text. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
export const unique = (values) => [...new Set(values)].sort((a, b) => (a ?? "").localeCompare(b ?? "", "en"));
export const short = (text, length = 24) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

const parsed = new Map();
/** The address of a picture, by its number. */
export function picture(number) {
  const chunk = Math.floor(number / data.chunk);
  if (!parsed.has(chunk)) parsed.set(chunk, JSON.parse(byId(`pictures-${chunk}`).textContent));
  return `data:image/webp;base64,${parsed.get(chunk)[number % data.chunk]}`;
}

const asRows = new Map();
/** The rows of a table as objects; none if there is no such table. */
export function rows(name) {
  if (!asRows.has(name)) {
    const { columns, values } = data.tables[name] ?? { columns: [], values: [[]] };
    const made = values[0].map((_, row) => Object.fromEntries(columns.map((column, i) => [column, values[i][row]])));
    asRows.set(name, made);
  }
  return asRows.get(name);
}

export function csv(columns, lines) {
  const field = (value) => {
    // As synthsight.cells does: a spreadsheet would run such a text.
    const runs = typeof value === "string" && /^'*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(value);
    const text = value === null ? "" : `${runs ? "'" : ""}${value}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...lines].map((line) => line.map(field).join(",")).join("\n") + "\n";
}

export function download(name, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}
