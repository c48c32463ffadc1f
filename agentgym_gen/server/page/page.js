// Lists the environments and plays one over HTTP, or one task through two interfaces at once: an
// action in one of them is taken in the other in its own words. Texts of the server are never read
// as HTML.
"use strict";

const by = (id) => document.getElementById(id);
const INCLUDE = ["valid_action", "admissible_actions", "turn", "task_id", "interface", "success", "score", "end_reason"];
let environments = [];
let panes = []; // what is played: a session, its part of the page, and its admissible actions
let free = []; // sessions of earlier episodes

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (by("token").value) headers.Authorization = `Bearer ${by("token").value}`;
  const options = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer; is it still running?");
  }
  const data = await response.json();
  if (response.status === 401) by("token-field").hidden = false;
  if (!response.ok) throw Object.assign(new Error(data.error.message), { code: data.error.code });
  return data;
}

async function attempt(work) {
  by("error").hidden = true;
  try {
    await work();
  } catch (error) {
    by("error").textContent = error.message;
    by("error").hidden = false;
  }
}

// A mistake in the choice leaves the episode of the session as it is.
async function reset(fields, session) {
  if (!session) return ask("/reset", fields);
  try {
    return await ask("/reset", { ...fields, session_id: session });
  } catch (error) {
    if (error.code !== "SESSION_ERROR") throw error;
    return ask("/reset", fields);
  }
}

function fill(id, values, empty = "all tiers") {
  by(id).replaceChildren(...values.map((value) => new Option(value || empty, value)));
}

function make(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}

function show(pane, text, kind, note) {
  const item = document.createElement("li");
  item.className = kind;
  if (note) item.append(make("small", note));
  item.append(make("pre", text));
  pane.log.append(item);
  item.scrollIntoView({ block: "nearest" });
}

function choose() {
  const chosen = environments.find((each) => each.name === by("name").value);
  fill("tier", chosen.tiers);
  fill("interface", chosen.interfaces);
  fill("beside", ["", ...chosen.interfaces], "no second one");
  fill("split", chosen.splits);
}

async function list() {
  environments = (await ask("/environments")).environments;
  fill("name", environments.map((each) => each.name));
  choose();
}

function observe(pane, data, kind) {
  const observation = data.observation;
  const note = observation.valid_action === false ? "not carried out" : "";
  show(pane, observation.text, note ? "invalid" : kind, note);
  pane.admissible = observation.admissible_actions;
  pane.actions.hidden = true;
  pane.turn.hidden = data.done;
  if (data.done) {
    const { success, score, turn, end_reason: reason } = observation;
    const sentence = success ? "The goal is reached." : `The end: ${reason}.`;
    show(pane, `${sentence} Score ${score.toFixed(2)} after ${turn} turns.`, success ? "end" : "lost");
  }
}

function makePane(data) {
  const element = by("pane").content.cloneNode(true).firstElementChild;
  const part = (name) => element.querySelector(name);
  const pane = { session: data.session_id, element, log: part(".log"), turn: part(".turn"), input: part("input"), actions: part(".actions") };
  part("h2").textContent = data.observation.interface;
  pane.turn.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => act(pane, pane.input.value));
  });
  part(".reveal").addEventListener("click", () => reveal(pane));
  return pane;
}

// The action in the words of the other interface; where it has none, its text as it is.
async function act(pane, text) {
  const action = { text };
  const others = panes.filter((other) => other !== pane && !other.turn.hidden);
  const texts = await Promise.all(others.map((other) => ask("/translate", { session_id: pane.session, to: other.session, action })));
  const note = (words) => (words === null ? "as it was written" : "the same action");
  const turns = [[pane, text, ""], ...others.map((other, number) => [other, texts[number].text ?? text, note(texts[number].text)])];
  for (const [each, words, origin] of turns) {
    const data = await ask("/step", { session_id: each.session, action: { text: words } });
    each.input.value = "";
    show(each, words, "action", origin);
    observe(each, data, "observation");
  }
  if (!pane.turn.hidden) pane.input.focus();
}

function reveal(pane) {
  const buttons = pane.admissible.map((text) => {
    const button = Object.assign(make("button", text), { type: "button" });
    button.addEventListener("click", () => {
      pane.input.value = text;
      pane.input.focus();
    });
    return button;
  });
  pane.actions.replaceChildren(...buttons);
  pane.actions.hidden = false;
}

by("name").addEventListener("change", choose);

by("choice").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    if (!environments.length) await list();
    const chosen = environments.find((each) => each.name === by("name").value);
    const tier = by("tier").value;
    const fields = { split: by("split").value, include: INCLUDE };
    const stem = `rftgen/${chosen.name}${tier ? `-${tier}` : ""}-`;
    const [plain] = chosen.ids.filter((id) => id.startsWith(`${stem}v`));
    fields.env_id = plain ?? chosen.ids.find((id) => id.startsWith(stem));
    if (by("task").value.trim()) {
      fields.task_id = by("task").value.trim();
      delete fields.split;
    }
    await start(fields, [by("interface").value, by("beside").value].filter(Boolean));
  });
});

async function start(fields, interfaces) {
  const sessions = [...panes.map((pane) => pane.session), ...free];
  const answers = [];
  try {
    for (const name of interfaces) {
      const data = await reset({ ...fields, interface: name }, sessions[answers.length]);
      answers.push(data);
      fields.task_id = data.observation.task_id; // the second one is of the same task
      delete fields.split;
    }
  } finally {
    // Where the second cannot be had, the episode before has ended as well.
    if (answers.length) {
      free = sessions.slice(answers.length);
      panes = answers.map(makePane);
      by("panes").replaceChildren();
    }
  }
  by("panes").classList.toggle("two", panes.length > 1);
  by("panes").replaceChildren(...panes.map((pane) => pane.element));
  by("task-line").textContent = fields.task_id;
  by("task-line").hidden = false;
  panes.forEach((pane, number) => observe(pane, answers[number], "first"));
  panes[0].input.focus({ preventScroll: true });
}

addEventListener("pagehide", () => {
  if (by("token").value) return; // a beacon cannot carry the token
  for (const session of [...panes.map((pane) => pane.session), ...free]) {
    navigator.sendBeacon("/close", JSON.stringify({ session_id: session }));
  }
});

attempt(async () => {
  const health = await ask("/health");
  by("health").textContent = `${health.sessions} of ${health.max_sessions} sessions in use`;
  await list();
});
