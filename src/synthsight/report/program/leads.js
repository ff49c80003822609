import { byId, make } from "./helpers.js";
import { DEFAULTS, GROUPS, change } from "./state.js";

// From the marks of charts to the pictures that they stand for -------------------------------------

const REACH = { mouse: 12, pen: 12, touch: 24 }; // pixels from the middle of a mark that count as on it
const MANY = 1500; // marks among which the nearest one is not looked for
const ways = new WeakMap();

/**
 * Options of a mark of Plot by which each of its parts leads to what it stands for.
 *
 * `told` gives the words for a row of the list, `to` what is to be chosen in the explorer, as changes
 * of the state, or null where there is nothing to look at.
 */
export const leads = (list, told, to) => ({
  render(index, scales, values, dimensions, context, next) {
    const group = next(index, scales, values, dimensions, context);
    for (const node of group.children) {
      const row = list[window.d3.select(node).datum()];
      const target = row && to(row);
      if (target) {
        ways.set(node, { words: () => told(row).replaceAll("\n", ", "), target });
        node.classList.add("leads");
        node.dataset.who = target.model ?? target.qmodel ?? "";
      }
    }
    return group;
  },
});
/** Options of a tip, which Plot draws anew at each place and names, though it is no part of what is read. */
export const quiet = {
  render(index, scales, values, dimensions, context, next) {
    const group = next(index, scales, values, dimensions, context);
    group?.classList.add("tip");
    group?.removeAttribute("aria-label");
    return group;
  },
};
/** The same with a tip that says the words. */
export const pointing = (list, told, to) => ({ tip: quiet, title: told, ...leads(list, told, to) });

/** Show the pictures, or the questions, that are stated, and no others. */
function follow(target) {
  const group = Object.keys(target).some((key) => GROUPS.questions.includes(key)) ? "questions" : "images";
  const cleared = Object.fromEntries(GROUPS[group].filter((key) => key !== "view").map((key) => [key, DEFAULTS[key]]));
  history.pushState(null, "", location.href); // Back leads to the chart
  change({ ...cleared, section: "", ...target });
  const heading = byId(`${group}-h`);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  byId(group).scrollIntoView();
}

/** Where the middles of marks are within a chart, and the marks in the order in which texts are read. */
function placesOf(plot, nodes) {
  const frame = plot.getBoundingClientRect();
  const at = new Map(nodes.map((node) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    return [node, [left + width / 2 - frame.left, top + height / 2 - frame.top]];
  }));
  const row = (node) => Math.round(at.get(node)[1] / 5);
  return { at, order: [...nodes].sort((a, b) => row(a) - row(b) || at.get(a)[0] - at.get(b)[0]) };
}

/** The mark next to one: sideways the next one as texts are read, up and down that of the nearest row. */
function beside({ at, order }, node, key) {
  const place = order.indexOf(node);
  switch (key) {
    case "ArrowRight": return order[place + 1];
    case "ArrowLeft": return order[place - 1];
    case "Home": return order[0];
    case "End": return order.at(-1);
    default: {
      const sign = key === "ArrowDown" ? 1 : -1;
      const [x, y] = at.get(node);
      const away = (each) => sign * (at.get(each)[1] - y);
      const least = order.reduce((found, each) => (away(each) > 2.5 && away(each) < found ? away(each) : found), Infinity);
      const row = order.filter((each) => away(each) > 2.5 && away(each) < least + 2.5);
      return row.sort((a, b) => Math.abs(at.get(a)[0] - x) - Math.abs(at.get(b)[0] - x))[0];
    }
  }
}

/** Where the marks of a chart lead by mouse, touch and keys; returns a line that says where one is. */
export function wire(plot, title) {
  const nodes = [...plot.querySelectorAll(".leads")];
  const said = make("p", { class: "told" });
  if (nodes.length === 0) {
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", `${title}; the numbers are in the tables below`);
    return said;
  }
  // A reader of screens leaves the arrows to what is an application, as it must here.
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-roledescription", "chart");
  plot.setAttribute("aria-label", `${title}; arrow keys lead from mark to mark, Enter to its pictures; the numbers are in the tables below`);
  let current = null;
  let found = null;
  const places = () => (found ??= placesOf(plot, nodes));
  const tell = (node, ...more) => said.replaceChildren(ways.get(node).words(), ...more);
  const take = (node) => {
    for (const name of ["tabindex", "role", "aria-label"]) current?.removeAttribute(name);
    current = node;
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "link");
    node.setAttribute("aria-label", `${ways.get(node).words()}: look at the pictures`);
  };
  const hit = (event) => {
    if (ways.has(event.target)) return event.target;
    if (nodes.length > MANY) return null;
    const frame = plot.getBoundingClientRect();
    const far = (node) => Math.hypot(places().at.get(node)[0] - event.clientX + frame.left, places().at.get(node)[1] - event.clientY + frame.top);
    const nearest = nodes.reduce((best, node) => (far(node) < far(best) ? node : best));
    return far(nearest) <= (REACH[event.pointerType] ?? REACH.mouse) ? nearest : null;
  };
  take(nodes[0]);
  plot.addEventListener("pointermove", (event) => { plot.style.cursor = hit(event) ? "pointer" : ""; });
  // A click leads away, and need not also hold the tip fast.
  plot.addEventListener("pointerdown", (event) => { if (hit(event)) event.stopImmediatePropagation(); }, true);
  plot.addEventListener("click", (event) => {
    const node = hit(event);
    if (!node) return;
    if (event.pointerType === "touch" && said.dataset.of !== ways.get(node).words()) {
      // Fingers have no way to ask for a tip: the first touch says what is there.
      take(node);
      said.dataset.of = ways.get(node).words();
      tell(node, " ", make("button", { type: "button", onclick: () => follow(ways.get(node).target) }, "Look at the pictures"));
    } else follow(ways.get(node).target);
  });
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") follow(ways.get(current).target);
    else if (/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) {
      const next = beside(places(), current, event.key);
      if (next) take(next);
      current.focus();
    } else return;
    event.preventDefault();
  });
  plot.addEventListener("focusin", () => tell(current, ". Enter shows the pictures."));
  plot.addEventListener("focusout", () => { if (said.dataset.of === undefined) said.replaceChildren(); });
  return said;
}
