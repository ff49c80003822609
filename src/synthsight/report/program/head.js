import { byId, data, make, percent, rows } from "./helpers.js";
import { state } from "./state.js";

// The head of the page and the table of models: under the rule, and with as many guesses, as are chosen --

const cellsOf = (value, ...more) => (value === undefined || value === null ? ["not known"] : [percent(value), make("br"), make("small", {}, ...more)]);

function showRanking() {
  const { rule, hit } = state;
  const means = new Map(rows("accuracy").filter((row) => row.category === "*" && row.generator === "*" && row.rule === rule).map((row) => [row.model, row]));
  const all = rows("reference").filter((row) => row.category === "*" && row.generator === "*" && row.rule === rule);
  const kind = all.some((row) => row.kind === "measured") ? "measured" : "published";
  const references = new Map(all.filter((row) => row.kind === kind && row[`reference_${hit}`] !== null).map((row) => [row.model, row]));
  const table = document.querySelector("table[data-name=models]");
  const lines = [...table.tBodies[0].rows];
  for (const line of lines) {
    const row = means.get(line.dataset.model);
    for (const each of ["top1", "top5"]) {
      line.querySelector(`[data-cell=${each}]`).replaceChildren(...cellsOf(row[each], `${percent(row[`${each}_low`] ?? 0)} to ${percent(row[`${each}_high`] ?? 0)}`));
    }
    const reference = references.get(line.dataset.model);
    line.querySelector("[data-cell=reference]").replaceChildren(...cellsOf(reference?.[`reference_${hit}`], `${reference?.kind === "measured" ? "measured: " : ""}${reference?.source}`));
  }
  const value = (line) => means.get(line.dataset.model)[hit] ?? -1;
  const byName = (a, b) => (a.dataset.model < b.dataset.model ? -1 : 1);
  table.tBodies[0].append(...lines.sort((a, b) => value(b) - value(a) || byName(a, b)));
}

export function showAnswers() {
  const { said } = data.answers[state.rule][state.hit];
  byId("answers").replaceChildren(...said.map((text, n) => make("p", { class: n ? "answer" : "answer first" }, text)));
  for (const node of document.querySelectorAll("[data-rule]")) node.textContent = state.rule;
  for (const node of document.querySelectorAll("[data-hit]")) node.textContent = state.hit === "top1" ? "Top-1" : "Top-5";
  showRanking();
}
