// What the programs of all pages begin with.

export const byId = (id) => document.getElementById(id);
export const data = JSON.parse(byId("data").textContent);

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

export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

const parsed = new Map();
/** The address of a picture, by its number. */
export function picture(number) {
  const chunk = Math.floor(number / data.chunk);
  if (!parsed.has(chunk)) parsed.set(chunk, JSON.parse(byId(`pictures-${chunk}`).textContent));
  return `data:image/webp;base64,${parsed.get(chunk)[number % data.chunk]}`;
}

export function download(name, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}
