// Lists episodes and shows one or two of them. The data are scripts, loaded when they are needed.
// Texts of episodes are only ever text: nothing of them is read as HTML or as an address.
"use strict";

const FORMAT = 1;
const PAGE_ROWS = 100;
const KEPT_CHUNKS = 24;
const MAX_OPTIONS = 500; // of a filter; others can be written into the address
const CODED = ["run", "arm", "seed", "step", "environment", "tier", "split", "interface", "end"];
const LIST = ["run", "arm", "seed", "step", "environment", "tier", "interface", "end", "failures", "task", "sample", "success", "score", "turns", "invalid"];
const NAMES = { run: "Path", arm: "Model", seed: "Seed", step: "Step", environment: "Environment", tier: "Tier", split: "Split", interface: "Interface", end: "End" };

const by = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = printable(String(text));
  return element;
};

// Control characters, and letters that turn the direction of writing, are shown as escapes.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
function printable(text) {
  return text.replace(CONTROLS, (c) => {
    const code = c.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

// Loading: every script calls viewerData once.

const policy = window.trustedTypes?.createPolicy("viewer", { createScriptURL: (url) => url });
const waiting = new Map();
let requests = 0;

function viewerData(kind, number, value) {
  waiting.get(`${kind}-${number}`)?.(value);
}

function load(kind, number) {
  const key = `${kind}-${number}`;
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const failed = () => reject(new Error(`data/${key}.js cannot be loaded: it is missing or damaged, or the server has stopped`));
    const end = () => {
      waiting.delete(key);
      script.remove();
      failed(); // changes nothing if the script has called viewerData
    };
    waiting.set(key, (value) => (typeof value === "string" ? reject(new Error(value)) : resolve(value)));
    script.addEventListener("load", end);
    script.addEventListener("error", end);
    const address = `data/${key}.js${kind === "index" ? `?${requests++}` : ""}`;
    script.src = policy ? policy.createScriptURL(address) : address;
    document.head.append(script);
  });
}

// Returns a function that remembers its promises; what `keeps` refuses is loaded again next time.
function remembered(loader, limit, keeps = () => true) {
  const promises = new Map();
  return (...key) => {
    const name = key.join("-");
    const promise = promises.get(name) ?? loader(...key);
    promises.delete(name);
    promises.set(name, promise);
    if (!keeps(...key)) promise.finally(() => promises.delete(name)).catch(() => {});
    promise.catch(() => promises.delete(name));
    if (promises.size > limit) promises.delete(promises.keys().next().value);
    return promise;
  };
}

let index = null;
const values = {};
const isWhole = (piece) => index.complete || (piece + 1) * index.piece <= index.episodes;
const column = remembered(load, Infinity, (name, piece) => isWhole(piece));
const chunk = remembered((number) => load("episodes", number), KEPT_CHUNKS);
const actionsOf = remembered((number) => load("actions", number), 200);

function chunkOf(id) {
  let low = 0;
  let high = index.chunks.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (index.chunks[middle] <= id) low = middle;
    else high = middle;
  }
  return low;
}

async function bodyOf(id) {
  const number = chunkOf(id);
  const [env, reward, last, error, turns] = (await chunk(number))[id - index.chunks[number]];
  return {
    env,
    reward,
    last,
    error,
    turns: turns.map(([observation, completion, action, step, flags, tokens = [], logprobs = []]) => ({
      observation, completion, action, reward: step, tokens, logprobs,
      valid: Boolean(flags & 1), lenient: Boolean(flags & 2), truncated: Boolean(flags & 4),
    })),
  };
}

async function rowsOf(ids) {
  const pieces = [...new Set(ids.map((id) => Math.floor(id / index.piece)))];
  const loaded = new Map();
  await Promise.all(pieces.map(async (piece) => {
    loaded.set(piece, await Promise.all(LIST.map((name) => column(name, piece))));
  }));
  return ids.map((id) => {
    const columns = loaded.get(Math.floor(id / index.piece));
    const row = { id };
    LIST.forEach((name, number) => {
      const value = columns[number][id % index.piece];
      row[name] = values[name] ? values[name][value] : value;
    });
    return row;
  });
}

// The state is in the address, so that every view can be linked to.

const state = { filters: new Map(), page: 0, episode: null, beside: null };
const whole = (text) => (/^\d{1,9}$/.test(text ?? "") ? Number(text) : null);

function readAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  state.episode = whole(fields.get("episode"));
  state.beside = state.episode === null ? null : whole(fields.get("beside"));
  state.page = whole(fields.get("page")) ?? 0;
  state.filters = new Map([...fields].filter(([name]) => name === "q" || FILTERS.some((filter) => filter.name === name)));
}

function go(changes, replace = false) {
  Object.assign(state, changes);
  const fields = new URLSearchParams([...state.filters]);
  if (state.page) fields.set("page", state.page);
  if (state.episode !== null) fields.set("episode", state.episode);
  if (state.beside !== null) fields.set("beside", state.beside);
  history[replace ? "replaceState" : "pushState"](null, "", `#${fields}`);
  render();
}

// Filters. Each has options [value, label, count] and makes a test of one column.

const sorted = (options) => options.sort(([a], [b]) => String(a).localeCompare(String(b), "en", { numeric: true }));
const words = (text) => text.replaceAll("_", " ");
const FILTERS = [
  ...CODED.map((name) => ({
    name,
    label: NAMES[name],
    options: () => sorted(values[name].map((value, code) => [value, value ? words(value) : "none", index.counts[name][code]])),
    test: (value) => { const code = values[name].indexOf(value); return [name, (each) => each === code]; },
  })),
  { name: "result", label: "Result", options: () => [["won", "won"], ["lost", "lost"]], test: (value) => ["success", (each) => each === Number(value === "won")] },
  {
    name: "mode",
    label: "Failure mode",
    options() {
      const counts = new Map();
      values.failures.forEach((text, code) => text.split(" ").filter(Boolean).forEach((mode) => {
        counts.set(mode, (counts.get(mode) ?? 0) + index.counts.failures[code]);
      }));
      return sorted([...counts].map(([mode, count]) => [mode, words(mode), count]));
    },
    test(value) {
      const codes = new Set(values.failures.flatMap((text, code) => (text.split(" ").includes(value) ? [code] : [])));
      return ["failures", (each) => codes.has(each)];
    },
  },
  { name: "invalid", label: "Invalid turns", options: () => [["some", "some"], ["none", "none"]], test: (value) => ["invalid", (each) => each > 0 === (value === "some")] },
];

function showFilters() {
  const labels = FILTERS.flatMap(({ name, label, options }) => {
    const chosen = state.filters.get(name) ?? null;
    const list = options();
    if (list.length < 2 && chosen === null) return [];
    const select = make("select", chosen === null ? "" : "on");
    select.id = `filter-${name}`;
    select.append(new Option("all", "all"));
    for (const [value, text, count] of list.slice(0, MAX_OPTIONS)) {
      const number = count === undefined ? "" : ` (${count.toLocaleString("en")})`;
      select.append(new Option(printable(text) + number, `=${value}`));
    }
    if (list.length > MAX_OPTIONS) select.append(Object.assign(new Option(`${list.length - MAX_OPTIONS} more`), { disabled: true }));
    if (chosen !== null && ![...select.options].some(({ value }) => value === `=${chosen}`)) select.append(new Option(printable(chosen), `=${chosen}`));
    select.value = chosen === null ? "all" : `=${chosen}`;
    select.addEventListener("change", () => setFilter(name, select.value === "all" ? null : select.value.slice(1)));
    const element = make("label", "", label);
    element.append(select);
    return [element];
  });
  const focused = document.activeElement?.id;
  by("selects").replaceChildren(...labels);
  if (focused?.startsWith("filter-")) by(focused)?.focus();
  by("clear").hidden = !state.filters.size;
  if (document.activeElement !== by("q")) by("q").value = state.filters.get("q") ?? "";
}

function setFilter(name, value) {
  const filters = new Map(state.filters);
  if (value === null) filters.delete(name);
  else filters.set(name, value);
  go({ filters, page: 0 });
}

// Scanning: the episodes that pass all filters, in their order. `ids` is null while all of them do.

let scan = { key: "", ids: null, done: 0, busy: false, stopped: false };

function startScan() {
  const key = JSON.stringify([...state.filters].sort());
  if (key !== scan.key || !scan.started) scan = { key, ids: state.filters.size ? [] : null, done: 0, busy: false, stopped: false, started: true };
  if (scan.ids !== null && !scan.busy && !scan.stopped && scan.done < index.episodes) runScan(scan);
}

