import { csv, data, download, make } from "./helpers.js";

// Tables: made when they are opened ------------------------------------------------------------

function buildTable(details) {
  const name = details.dataset.table;
  const { columns, values, left_out: leftOut } = data.tables[name];
  const lines = values[0].map((_, row) => values.map((column) => column[row]));
  if (leftOut) details.append(make("p", { class: "note" }, `${leftOut.toLocaleString("en")} further rows are in ${data.folder ?? "tables/"}${name}.csv only.`));
  details.append(make("p", {}, make("button", { type: "button", onclick: () => download(`${name}.csv`, csv(columns, lines)) }, "Download as CSV")));
  const table = make("table", { "aria-label": details.querySelector("summary").textContent.trim() });
  details.append(table);
  const number = (value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);
  const shownAs = window.DataTable.render.text().display;
  new window.DataTable(table, {
    data: lines,
    columns: columns.map((title) => ({
      title,
      defaultContent: "",
      render: (value, kind) => (kind === "display" ? (value === null ? "" : shownAs(String(number(value)))) : value),
    })),
    deferRender: true,
    order: [],
    pageLength: 25,
    autoWidth: false,
  });
}

for (const details of document.querySelectorAll("details.table")) {
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("table")) buildTable(details);
  });
}
