"use strict";
// The page's program. Text from the data is only ever set as text, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const { explorer, questions } = data;

  // Helpers ----------------------------------------------------------------------------------

  /** An element with properties, `class` among them, and children: nodes, or text. */
  function make(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;
  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  const unique = (values) => [...new Set(values)].sort((a, b) => (a ?? "").localeCompare(b ?? "", "en"));
  const short = (text, length = 24) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

  const parsed = new Map();
  /** The address of a picture, by its number. */
  function picture(number) {
    const chunk = Math.floor(number / data.chunk);
    if (!parsed.has(chunk)) parsed.set(chunk, JSON.parse(byId(`pictures-${chunk}`).textContent));
    return `data:image/webp;base64,${parsed.get(chunk)[number % data.chunk]}`;
  }

  const asRows = new Map();
  /** The rows of a table as objects; none of a table that is not there. */
  function rows(name) {
    if (!asRows.has(name)) {
      const { columns, values } = data.tables[name] ?? { columns: [], values: [[]] };
      const made = values[0].map((_, row) => Object.fromEntries(columns.map((column, i) => [column, values[i][row]])));
      asRows.set(name, made);
    }
    return asRows.get(name);
  }

  function csv(columns, lines) {
    const field = (value) => {
      const text = value === null ? "" : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [columns, ...lines].map((line) => line.map(field).join(",")).join("\n") + "\n";
  }

  function download(name, text) {
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // The state: what is chosen, kept in the address ---------------------------------------------

  const ANY = "";
  const NONE = "\n"; // for what has no generator
  const DEFAULTS = {
    rule: data.rule, hit: "top1",
    category: ANY, generator: ANY, model: ANY, outcome: ANY, sort: "name", view: "pictures", find: "", page: "1", image: "",
    qmodel: ANY, qoutcome: ANY, qkind: ANY, qanswer: ANY, qgenerator: ANY, qsort: "image", qfind: "", qpage: "1",
  };
  const GROUPS = {
    images: ["category", "generator", "model", "outcome", "sort", "view", "find", "page"],
    questions: ["qmodel", "qoutcome", "qkind", "qanswer", "qgenerator", "qsort", "qfind", "qpage"],
  };
  const state = { ...DEFAULTS };

  const plain = (names) => names.map((name) => [name, name]);
  const named = (names) => names.map((name) => (name === null ? [NONE, "(no generator)"] : [name, name]));
  const models = explorer.models;
  const OPTIONS = {
    rule: () => plain(explorer.rules),
    hit: () => [["top1", "first guess is (top-1)"], ["top5", "one of five is (top-5)"]],
    category: () => [[ANY, "all"], ...plain(unique(explorer.category))],
    generator: () => [[ANY, "all"], ...named(unique(explorer.generator))],
    model: () => [[ANY, "all"], ...plain(data.order)],
    outcome: () => [
      [ANY, "any"],
      ["right", state.model ? "right" : "right by at least one"],
      ["wrong", state.model ? "wrong" : "wrong by at least one"],
      ["all", "all models right"],
      ["none", "all models wrong"],
    ],
    sort: () => [
      ["name", "name"], ["hardest", "hardest first"], ["easiest", "easiest first"],
      ["confident", "most confident first"], ["unsure", "least confident first"],
    ],
    view: () => [["pictures", "pictures"], ["grid", "grid of hits"]],
    qmodel: () => [[ANY, "all"], ...plain(questions.models.map((model) => model.name))],
    qoutcome: () => [
      [ANY, "any"],
      ["right", state.qmodel ? "right" : "right by at least one"],
      ["wrong", state.qmodel ? "wrong" : "wrong by at least one"],
      ["all", "all models right"],
      ["none", "all models wrong"],
    ],
    qkind: () => [[ANY, "all"], ...plain(unique(questions.kind))],
    qanswer: () => [[ANY, "yes or no"], ["yes", "yes"], ["no", "no"]],
    qgenerator: () => [[ANY, "all"], ...named(unique(questions.generator))],
    qsort: () => [
      ["image", "image"], ["hardest", "hardest first"], ["easiest", "easiest first"],
      ["confident", "most confident first"], ["unsure", "least confident first"],
    ],
  };

  /** Take the state from the address; what it does not name, or names wrongly, is the default. */
  function readAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const key of Object.keys(DEFAULTS)) {
      state[key] = given.get(key) ?? DEFAULTS[key];
    }
    for (const control of document.querySelectorAll("select[data-key]")) {
      const { key } = control.dataset;
      if (!OPTIONS[key]().some(([value]) => value === state[key])) state[key] = DEFAULTS[key];
    }
    for (const key of ["page", "qpage"]) {
      if (!/^[1-9][0-9]{0,6}$/.test(state[key])) state[key] = "1";
    }
  }

  function writeAddress() {
    const changed = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key]);
    const address = new URLSearchParams(changed).toString();
    const target = address ? `#${address}` : "";
    if (location.hash !== target) history.replaceState(null, "", target || location.pathname + location.search);
  }

  function fillControls() {
    for (const control of document.querySelectorAll("[data-key]")) {
      const { key } = control.dataset;
      if (control.tagName === "SELECT") {
        control.replaceChildren(...OPTIONS[key]().map(([value, text]) => make("option", { value }, text)));
      }
      control.value = state[key];
    }
  }

  function change(changes) {
    const images = GROUPS.images.some((key) => key in changes);
    const asked = GROUPS.questions.some((key) => key in changes);
    const both = "rule" in changes || "hit" in changes;
    if ((images || both) && !("page" in changes)) changes.page = "1";
    if (asked && !("qpage" in changes)) changes.qpage = "1";
    Object.assign(state, changes);
    writeAddress();
    fillControls();
    if (images || both) showImages();
    if (asked) showQuestions();
    if (both) redraw();
  }

  // Choosing images ----------------------------------------------------------------------------

  const every = explorer.images.map((_, index) => index);
  const gets = (model, image) => model.hits[state.rule].charCodeAt(image) - 48 >= (state.hit === "top1" ? 2 : 1);
  const block = (model) => model.blocks[model.top[state.rule]];
  const confidence = (model, image) => block(model).parts[5 * image];
  const modelNamed = (name) => models.find((model) => model.name === name);
  const ordered = data.order.map(modelNamed);

  const counted = new Map();
  /** For each image how many models get it. */
  function counts() {
    const key = `${state.hit} ${state.rule}`;
    if (!counted.has(key)) {
      counted.set(key, every.map((image) => models.reduce((sum, model) => sum + gets(model, image), 0)));
    }
    return counted.get(key);
  }

  function passes(outcome, right, numberRight, numberOfModels, one) {
    switch (outcome) {
      case "right": return one ? right : numberRight > 0;
      case "wrong": return one ? !right : numberRight < numberOfModels;
      case "all": return numberRight === numberOfModels;
      case "none": return numberRight === 0;
      default: return true;
    }
  }

  /** Sort by a number, ties as they were. */
  const sortBy = (list, value, sign) => {
    const values = new Map(list.map((each) => [each, sign * value(each)]));
    return list.sort((a, b) => values.get(a) - values.get(b));
  };

  function chosenImages() {
    const model = state.model ? modelNamed(state.model) : null;
    const number = counts();
    const text = state.find.toLocaleLowerCase();
    const generator = state.generator === NONE ? null : state.generator;
    const chosen = every.filter(
      (image) =>
        (state.category === ANY || explorer.category[image] === state.category) &&
        (state.generator === ANY || explorer.generator[image] === generator) &&
        (text === "" || explorer.images[image].toLocaleLowerCase().includes(text)) &&
        passes(state.outcome, model && gets(model, image), number[image], models.length, model !== null),
    );
    const sure = model
      ? (image) => confidence(model, image)
      : (image) => models.reduce((sum, each) => sum + confidence(each, image), 0);
    switch (state.sort) {
      case "hardest": return sortBy(chosen, (image) => number[image], 1);
      case "easiest": return sortBy(chosen, (image) => number[image], -1);
      case "confident": return sortBy(chosen, sure, -1);
      case "unsure": return sortBy(chosen, sure, 1);
      default: return chosen;
    }
  }

  // Showing images -----------------------------------------------------------------------------

  const PER_PAGE = { pictures: 60, grid: 100 };
  const SIGNS = ["✗", "5", "✓"];
  const WORDS = ["wrong", "within five", "right at first"];
  let shown = [];

  const digit = (model, image) => model.hits[state.rule].charCodeAt(image) - 48;
  const guess = (model, image, place = 0) => {
    const name = block(model).classes[5 * image + place];
    return name < 0 ? null : { name: explorer.names[name], share: block(model).parts[5 * image + place] / 1000 };
  };
  const mark = (value) => make("span", { class: `mark h${value}`, title: WORDS[value] }, SIGNS[value]);

  function card(image) {
    const model = state.model ? modelNamed(state.model) : null;
    const number = counts()[image];
    const first = model && guess(model, image);
    const marks = make("span", { class: "marks", "aria-hidden": "true" });
    if (ordered.length <= 14) marks.append(...ordered.map((each) => mark(digit(each, image))));
    const said = first
      ? `${WORDS[digit(model, image)]}: ${first.name} ${percent(first.share, 0)}`
      : `${number} of ${count(models.length, "model")} right`;
    return make("li", {},
      make("button", { type: "button", class: "card", "data-image": image, onclick: () => open(image) },
        make("img", { src: picture(explorer.picture[image]), alt: explorer.images[image], loading: "lazy" }),
        make("span", { class: "truth" }, explorer.category[image]),
        make("span", { class: "said" }, said),
        marks));
  }

  const legend = () => make("p", { class: "legend" },
    ...[2, 1, 0].map((value) => make("span", {}, mark(value), ["no guess of five is right", "one of five is right", "the first guess is right"][value])));

  function gridOf(images) {
    const head = make("tr", {}, make("th", { scope: "col" }, "Image"),
      ...ordered.map((model) => make("th", { scope: "col" }, model.name)));
    const body = images.map((image) => make("tr", {},
      make("th", { scope: "row" },
        make("button", { type: "button", "data-image": image, onclick: () => open(image) },
          make("img", { src: picture(explorer.picture[image]), alt: "", loading: "lazy" }),
          explorer.images[image])),
      ...ordered.map((model) => {
        const value = digit(model, image);
        const first = guess(model, image);
        const title = `${model.name}: ${WORDS[value]}${first ? `; ${first.name} ${percent(first.share, 0)}` : ""}`;
        return make("td", { class: `cell h${value}`, title }, SIGNS[value]);
      })));
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Grid of hits" },
      make("table", { class: "grid" }, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  /** Fill a pager and give the part of the list that its page shows. */
  function paged(list, size, key, pager) {
    const pages = Math.max(1, Math.ceil(list.length / size));
    const page = Math.min(Number(state[key]), pages);
    const go = (target, label, text) => make("button",
      { type: "button", "aria-label": label, disabled: target < 1 || target > pages ? "" : undefined,
        onclick: () => {
          change({ [key]: String(target) });
          const region = pager.closest("section");
          region.querySelector(".count").scrollIntoView({ block: "start" });
          const again = pager.querySelector(`[aria-label="${label}"]:not(:disabled)`) ?? pager.querySelector("button:not(:disabled)");
          if (again) again.focus({ preventScroll: true });
        } }, text);
    pager.replaceChildren();
    if (pages > 1) {
      pager.append(go(page - 1, "Previous page", "← Previous"), make("span", {}, `Page ${page} of ${pages}`),
        go(page + 1, "Next page", "Next →"));
    }
    return list.slice((page - 1) * size, page * size);
  }

  function showImages() {
    shown = chosenImages();
    const model = state.model ? modelNamed(state.model) : null;
    const total = every.length;
    let said = shown.length === total ? count(total, "image") : `${shown.length.toLocaleString("en")} of ${count(total, "image")}`;
    if (shown.length && state.outcome === ANY) {
      const number = counts();
      const right = model
        ? shown.filter((image) => gets(model, image)).length / shown.length
        : shown.reduce((sum, image) => sum + number[image], 0) / shown.length / models.length;
      said += ` · ${model ? model.name : models.length > 1 ? "the models" : models[0].name} ${model || models.length === 1 ? "is" : "are"} right on ${percent(right)}${model || models.length === 1 ? "" : " of them on average"}`;
    }
    byId("images-count").textContent = said;
    const part = paged(shown, PER_PAGE[state.view], "page", byId("images-pager"));
    byId("images-list").replaceChildren(...(part.length === 0 ? [make("p", {}, "No image is like that.")] : [
      legend(),
      state.view === "grid" ? gridOf(part) : make("ul", { class: "cards" }, ...part.map(card)),
    ]));
  }

  function imagesCsv() {
    const columns = ["image", "category", "generator", "rule", ...ordered.flatMap((model) => [`${model.name} top1`, `${model.name} top5`, `${model.name} first guess`])];
    return csv(columns, shown.map((image) => [
      explorer.images[image], explorer.category[image], explorer.generator[image], state.rule,
      ...ordered.flatMap((model) => {
        const value = digit(model, image);
        return [value === 2, value >= 1, guess(model, image)?.name ?? null];
      })]));
  }

  // The large view -----------------------------------------------------------------------------

  const large = byId("large");
  let opener = null;

  function guessesOf(model, image) {
    const value = digit(model, image);
    const list = make("ol");
    for (let place = 0; place < 5; place += 1) {
      const each = guess(model, image, place);
      if (each) {
        const bar = make("i");
        bar.style.width = percent(Math.min(1, each.share));
        list.append(make("li", {}, bar, make("span", {}, each.name), make("span", {}, percent(each.share))));
      }
    }
    return make("section", {}, make("h3", {}, mark(value), model.name, make("small", {}, WORDS[value])), list);
  }

  function questionsAbout(name) {
    if (!questions) return [];
    return questions.image.flatMap((image, index) => (image === name ? [index] : []));
  }

  function fillLarge(name) {
    const image = explorer.images.indexOf(name);
    const asked = questionsAbout(name);
    const classified = image >= 0;
    const number = classified ? explorer.picture[image] : questions.picture[asked[0]];
    byId("large-h").textContent = classified ? explorer.category[image] : name;
    const facts = make("dl", { class: "facts" });
    const fact = (term, text) => facts.append(make("div", {}, make("dt", {}, term), make("dd", {}, text)));
    fact("File", name);
    if (classified) {
      fact("Generator", explorer.generator[image] ?? "none");
      const [width, height] = [explorer.width[image], explorer.height[image]];
      fact("Size", `${width} × ${height} pixels${Math.max(width, height) > data.side ? "; shown is a smaller copy" : ""}`);
      fact("Right under " + state.rule, `${counts()[image]} of ${count(models.length, "model")}`);
    }
    const right = make("div");
    if (classified) right.append(make("div", { class: "guesses" }, ...ordered.map((model) => guessesOf(model, image))));
    if (asked.length) {
      right.append(make("h3", {}, "Questions"),
        ...asked.map((index) => make("div", {}, make("p", {}, questions.question[index], " ", make("small", {}, `truth: ${questions.answer[index]}`)), chips(index))));
    }
    byId("large-content").replaceChildren(make("div", { class: "large" },
      make("div", {}, make("img", { src: picture(number), alt: name }), facts), right));
    const place = classified ? shown.indexOf(image) : -1;
    byId("large-previous").disabled = place <= 0;
    byId("large-next").disabled = place < 0 || place === shown.length - 1;
    // A button that is disabled loses the focus.
    if (large.open && (document.activeElement === document.body || document.activeElement.disabled)) byId("large-close").focus();
  }

  function openNamed(name) {
    state.image = name;
    writeAddress();
    fillLarge(name);
    if (!large.open) {
      opener = document.activeElement;
      large.showModal();
    }
    large.scrollTop = 0;
  }

  const open = (image) => openNamed(explorer.images[image]);

  function step(by) {
    const place = shown.indexOf(explorer.images.indexOf(state.image)) + by;
    if (shown.includes(explorer.images.indexOf(state.image)) && place >= 0 && place < shown.length) open(shown[place]);
  }

  large.addEventListener("close", () => {
    state.image = "";
    writeAddress();
    if (opener && opener.isConnected) opener.focus();
  });
  large.addEventListener("click", (event) => { if (event.target === large) large.close(); });
  document.addEventListener("keydown", (event) => {
    if (large.open && event.key === "ArrowLeft") step(-1);
    if (large.open && event.key === "ArrowRight") step(1);
  });
  byId("large-close").addEventListener("click", () => large.close());
  byId("large-previous").addEventListener("click", () => step(-1));
  byId("large-next").addEventListener("click", () => step(1));

  // Questions ----------------------------------------------------------------------------------

  let asked = [];
  const answersRight = (model, index) => model.correct.charCodeAt(index) === 49;
  const other = { yes: "no", no: "yes" };

  function chips(index) {
    return make("div", { class: "chips" }, ...questions.models.map((model) => {
      const right = answersRight(model, index);
      const said = right ? questions.answer[index] : other[questions.answer[index]];
      return make("span", { class: `chip ${right ? "h2" : "h0"}`, title: right ? "right" : "wrong" },
        `${right ? "✓" : "✗"} ${model.name}: ${said} (P(yes) ${(model.parts[index] / 1000).toFixed(2)})`);
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
        (state.qoutcome === ANY || passes(state.qoutcome, model && answersRight(model, index), number(index), questions.models.length, model !== null)),
    );
    const sure = (index) => (model ? [model] : questions.models).reduce((sum, each) => sum + Math.abs(each.parts[index] - 500), 0);
    switch (state.qsort) {
      case "hardest": return sortBy(chosen, number, 1);
      case "easiest": return sortBy(chosen, number, -1);
      case "confident": return sortBy(chosen, sure, -1);
      case "unsure": return sortBy(chosen, sure, 1);
      default: return chosen;
    }
  }

  function showQuestions() {
    if (!questions) return;
    asked = chosenQuestions();
    const total = questions.question.length;
    byId("questions-count").textContent = asked.length === total ? count(total, "question") : `${asked.length.toLocaleString("en")} of ${count(total, "question")}`;
    const part = paged(asked, 48, "qpage", byId("questions-pager"));
    byId("questions-list").replaceChildren(part.length === 0 ? make("p", {}, "No question is like that.")
      : make("ul", { class: "asked" }, ...part.map((index) => make("li", {},
        make("button", { type: "button", "aria-label": `Look at ${questions.image[index]}`, onclick: () => openNamed(questions.image[index]) },
          make("img", { src: picture(questions.picture[index]), alt: "", loading: "lazy" })),
        make("div", {}, make("p", {}, questions.question[index], " ", make("small", {}, `truth: ${questions.answer[index]} · ${questions.kind[index]}`)), chips(index))))));
  }

  function questionsCsv() {
    const columns = ["image", "question", "answer", "kind", "generator", ...questions.models.flatMap((model) => [`${model.name} P(yes)`, `${model.name} correct`])];
    return csv(columns, asked.map((index) => [
      ...["image", "question", "answer", "kind", "generator"].map((key) => questions[key][index]),
      ...questions.models.flatMap((model) => [model.parts[index] / 1000, answersRight(model, index)])]));
  }

  // Tables: made when they are opened ------------------------------------------------------------

  function buildTable(details) {
    const name = details.dataset.table;
    const { columns, values, left_out: leftOut } = data.tables[name];
    const lines = values[0].map((_, row) => values.map((column) => column[row]));
    if (leftOut) details.append(make("p", { class: "note" }, `${leftOut.toLocaleString("en")} further rows are in tables/${name}.csv only.`));
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

  // Charts: drawn when they come near, drawn again when what counts changes ---------------------

  const { Plot } = window;
  const marginFor = (labels) => Math.min(190, 18 + 6.6 * Math.max(4, ...labels.map((label) => short(String(label)).length)));
  const share = { domain: [0, 1], tickFormat: (value) => `${Math.round(100 * value)}`, label: "per cent", grid: true };
  const hitName = () => (state.hit === "top1" ? "top-1" : "top-5");
  const means = (extra = {}) => rows("accuracy").filter((row) => row.category === "*" && row.rule === (extra.rule ?? state.rule));
  const described = (row, value, low, high) => `${percent(value)}${low === null || low === undefined ? "" : ` (${percent(low)} to ${percent(high)})`}`;
  /** The names of the parts of a chart, each above its part. */
  const heading = (names) => Plot.text(names, { fy: (name) => name, text: (name) => short(name, 48), frameAnchor: "top-left", dy: -13, fontWeight: "bold" });
  const rowHeight = (number, each = 26) => 66 + each * number;

  const CHARTS = {
    models(width) {
      const hit = state.hit;
      const measured = means().filter((row) => row.generator === "*");
      const stated = rows("reference").filter((row) => row.generator === "*" && row.rule === state.rule && row[`reference_${hit}`] !== null);
      const order = [...measured].sort((a, b) => b[hit] - a[hit]).map((row) => row.model);
      return {
        width, height: rowHeight(order.length), marginLeft: marginFor(order), marginRight: 50,
        x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
        marks: [
          Plot.ruleY(stated, { y: "model", x1: hit, x2: `reference_${hit}`, stroke: "var(--faint)", strokeDasharray: "2 3" }),
          Plot.ruleY(measured, { y: "model", x1: `${hit}_low`, x2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.dot(stated, { y: "model", x: `reference_${hit}`, stroke: "var(--two)", strokeWidth: 2, r: 5, tip: true,
            title: (row) => `${row.model}\nreference: ${percent(row[`reference_${hit}`])}\n${row.source}` }),
          Plot.dot(measured, { y: "model", x: hit, fill: "var(--one)", r: 5, tip: true,
            title: (row) => `${row.model}\ngenerated images: ${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}` }),
        ],
        key: [["var(--one)", "generated images"], ["var(--two)", "reference, as stated"]],
      };
    },
    categories(width) {
      const hit = state.hit;
      const cells = rows("accuracy").filter((row) => row.category !== "*" && row.generator === "*" && row.rule === state.rule);
      const mean = new Map();
      for (const row of cells) mean.set(row.category, (mean.get(row.category) ?? 0) + row[hit]);
      const categories = [...mean.keys()].sort((a, b) => mean.get(b) - mean.get(a));
      const order = means().filter((row) => row.generator === "*").sort((a, b) => b[hit] - a[hit]).map((row) => row.model);
      const left = marginFor(categories);
      const room = Math.max(width, left + 20 + 30 * order.length);
      const tilted = order.some((name) => 6.6 * Math.min(name.length, 24) > (room - left - 20) / order.length);
      return {
        width: room, marginBottom: 10, height: 30 + (tilted ? 110 : 0) + 24 * categories.length, marginLeft: left, marginTop: tilted ? 130 : 30, marginRight: tilted ? 70 : 20,
        x: { domain: order, axis: "top", label: null, tickRotate: tilted ? -50 : 0, tickFormat: (name) => short(name), tickSize: 0 },
        y: { domain: categories, label: null, tickFormat: (name) => short(name), tickSize: 0 },
        color: { type: "linear", domain: [0, 1], scheme: "blues" }, padding: 0.04,
        marks: [
          Plot.cell(cells, { x: "model", y: "category", fill: hit }),
          Plot.text(cells, { x: "model", y: "category", text: (row) => Math.round(100 * row[hit]), fill: (row) => (row[hit] > 0.55 ? "#fff" : "#000"), fontSize: 11 }),
          Plot.tip(cells, Plot.pointer({ x: "model", y: "category",
            title: (row) => `${row.category}, ${row.model}\n${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}\n${count(row.n, "image")}` })),
        ],
      };
    },
    best(width) {
      const hit = state.hit;
      const cells = rows("accuracy").filter((row) => row.category !== "*" && row.generator === "*" && row.rule === state.rule && row.model === data.best);
      const order = [...cells].sort((a, b) => b[hit] - a[hit]).map((row) => row.category);
      return {
        width, height: rowHeight(order.length, 22), marginLeft: marginFor(order), marginRight: 20,
        x: { ...share, label: `${hitName()} accuracy of ${data.best}, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
        marks: [
          Plot.ruleY(cells, { y: "category", x1: `${hit}_low`, x2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.dot(cells, { y: "category", x: hit, fill: "var(--one)", r: 4, tip: true,
            title: (row) => `${row.category}\n${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}\n${count(row.n, "image")}` }),
        ],
      };
    },
    rules(width) {
      const hit = state.hit;
      const cells = rows("accuracy").filter((row) => row.category === "*" && row.generator === "*");
      return {
        width, height: rowHeight(data.order.length), marginLeft: marginFor(data.order), marginRight: 20,
        x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: data.order, label: null, tickFormat: (name) => short(name) },
        marks: Object.entries(data.marks).map(([rule, { symbol, stroke }]) => Plot.dot(cells.filter((row) => row.rule === rule),
          { y: "model", x: hit, stroke, fill: rule === state.rule ? stroke : "none", strokeWidth: 2, symbol, r: 5, tip: true,
            title: (row) => `${row.model}\n${rule}: ${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}` })),
        key: Object.entries(data.marks).map(([rule, { sign, stroke }]) => [stroke, rule, sign]),
      };
    },
    agreement(width) {
      const cells = rows("agreement").filter((row) => row.rule === state.rule);
      const all = `all_${state.hit}`;
      const none = `none_${state.hit}`;
      const order = [...cells].sort((a, b) => b[all] - b[none] - (a[all] - a[none])).map((row) => row.category);
      return {
        width, height: rowHeight(order.length, 22), marginLeft: marginFor(order), marginRight: 20,
        x: { domain: [-1, 1], tickFormat: (value) => `${Math.abs(Math.round(100 * value))}`, label: "per cent of the images", grid: true, ticks: 5 },
        y: { domain: order, label: null, tickFormat: (name) => short(name), tickSize: 0 },
        marks: [
          Plot.barX(cells, { y: "category", x1: 0, x2: all, fill: "var(--one)", inset: 2, tip: true, title: (row) => `${row.category}\nall models get ${percent(row[all])} of ${count(row.n, "image")}` }),
          Plot.barX(cells, { y: "category", x1: 0, x2: (row) => -row[none], fill: "var(--two)", inset: 2, tip: true, title: (row) => `${row.category}\nno model gets ${percent(row[none])} of ${count(row.n, "image")}` }),
          Plot.ruleX([0]),
        ],
        key: [["var(--two)", "no model gets"], ["var(--one)", "all models get"]],
      };
    },
    difficulty(width) {
      const cells = rows("difficulty").filter((row) => row.rule === state.rule && row.hit === state.hit && row.category === "*" && row.generator === "*");
      return {
        width, height: 300, marginLeft: 50,
        x: { type: "band", label: "models that get the image" }, y: { grid: true, label: "images" },
        marks: [Plot.barY(cells, { x: "models", y: "n", fill: "var(--one)", tip: true, title: (row) => `${count(row.n, "image")} (${percent(row.share)}) by ${count(row.models, "model")}` }), Plot.ruleY([0])],
      };
    },
    kappa(width) {
      const pairs = rows("kappa").filter((row) => row.rule === state.rule && row.hit === state.hit);
      const cells = pairs.flatMap((row) => [row, { ...row, a: row.b, b: row.a }]);
      const left = marginFor(data.order);
      const size = Math.max(26, Math.min(64, (width - left - 80) / data.order.length));
      return {
        width: left + 90 + size * data.order.length, marginBottom: 10, height: 120 + Math.min(size, 36) * data.order.length, marginLeft: left, marginTop: 110, marginRight: 90,
        x: { domain: data.order, axis: "top", label: null, tickRotate: -50, tickFormat: (name) => short(name), tickSize: 0 },
        y: { domain: data.order, label: null, tickFormat: (name) => short(name), tickSize: 0 },
        color: { type: "linear", domain: [0, 1], scheme: "blues", clamp: true }, padding: 0.04,
        marks: [
          Plot.cell(cells.filter((row) => row.kappa !== null), { x: "a", y: "b", fill: "kappa" }),
          Plot.text(cells, { x: "a", y: "b", text: (row) => (row.kappa === null ? "" : row.kappa.toFixed(2)), fill: (row) => (row.kappa > 0.55 ? "#fff" : "#000"), fontSize: size < 30 ? 9 : 11 }),
          Plot.tip(cells, Plot.pointer({ x: "a", y: "b", title: (row) => `${row.a}, ${row.b}\nkappa ${row.kappa === null ? "undefined" : `${row.kappa.toFixed(2)} (${row.low.toFixed(2)} to ${row.high.toFixed(2)})`}` })),
        ],
      };
    },
    generators(width) {
      const hit = state.hit;
      const cells = means().filter((row) => row.generator !== "*");
      const order = unique(cells.map((row) => row.generator));
      return {
        width, height: 40 + data.order.length * (26 + 20 * order.length), marginLeft: marginFor(order), marginRight: 20, marginTop: 24,
        x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name, 18) },
        fy: { domain: data.order, axis: null },
        marks: [
          heading(data.order),
          Plot.ruleY(cells, { fy: "model", y: "generator", x1: `${hit}_low`, x2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.dot(cells, { fy: "model", y: "generator", x: hit, fill: "var(--one)", r: 4, tip: true,
            title: (row) => `${row.model}, ${row.generator}\n${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}` }),
        ],
      };
    },
    differences(width) {
      const cells = rows("generators").filter((row) => row.rule === state.rule && row.hit === state.hit)
        .map((row) => ({ ...row, pair: `${row.a} − ${row.b}`, who: row.model === "*" ? "mean over models" : row.model }));
      const pairs = unique(cells.map((row) => row.pair));
      const order = ["mean over models", ...data.order];
      const many = pairs.length * order.length > 60;
      const drawn = many ? cells.filter((row) => row.model === "*") : cells;
      const domain = many ? order.slice(0, 1) : order;
      return {
        width, height: 40 + pairs.length * (30 + 22 * domain.length), marginLeft: marginFor(domain), marginRight: 20,
        x: { label: "points", tickFormat: (value) => `${Math.round(100 * value)}`, grid: true, nice: true },
        y: { domain, label: null, tickFormat: (name) => short(name) }, fy: { domain: pairs, label: null, axis: null },
        marks: [
          Plot.ruleX([0], { stroke: "var(--faint)" }),
          heading(pairs),
          Plot.ruleY(drawn, { fy: "pair", y: "who", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.dot(drawn, { fy: "pair", y: "who", x: "difference", fill: "var(--one)", r: 4, tip: true,
            title: (row) => `${row.pair}\n${row.who}: ${(100 * row.difference).toFixed(1)} points (${(100 * row.low).toFixed(1)} to ${(100 * row.high).toFixed(1)})\n${count(row.categories, "common categor").replace(/s?$/, row.categories === 1 ? "y" : "ies")}` }),
        ],
        marginTop: 24,
      };
    },
    vqa(width) {
      const cells = rows("vqa");
      const order = [...cells].sort((a, b) => b.accuracy - a.accuracy).map((row) => row.model);
      const stated = cells.filter((row) => row.reference_yes_no !== null);
      return {
        width, height: rowHeight(order.length, 30), marginLeft: marginFor(order), marginRight: 20,
        x: { ...share, label: "accuracy, per cent" }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
        marks: [
          Plot.ruleX(cells.slice(0, 1), { x: "always_yes", stroke: "var(--faint)", strokeDasharray: "4 4" }),
          Plot.ruleY(cells, { y: "model", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.dot(stated, { y: "model", x: "reference_yes_no", stroke: "var(--two)", strokeWidth: 2, r: 5, tip: true, title: (row) => `${row.model}\nreference: ${percent(row.reference_yes_no)}\n${row.source}` }),
          Plot.dot(cells.filter((row) => row.balanced_accuracy !== null), { y: "model", x: "balanced_accuracy", symbol: "square", stroke: "var(--three)", strokeWidth: 2, r: 5, tip: true, title: (row) => `${row.model}\nbalanced: ${described(row, row.balanced_accuracy, row.balanced_low, row.balanced_high)}` }),
          Plot.dot(cells, { y: "model", x: "accuracy", fill: "var(--one)", r: 5, tip: true, title: (row) => `${row.model}\n${described(row, row.accuracy, row.low, row.high)} of ${count(row.n, "question")}` }),
        ],
        key: [["var(--one)", "accuracy"], ["var(--three)", "balanced accuracy", "□"], ["var(--faint)", "always yes", "╎"],
          ...(stated.length ? [["var(--two)", "reference, as stated", "○"]] : [])],
      };
    },
    kinds(width) {
      const cells = rows("vqa_groups").filter((row) => row.by === "kind");
      const names = rows("vqa").map((row) => row.model);
      const order = unique(cells.map((row) => row.value));
      return {
        width, height: 40 + names.length * (24 + 20 * order.length), marginLeft: marginFor(order), marginRight: 20, marginTop: 24,
        x: { ...share, label: "accuracy, per cent" }, y: { domain: order, label: null, tickFormat: (name) => short(name) }, fy: { domain: names, axis: null },
        marks: [
          heading(names),
          Plot.ruleY(cells, { fy: "model", y: "value", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.tickX(cells, { fy: "model", y: "value", x: "always_yes", stroke: "var(--faint)", strokeWidth: 2 }),
          Plot.dot(cells, { fy: "model", y: "value", x: "accuracy", fill: "var(--one)", r: 4, tip: true, title: (row) => `${row.model}, ${row.value}\n${described(row, row.accuracy, row.low, row.high)} of ${count(row.n, "question")}\nalways yes: ${percent(row.always_yes)}` }),
        ],
      };
    },
    calibration(width) {
      const cells = rows("vqa_calibration").filter((row) => row.n > 0);
      const names = rows("vqa").map((row) => row.model);
      const side = Math.min(width, 420);
      return {
        width: side, height: 40 + names.length * side * 0.75, marginLeft: 50, marginTop: 24,
        x: { domain: [0, 1], label: "mean P(yes)" }, y: { domain: [0, 1], ticks: 5, label: "share of yes", labelAnchor: "center", labelArrow: "none", grid: true }, fy: { domain: names, axis: null, padding: 0.15 },
        marks: [
          heading(names),
          Plot.line([[0, 0], [1, 1]], { stroke: "var(--faint)", strokeDasharray: "4 4" }),
          Plot.ruleX(cells, { fy: "model", x: "mean_p_yes", y1: "low", y2: "high", stroke: "var(--one)", strokeWidth: 2, strokeOpacity: 0.55 }),
          Plot.dot(cells, { fy: "model", x: "mean_p_yes", y: "share_yes", fill: "var(--one)", r: 4, tip: true, title: (row) => `${row.model}\nP(yes) about ${row.mean_p_yes.toFixed(2)}: ${described(row, row.share_yes, row.low, row.high)} are yes\n${count(row.n, "question")}` }),
        ],
      };
    },
  };

  const charts = [...document.querySelectorAll("[data-chart]")].map((node) => ({ node, near: false, drawn: false }));

  function draw(chart) {
    const { node } = chart;
    const { key, ...options } = CHARTS[node.dataset.chart](Math.max(300, Math.floor(node.clientWidth)));
    const plot = Plot.plot({ marginBottom: 44, style: { fontSize: "12px", fontFamily: "inherit", background: "none", overflow: "visible" }, ...options });
    // One picture with one name; Plot gives its parts labels, which mean nothing within a picture.
    for (const part of plot.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", `${node.dataset.title}; the numbers are in the tables below`);
    const legends = key ? [make("p", { class: "legend" }, ...key.map(([color, text, sign = "●"]) => {
      const dot = make("span", { "aria-hidden": "true" }, `${sign} `);
      dot.style.color = color;
      return make("span", {}, dot, text);
    }))] : [];
    node.replaceChildren(...legends, plot);
    chart.drawn = true;
  }

  function redraw(all = false) {
    for (const chart of charts) {
      chart.drawn = false;
      if (all || chart.near) draw(chart);
    }
  }

  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.find((each) => each.node === entry.target);
      chart.near = entry.isIntersecting;
      if (chart.near && !chart.drawn) draw(chart);
    }
  }, { rootMargin: "400px" });
  for (const chart of charts) watch.observe(chart.node);
  let width = window.innerWidth;
  let waiting = null;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return; // a phone's address bar came or went
    width = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 150);
  });
  window.addEventListener("beforeprint", () => redraw(true));

  // Begin --------------------------------------------------------------------------------------

  for (const control of document.querySelectorAll("[data-key]")) {
    const { key } = control.dataset;
    control.addEventListener(control.tagName === "SELECT" ? "change" : "input", () => change({ [key]: control.value }));
  }
  for (const button of document.querySelectorAll("[data-reset]")) {
    button.addEventListener("click", () => change(Object.fromEntries(GROUPS[button.dataset.reset].map((key) => [key, DEFAULTS[key]]))));
  }
  byId("images-csv").addEventListener("click", () => download("images.csv", imagesCsv()));
  byId("questions-csv")?.addEventListener("click", () => download("questions.csv", questionsCsv()));

  function begin() {
    readAddress();
    fillControls();
    showImages();
    showQuestions();
    if (explorer.images.includes(state.image) || questions?.image.includes(state.image)) openNamed(state.image);
    else if (large.open) large.close();
  }
  const chosenIn = (group) => GROUPS[group].some((key) => state[key] !== DEFAULTS[key]);
  window.addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return; // a section of the page
    begin();
    redraw();
  });
  begin();
  if (location.hash.includes("=")) {
    if (chosenIn("images")) byId("images").scrollIntoView();
    else if (questions && chosenIn("questions")) byId("questions").scrollIntoView();
  }
})();