async function runScan(own) {
  own.busy = true;
  const tests = FILTERS.filter(({ name }) => state.filters.has(name)).map((filter) => filter.test(state.filters.get(filter.name)));
  const text = (state.filters.get("q") ?? "").toLowerCase();
  if (text) tests.push(["task", null]);
  let shownAt = 0;
  try {
    while (own.done < index.episodes && own === scan && !own.stopped) {
      const piece = Math.floor(own.done / index.piece);
      const first = piece * index.piece;
      const end = Math.min(first + index.piece, index.episodes);
      const columns = await Promise.all(tests.map(([name]) => column(name, piece)));
      for (let id = own.done; id < end && own === scan && !own.stopped; id++) {
        const passes = tests.every(([, test], number) => !test || test(columns[number][id - first]));
        if (passes && (!text || columns.at(-1)[id - first].toLowerCase().includes(text) || (await hasText(id, text)))) own.ids.push(id);
        own.done = id + 1;
        if (text && id % 64 === 0 && performance.now() - shownAt > 200) {
          shownAt = performance.now();
          if (own === scan) await showList();
        }
      }
      if (own === scan) await showList();
    }
  } catch (error) {
    own.stopped = true;
    complain(error);
  }
  own.busy = false;
  if (own === scan) showList();
}

async function hasText(id, text) {
  const number = chunkOf(id);
  const [, , last, error, turns] = (await chunk(number))[id - index.chunks[number]];
  const has = (each) => each.toLowerCase().includes(text);
  return has(last) || has(error) || turns.some(([observation, completion, action]) => has(observation) || has(completion) || has(action));
}

const total = () => (scan.ids === null ? index.episodes : scan.ids.length);
const idAt = (place) => (scan.ids === null ? place : scan.ids[place]);

// The list.

let cursor = 0;
let drawn = "";

async function showList() {
  if (state.episode !== null) return;
  const pages = Math.max(1, Math.ceil(total() / PAGE_ROWS));
  const start = state.page * PAGE_ROWS;
  const ids = [];
  for (let place = start; place < Math.min(start + PAGE_ROWS, total()); place++) ids.push(idAt(place));
  const number = (value) => value.toLocaleString("en");
  const parts = [scan.ids === null ? `${number(index.episodes)} episodes` : `${number(total())} of ${number(index.episodes)} episodes`];
  if (scan.ids !== null && scan.done < index.episodes) parts.push(scan.stopped ? `stopped after ${number(scan.done)}` : `${Math.floor((100 * scan.done) / index.episodes)} % searched`);
  if (!index.complete) parts.push("still reading");
  by("count").textContent = parts.join(", ");
  by("place").textContent = ids.length ? `${number(start + 1)} to ${number(start + ids.length)}` : "";
  by("back").disabled = state.page === 0;
  by("forward").disabled = state.page + 1 >= pages;
  const key = ids.join();
  if (key === drawn) return;
  const rows = await rowsOf(ids);
  if (state.episode !== null || state.page * PAGE_ROWS !== start) return;
  drawn = key;
  by("rows").replaceChildren(...rows.map(listRow));
  mark(Math.min(cursor, rows.length - 1), false);
}

const WHO = ["run", "arm", "seed", "step"];
const several = (names) => names.filter((name) => values[name].length > 1);
const who = (row, names = several(WHO)) => {
  const parts = names.map((name) => ((name === "seed" || name === "step") && row[name] ? `${name} ${row[name]}` : row[name]));
  return [...new Set(parts)].filter(Boolean).join(" · ");
};
const endOf = (row) => [row.success ? "" : words(row.end), ...row.failures.split(" ").map(words)].filter(Boolean).join(", ");

function listRow(row) {
  const item = make("li");
  item.dataset.id = row.id;
  const sample = row.sample ? ` #${row.sample}` : "";
  const invalid = row.invalid ? `, ${row.invalid} invalid` : "";
  item.append(
    make("span", row.success ? "result won" : "result lost", row.success ? "won" : "lost"),
    make("span", "task", row.task + sample),
    make("span", "where", row.interface),
    make("span", "who soft", who(row)),
    make("span", "turns", `${row.turns} turns${invalid}`),
    make("span", "score soft", row.score > 0 && row.score < 1 ? `score ${row.score.toFixed(2)}` : ""),
    make("span", "end soft", endOf(row)),
  );
  item.addEventListener("click", () => {
    if (getSelection().isCollapsed) go({ episode: row.id });
  });
  return item;
}

