import { data, make } from "./helpers.js";
import { asText } from "./formats.js";

// Tables: made when they are opened ------------------------------------------------------------

const rounded = (value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);

function buildTable(details) {
  const name = details.dataset.table;
  const { columns, values, left_out: leftOut } = data.tables[name];
  const lines = values[0].map((_, row) => values.map((column) => column[row]));
  if (leftOut) details.append(make("p", { class: "note" }, `${leftOut.toLocaleString("en")} further rows are in ${data.folder ?? "tables/"}${name}.csv only.`));
  const table = make("table", { "aria-label": details.querySelector("summary").textContent.trim() });
  const shownAs = window.DataTable.render.text().display;
  let built = null;
  // What is copied or saved is what a search leaves, in the order that is shown.
  details.append(asText(name, () => {
    const left = built.rows({ search: "applied", order: "applied" }).data().toArray();
    return { columns, lines: left, shown: left.map((line) => line.map(rounded)) };
  }), table);
  built = new window.DataTable(table, {
    data: lines,
    columns: columns.map((title) => ({
      title,
      defaultContent: "",
      render: (value, kind) => (kind === "display" ? (value === null ? "" : shownAs(String(rounded(value)))) : value),
    })),
    deferRender: true,
    order: [],
    pageLength: 25,
    autoWidth: false,
  });
  details.querySelector("nav")?.setAttribute("aria-label", `Pages of: ${table.getAttribute("aria-label")}`);
}

for (const details of document.querySelectorAll("details.table")) {
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("table")) buildTable(details);
  });
}

/** The text of a table that is part of the page, cell by cell. */
function textOfTable(table) {
  const textsOf = (row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim());
  const [columns, ...lines] = [...table.rows].filter((row) => !row.hidden).map(textsOf);
  return { columns, lines, note: table.dataset.note };
}

for (const table of document.querySelectorAll("table.plain")) {
  table.closest(".scroll").after(asText(table.dataset.name, () => textOfTable(table)));
}
