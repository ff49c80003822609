import { data, make } from "./helpers.js";
import { state } from "./state.js";
import { choiceSaid } from "./showing.js";
import { hitName } from "./plots.js";

// Charts as files: pictures that need nothing but themselves -----------------------------------------

const MARGIN = 12;
const LINE = 18;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";
const SPACE = "http://www.w3.org/2000/svg";
const DENSITY = 2; // pixels of a PNG to a pixel of the page
const LONGEST = 16000; // pixels of a side, beyond which browsers draw nothing

const draft = document.createElement("canvas").getContext("2d");
const widthOf = (text, font) => {
  draft.font = font;
  return draft.measureText(text).width;
};

/** The colours of the light theme, whatever the page is in: what is saved goes onto paper. */
function lightColors() {
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule.selectorText !== ":root" || !rule.style.getPropertyValue("--ink")) continue;
      return new Map([...rule.style].filter((key) => key.startsWith("--")).map((key) => [key, rule.style.getPropertyValue(key).trim()]));
    }
  }
  return new Map();
}

const element = (tag, attributes, ...children) => {
  const node = document.createElementNS(SPACE, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

/** Words in lines of at most a width. */
function wrapped(words, width, font) {
  const lines = [];
  for (const word of words) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && widthOf(longer, font) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Where the entries of a legend stand: rows of them from left to right. */
function placedKey(key, width) {
  let [x, row] = [0, 0];
  return key.map(([color, text, sign = "●"]) => {
    const needed = 16 + widthOf(text, `12px ${FONT}`) + 18;
    if (x > 0 && x + needed > width) [x, row] = [0, row + 1];
    const entry = { color, text, sign, x, row };
    x += needed;
    return entry;
  });
}

/** A chart with title, legend and a line on what it shows, as the text of an SVG file. */
export function svgOf(plot, title, key) {
  const copy = plot.cloneNode(true);
  for (const tip of copy.querySelectorAll("g.tip")) tip.remove();
  for (const node of [copy, ...copy.querySelectorAll("*")]) {
    for (const name of ["tabindex", "role", "aria-label", "aria-roledescription", "data-who"]) node.removeAttribute(name);
    node.classList.remove("leads");
  }
  // Labels may stand beyond the frame that the page gives to the chart.
  const frame = plot.viewBox.baseVal;
  const box = plot.getBBox();
  const [left, top] = [Math.min(0, box.x), Math.min(0, box.y)];
  const across = Math.max(frame.width, box.x + box.width) - left;
  const down = Math.max(frame.height, box.y + box.height) - top;
  const width = Math.ceil(Math.max(across, 320) + 2 * MARGIN);
  const texts = [];
  const write = (text, x, y, size, color, weight = "normal") => texts.push(element("text",
    { x, y, fill: color, "font-size": size, "font-weight": weight }, text));
  let y = MARGIN;
  for (const text of wrapped(title.split(" "), width - 2 * MARGIN, `bold 15px ${FONT}`)) write(text, MARGIN, (y += LINE), 15, "var(--ink)", "bold");
  y += 6;
  const entries = placedKey(key ?? [], width - 2 * MARGIN);
  for (const { color, text, sign, x, row } of entries) {
    write(sign, MARGIN + x, y + LINE * (row + 1), 12, color);
    write(text, MARGIN + x + 16, y + LINE * (row + 1), 12, "var(--ink)");
  }
  y += LINE * (entries.length ? entries.at(-1).row + 1 : 0) + 8;
  for (const [name, value] of Object.entries({ x: MARGIN, y, width: across, height: down, viewBox: `${left} ${top} ${across} ${down}` })) copy.setAttribute(name, value);
  // Its style is for a page, where it takes the width that there is.
  copy.querySelector("style")?.remove();
  copy.removeAttribute("style");
  copy.setAttribute("font-size", "12");
  copy.setAttribute("overflow", "visible");
  y += down + 4;
  const below = `${data.run}; matching rule ${state.rule}, ${hitName()}; made by synthsight. ${choiceSaid()}`.trim();
  for (const text of wrapped(below.split(" "), width - 2 * MARGIN, `10px ${FONT}`)) write(text, MARGIN, (y += 14), 10, "var(--faint)");
  const height = Math.ceil(y + MARGIN);
  const whole = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": FONT, color: "var(--ink)" },
    element("title", {}, title), element("rect", { width: "100%", height: "100%", fill: "var(--page)" }), ...texts, copy);
  const colors = lightColors();
  const text = new XMLSerializer().serializeToString(whole).replaceAll(/var\((--[\w-]+)\)/g, (found, name) => colors.get(name) ?? found)
    .replaceAll("currentColor", colors.get("--ink"));
  return { text, width, height };
}

function pngOf({ text, width, height }) {
  const picture = new Image();
  const scale = Math.min(DENSITY, LONGEST / Math.max(width, height));
  return new Promise((done, failed) => {
    picture.addEventListener("load", () => {
      const canvas = make("canvas", { width: Math.round(scale * width), height: Math.round(scale * height) });
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(done, "image/png");
    });
    picture.addEventListener("error", failed);
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`; // the page may load nothing else
  });
}

function keepFile(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Buttons that save a chart. */
export function saveButtons(plot, title, key, chart) {
  const file = (ending) => `${data.run}-${chart}.${ending}`;
  const svg = () => svgOf(plot, title, key);
  const button = (kind, onclick) => make("button", { type: "button", "aria-label": `Save “${title}” as ${kind}`, onclick }, kind);
  return make("p", { class: "save" }, make("span", { "aria-hidden": "true" }, "Save as "),
    button("SVG", () => keepFile(file("svg"), new Blob([svg().text], { type: "image/svg+xml" }))),
    button("PNG", async () => keepFile(file("png"), await pngOf(svg()))));
}