function mark(place, scroll = true) {
  const items = [...by("rows").children];
  cursor = Math.max(0, Math.min(place, items.length - 1));
  items.forEach((item, number) => item.toggleAttribute("aria-current", number === cursor));
  if (scroll) items[cursor]?.scrollIntoView({ block: "nearest" });
}

function turnPage(step) {
  const page = state.page + step;
  if (page < 0 || page * PAGE_ROWS >= total()) return false;
  cursor = step > 0 ? 0 : PAGE_ROWS - 1;
  go({ page }, true);
  return true;
}

function move(step) {
  if (state.episode === null) {
    const next = cursor + step;
    if ((next >= 0 && next < by("rows").children.length) || !turnPage(step)) mark(next);
    return;
  }
  const place = placeOf(state.episode) + step;
  if (place < 0 || place >= total()) return;
  cursor = place % PAGE_ROWS;
  go({ episode: idAt(place), beside: null, page: Math.floor(place / PAGE_ROWS) }, true);
}

function placeOf(id) {
  if (scan.ids === null) return id;
  let low = 0;
  let high = scan.ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scan.ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

// One episode, or two of one task side by side.

let shades = true;
let shown = [];

async function showEpisode() {
  const ids = [state.episode, state.beside].filter((id) => id !== null);
  const key = ids.join();
  if (ids.some((id) => id >= index.episodes)) throw new Error(`There is no episode ${Math.max(...ids)}: there are ${index.episodes}`);
  const [rows, bodies] = await Promise.all([rowsOf(ids), Promise.all(ids.map(bodyOf))]);
  if (key !== [state.episode, state.beside].filter((id) => id !== null).join()) return;
  shown = ids.map((id, number) => ({ id, row: rows[number], ...bodies[number], lists: null }));
  const hasShades = shown.some(({ turns }) => turns.some(({ logprobs }) => logprobs.length));
  by("episode").classList.toggle("two", shown.length > 1);
  by("alone").hidden = shown.length < 2;
  by("shades").hidden = !hasShades;
  by("shades").setAttribute("aria-pressed", String(shades));
  by("legend").hidden = !hasShades || !shades;
  by("others").hidden = true;
  const place = placeOf(state.episode);
  by("previous").disabled = place === 0;
  by("next").disabled = place + 1 >= total();
  by("heads").replaceChildren(...shown.map(headOf));
  const different = shown.length > 1 ? firstDifference(shown[0].turns, shown[1].turns) : -1;
  const length = Math.max(...shown.map(({ turns }) => turns.length));
  const items = [];
  for (let number = 0; number <= length; number++) {
    const cells = shown.map((episode) => (number < episode.turns.length ? turnOf(episode, number, number === different) : number === episode.turns.length ? endCell(episode) : make("div", "turn")));
    if (cells.some((cell) => cell.childElementCount)) {
      const item = make("li");
      item.append(...cells);
      items.push(item);
    }
  }
  by("turns").replaceChildren(...items);
}

function firstDifference(one, other) {
  const length = Math.min(one.length, other.length);
  for (let number = 0; number < length; number++) if (one[number].action !== other[number].action) return number;
  return one.length === other.length ? -1 : length;
}

function headOf({ row, env, reward, turns }) {
  const head = make("div", "head");
  const tokens = turns.reduce((sum, turn) => sum + turn.tokens.length, 0);
  const facts = [
    ["Interface", row.interface, "interface"],
    ["Result", row.success ? "won" : "lost", row.success ? "won" : "lost"],
    ["Score", row.score.toFixed(3)],
    ["Reward", String(reward)],
    ["Turns", `${row.turns}${row.invalid ? `, ${row.invalid} invalid` : ""}`],
    ["End", row.success ? "" : words(row.end)],
    ["Failure modes", row.failures.split(" ").map(words).join(", ")],
    ["Environment", env],
    ["Model", row.arm],
    ["Seed", several(["seed"]).length ? row.seed : ""],
    ["Step", row.step],
    ["Sample", row.sample || ""],
    ["Tokens", tokens || ""],
    ["Path", several(["run"]).length && row.run !== row.arm ? row.run : ""],
  ];
  const list = make("dl");
  for (const [name, value, className] of facts) {
    if (value === "") continue;
    const pair = make("div");
    pair.append(make("dt", "", name), make("dd", className, value));
    list.append(pair);
  }
  head.append(make("h2", "", row.task), list);
  return head;
}

function turnOf(episode, number, differs) {
  const turn = episode.turns[number];
  const element = make("div", turn.valid ? "turn" : "turn invalid");
  const title = make("h3", "", `turn ${number + 1}`);
  if (shown.length > 1) title.append(make("span", "", who(episode.row) || episode.row.interface));
  if (turn.reward) title.append(make("span", "", `reward ${turn.reward}`));
  if (!turn.valid) title.append(make("b", "", "not carried out"));
  if (turn.lenient) title.append(make("span", "", "read leniently"));
  if (turn.truncated) title.append(make("b", "", "cut at the token limit"));
  if (differs) title.append(make("i", "", "first difference"));
  element.append(title, make("pre", "observation", turn.observation), ...answerOf(turn));
  if (index.admissible) element.append(toolsOf(episode, number));
  return element;
}

// The thought is what stands before the action, where the answer has the action in it.
function answerOf({ completion, action, tokens, logprobs }) {
  const parts = [];
  if (shades && logprobs.length) {
    const pre = make("pre", "tokens");
    tokens.forEach((text, number) => {
      const logprob = logprobs[number];
      const span = make("span", logprob === null ? "none" : `p${Math.min(8, Math.round(-2 * logprob))}`, text);
      span.title = logprob === null ? "no log-probability" : `log-probability ${logprob}, probability ${(100 * Math.exp(logprob)).toFixed(1)} %`;
      pre.append(span);
    });
    parts.push(pre);
  } else {
    const at = action ? completion.lastIndexOf(action) : -1;
    const thought = at < 0 ? completion : completion.slice(0, at).replace(/\s*Action:\s*$/i, "").replace(/^\s*Thought:\s*/i, "").trim();
    const rest = at < 0 ? "" : completion.slice(at + action.length).trim();
    if (thought) parts.push(make("pre", "thought", thought));
    if (rest) parts.push(make("pre", "thought", `… ${rest}`));
  }
  parts.push(make("pre", "action", action || "(no action)"));
  return parts;
}

function endCell({ last, error }) {
  const cell = make("div", "turn");
  if (last || error) cell.append(make("h3", "", "the end"));
  if (last) cell.append(make("pre", "observation", last));
  if (error) cell.append(make("pre", "error", error));
  return cell;
}

function toolsOf(episode, number) {
  const tools = make("div", "tools");
  const button = make("button", "reveal", "What could be done?");
  button.type = "button";
  button.addEventListener("click", () => reveal(episode, number, tools));
  tools.append(button);
  return tools;
}

async function reveal(episode, number, tools, opens = tools.childElementCount < 2) {
  while (tools.childElementCount > 1) tools.lastChild.remove();
  if (!opens) return;
  try {
    const actions = (await actionsOf(episode.id))[number] ?? [];
    const list = make("ul");
    list.append(...actions.map((text) => make("li", text === episode.turns[number].action ? "taken" : "", text)));
    while (tools.childElementCount > 1) tools.lastChild.remove();
    tools.append(actions.length ? list : make("p", "soft", "Nothing is listed."));
  } catch (error) {
    tools.append(make("p", "lost", error.message));
  }
}

function revealAll() {
  const opens = !document.querySelector(".tools ul, .tools p");
  for (const tools of document.querySelectorAll(".tools")) {
    if (opens !== tools.childElementCount > 1) tools.firstChild.click();
  }
}

async function showOthers() {
  const box = by("others");
  box.hidden = !box.hidden;
  if (box.hidden) return;
  const { task, environment } = shown[0].row;
  box.replaceChildren(make("p", "", "Looking for episodes of the same task …"));
  const ids = [];
  for (let piece = 0; piece * index.piece < index.episodes; piece++) {
    const tasks = await column("task", piece);
    tasks.forEach((name, place) => { if (name === task) ids.push(piece * index.piece + place); });
  }
  const rows = (await rowsOf(ids.slice(0, 400))).filter((row) => row.id !== state.episode && row.environment === environment);
  // First another player through the same interface, then the same one through another.
  const differs = (row, names) => names.some((name) => row[name] !== shown[0].row[name]);
  const rank = (row) => [2, 0, 1, 3][Number(differs(row, WHO)) + 2 * Number(differs(row, ["interface"]))];
  const names = [...several(WHO), "interface"];
  const buttons = rows.sort((a, b) => rank(a) - rank(b) || a.id - b.id).map((row) => {
    const button = make("button");
    button.type = "button";
    button.append(make("span", row.success ? "won" : "lost", row.success ? "won" : "lost"), make("span", "", ` ${who(row, names)}${row.sample ? ` #${row.sample}` : ""} · ${row.turns} turns`));
    button.addEventListener("click", () => go({ beside: row.id }));
    return button;
  });
  box.replaceChildren(...(buttons.length ? buttons : [make("p", "", "No other episode here is of this task.")]));
  buttons[0]?.focus();
}

// Drawing and keys.

function complain(error) {
  by("alert").textContent = printable(error.message);
  by("alert").hidden = false;
}

function showMessages() {
  by("alert").hidden = !index.failure;
  if (index.failure) by("alert").textContent = printable(`Reading has stopped: ${index.failure}`);
  by("notes").replaceChildren(...index.notes.map((note) => make("li", "", note)));
  by("notes").hidden = !index.notes.length;
}

function render() {
  showMessages();
  const isList = state.episode === null;
  const changes = by("list").hidden === isList;
  by("list").hidden = !isList;
  by("episode").hidden = isList;
  showFilters();
  startScan();
  (isList ? showList() : showEpisode()).then(() => {
    if (changes && isList) mark(cursor);
    else if (!isList) scrollTo(0, 0);
  }).catch(complain);
}

function close() {
  if (!by("others").hidden) by("others").hidden = true;
  else if (state.beside !== null) go({ beside: null });
  else if (state.episode !== null) go({ episode: null, beside: null });
  else if (scan.busy) scan.stopped = true;
}

function search() {
  if (state.episode !== null) go({ episode: null, beside: null });
  by("q").focus();
  by("q").select();
}

function toggleShades() {
  shades = !shades;
  if (state.episode !== null) showEpisode().catch(complain);
}

const inEpisode = (work) => () => { if (state.episode !== null) work(); };
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  n: () => { if (state.episode === null) turnPage(1); },
  p: () => { if (state.episode === null) turnPage(-1); },
  c: inEpisode(() => showOthers().catch(complain)),
  a: inEpisode(revealAll),
  t: inEpisode(toggleShades),
  "/": search,
  "?": () => by("help").showModal(),
  Escape: close,
  Enter() {
    const id = by("rows").children[cursor]?.dataset.id;
    if (state.episode === null && id !== undefined) go({ episode: Number(id) });
  },
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || by("help").open || !index) return;
  const writes = event.target.closest("input, select");
  if (writes && event.key === "Escape") {
    scan.stopped ||= scan.busy;
    event.target.blur();
  }
  if (writes || (event.key === "Enter" && event.target.closest("button"))) return;
  const work = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!work) return;
  event.preventDefault();
  work();
});

