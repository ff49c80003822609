import { byId, count, csv, make, picture, questions } from "./helpers.js";
import { ANY, NONE, state } from "./state.js";
import { passes, sortBy } from "./choosing.js";
import { paged } from "./images.js";
import { openAmong } from "./large.js";

// Questions ----------------------------------------------------------------------------------

let asked = [];
const answersRight = (model, index) => model.correct.charCodeAt(index) === 49;
const answers = (model, index) => model.correct.charCodeAt(index) !== 45; // a dash
const other = { yes: "no", no: "yes" };

export function chips(index) {
  return make("div", { class: "chips" }, ...questions.models.map((model) => {
    const right = answersRight(model, index);
    const said = right ? questions.answer[index] : other[questions.answer[index]];
    const words = model.said?.[index] ?? null;
    if (!answers(model, index)) {
      return make("span", { class: "chip", title: words === null ? "unanswered" : "neither yes nor no" },
        `${model.name}: ${words === null ? "no answer" : `“${words}”`}`);
    }
    const part = model.yes[index];
    return make("span", { class: `chip ${right ? "h2" : "h0"}`, title: right ? "right" : "wrong" },
      `${right ? "✓" : "✗"} ${model.name}: ${said}${part === null ? "" : ` (P(yes) ${part.toFixed(2)})`}${words === null ? "" : ` “${words}”`}`);
  }));
}

function chosenQuestions() {
  const model = questions.models.find((each) => each.name === state.qmodel) ?? null;
  const text = state.qfind.toLocaleLowerCase();
  const generator = state.qgenerator === NONE ? null : state.qgenerator;
  const number = (index) => questions.models.reduce((sum, each) => sum + answersRight(each, index), 0);
  const chosen = questions.question.map((_, index) => index).filter(
    (index) =>
      (state.qkind === ANY || questions.kind[index] === state.qkind) &&
      (state.qanswer === ANY || questions.answer[index] === state.qanswer) &&
      (state.qgenerator === ANY || questions.generator[index] === generator) &&
      (text === "" || `${questions.question[index]} ${questions.image[index]}`.toLocaleLowerCase().includes(text)) &&
      (state.qoutcome === ANY || ((model ? [model] : questions.models).every((each) => answers(each, index)) && passes(state.qoutcome, model && answersRight(model, index), number(index), questions.models.length, model !== null))),
  );
  const sure = (index) => (model ? [model] : questions.models).reduce((sum, each) => sum + Math.abs(Math.round(1e5 * (each.yes[index] ?? 0.5)) - 5e4), 0);
  switch (state.qsort) {
    case "hardest": return sortBy(chosen, number, 1);
    case "easiest": return sortBy(chosen, number, -1);
    case "confident": return sortBy(chosen, sure, -1);
    case "unsure": return sortBy(chosen, sure, 1);
    default: return chosen;
  }
}

export function showQuestions() {
  if (!questions) return;
  asked = chosenQuestions();
  const total = questions.question.length;
  byId("questions-count").textContent = asked.length === total ? count(total, "question") : `${asked.length.toLocaleString("en")} of ${count(total, "question")}`;
  const part = paged(asked, 48, "qpage", byId("questions-pager"));
  byId("questions-list").replaceChildren(part.length === 0 ? make("p", {}, "No questions match these filters.")
    : make("ul", { class: "asked" }, ...part.map((index) => make("li", {},
      make("button", { type: "button", "aria-label": `Look at ${questions.image[index]}`, onclick: () => openAmong(asked.map((each) => [questions.image[each], each]), asked.indexOf(index)) },
        make("img", { src: picture(questions.picture[index]), alt: "", loading: "lazy" })),
      make("div", {}, make("p", {}, questions.question[index], " ", make("small", {}, `truth: ${questions.answer[index]} · ${questions.kind[index]}`)), chips(index))))));
}

export function questionsCsv() {
  const columns = ["image", "question", "answer", "kind", "generator", ...questions.models.flatMap((model) => [`${model.name} P(yes)`, `${model.name} correct`, ...(model.said ? [`${model.name} said`] : [])])];
  return csv(columns, asked.map((index) => [
    ...["image", "question", "answer", "kind", "generator"].map((key) => questions[key][index]),
    ...questions.models.flatMap((model) => [
      model.yes[index],
      answers(model, index) ? answersRight(model, index) : null,
      ...(model.said ? [model.said[index]] : [])])]));
}
