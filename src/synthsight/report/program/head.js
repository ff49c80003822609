import { byId, data, make } from "./helpers.js";
import { state } from "./state.js";

// The answer at the head of the page: under the rule, and with as many guesses, as are chosen ------

export function showAnswers() {
  const { said } = data.answers[state.rule][state.hit];
  byId("answers").replaceChildren(...said.map((text, n) => make("p", { class: n ? "answer" : "answer first" }, text)));
  for (const node of document.querySelectorAll("[data-rule]")) node.textContent = state.rule;
}
