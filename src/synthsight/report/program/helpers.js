import { data, make } from "../../pages/program/basics.js";

export { byId, count, data, download, make, picture } from "../../pages/program/basics.js";
export const { explorer, questions } = data;

// Helpers ----------------------------------------------------------------------------------

/** A share in per cent, with more digits where all or nothing would be said of less, or more. */
export const percent = (share, digits = 1) => {
  const isWhole = [0, 1].includes(Number(share.toFixed(digits + 2)));
  return isWhole && share > 0 && share < 1 && digits < 6 ? percent(share, digits + 1) : `${(100 * share).toFixed(digits)}%`;
};
export const unique = (values) => [...new Set(values)].sort((a, b) => (a ?? "").localeCompare(b ?? "", "en"));
/** A name that fits, cut in the middle, since names of models often differ at the end. */
export const short = (text, length = 24) => {
  if (text.length <= length) return text;
  const tail = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(-tail)}`;
};

/** A name that breaks where its parts end, if it must. */
export const breaking = (name) => name.split(/(?<=[_\-/.+])/).flatMap((part, i) => (i ? [make("wbr"), part] : [part]));

/** The z below which a standard normal variable is with probability p, to 9 digits (Acklam 2003). */
export function probit(p) {
  if (p > 0.5) return -probit(1 - p);
  const along = (coefficients, x) => coefficients.reduce((sum, each) => sum * x + each, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return along([-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783], q)
      / along([7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1], q);
  }
  const q = p - 0.5;
  return (q * along([-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1, 2.506628277459239], q * q))
    / along([-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1], q * q);
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
