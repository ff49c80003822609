import { csv, download, make } from "./helpers.js";

// Tables as text: CSV, Markdown, LaTeX ------------------------------------------------------------

const shownOf = (value) => (value === null ? "" : String(value));
const isNumber = (lines, column) => lines.some((line) => typeof line[column] === "number") && lines.every((line) => line[column] === null || typeof line[column] === "number");

const LATEX = {
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_",
  "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", '"': "''",
  "−": "$-$", "…": "\\dots{}",
};
const forLatex = (value) => shownOf(value).replace(/\s+/g, " ").replace(/^-(?=[\d.])/, "−").replace(/[\\{}&%$#_~^<>|"−…]/g, (letter) => LATEX[letter]);
const forMarkdown = (value) => shownOf(value).replace(/\s+/g, " ").replace(/[\\|*_`<>[\]]/g, (letter) => `\\${letter}`);

/** A table for a LaTeX document that has the package booktabs. */
export function latex(columns, lines) {
  const rowOf = (cells) => `${cells.map(forLatex).join(" & ")} \\\\`;
  const alignment = columns.map((_, column) => (isNumber(lines, column) ? "r" : "l")).join("");
  return [`\\begin{tabular}{${alignment}}`, "\\toprule", rowOf(columns), "\\midrule", ...lines.map(rowOf), "\\bottomrule", "\\end{tabular}", ""].join("\n");
}

export function markdown(columns, lines) {
  const rowOf = (cells) => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, column) => (isNumber(lines, column) ? "---:" : "---"));
  return [rowOf(columns.map(forMarkdown)), rowOf(rule), ...lines.map((line) => rowOf(line.map(forMarkdown))), ""].join("\n");
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Where a page from disk may not use the clipboard, what is selected can still be copied.
    const field = make("textarea", { "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

/** Buttons that save a table as CSV, or copy it; `table` returns its columns, its lines and these as they are shown, and perhaps what is to be said of them. */
export function asText(name, table) {
  const said = make("span", { role: "status" });
  const copying = (format, write) => make("button", { type: "button", onclick: async () => {
    const { columns, lines, shown, note } = table();
    await copyText(write(columns, shown ?? lines));
    said.textContent = [`${lines.length.toLocaleString("en")} rows copied as ${format}`, ...(note ? [note] : [])].join(". ");
  } }, `Copy as ${format}`);
  return make("p", { class: "as-text" },
    make("button", { type: "button", onclick: () => {
      const { columns, lines, note } = table();
      download(`${name}.csv`, csv(columns, lines));
      said.textContent = note ?? ""; // names in the page may be others
    } }, "Download as CSV"),
    copying("LaTeX", latex), copying("Markdown", markdown), said);
}