for (const [id, work] of [
  ["help-button", KEYS["?"]], ["close", () => go({ episode: null, beside: null })], ["previous", KEYS.k], ["next", KEYS.j], ["same", KEYS.c],
  ["alone", () => go({ beside: null })], ["shades", toggleShades], ["back", KEYS.p], ["forward", KEYS.n],
]) by(id).addEventListener("click", work);

by("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  setFilter("q", by("q").value.trim() || null);
  by("q").blur();
});
by("filters").addEventListener("reset", () => {
  by("q").blur();
  go({ filters: new Map(), page: 0 });
});
by("q").addEventListener("search", () => { if (!by("q").value && state.filters.has("q")) setFilter("q", null); });
by("more").open = innerWidth > 760;
addEventListener("popstate", () => { readAddress(); render(); });

async function refresh() {
  const fresh = await load("index", 0);
  if (fresh.format !== FORMAT) throw new Error(`The data are of format ${fresh.format}, and this page reads ${FORMAT}; export again`);
  index = { ...fresh, counts: Object.fromEntries(fresh.counts) };
  Object.assign(values, Object.fromEntries(fresh.values));
  if (!index.complete) setTimeout(() => refresh().then(update, complain), 1000);
}

// More episodes were read: an open episode stays as it is, and so does a menu that is open.
function update() {
  showMessages();
  if (state.episode !== null) return;
  if (!document.activeElement?.id.startsWith("filter-")) showFilters();
  startScan();
  showList().catch(complain);
}

refresh().then(() => { readAddress(); render(); }, complain);
