// Lists the environments and plays one over HTTP. Texts of the server are never read as HTML.
"use strict";

const by = (id) => document.getElementById(id);
const INCLUDE = ["valid_action", "admissible_actions", "turn", "task_id", "interface", "success", "score", "end_reason"];
let environments = [];
let session = null;
let actions = [];

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
async function reset(fields) {
  if (session === null) return ask("/reset", fields);
  try {
    return await ask("/reset", { ...fields, session_id: session });
  } catch (error) {
    if (error.code !== "SESSION_ERROR") throw error;
    return ask("/reset", fields);
  }
}

function fill(id, values) {
  by(id).replaceChildren(...values.map((value) => new Option(value || "all tiers", value)));
}

function show(text, kind, note) {
  const item = document.createElement("li");
  item.className = kind;
  if (note) item.append(Object.assign(document.createElement("small"), { textContent: note }));
  item.append(Object.assign(document.createElement("pre"), { textContent: text }));
  by("log").append(item);
  item.scrollIntoView({ block: "end" });
}

function choose() {
  const chosen = environments.find((each) => each.name === by("name").value);
  fill("tier", chosen.tiers);
  fill("interface", chosen.interfaces);
  fill("split", chosen.splits);
}

async function list() {
  environments = (await ask("/environments")).environments;
  fill("name", environments.map((each) => each.name));
  choose();
}

function observe(data, kind) {
  const observation = data.observation;
  const note = observation.valid_action === false ? "not carried out" : "";
  show(observation.text, note ? "invalid" : kind, note);
  actions = observation.admissible_actions;
  by("actions").hidden = true;
  by("turn").hidden = data.done;
  if (data.done) {
    const { success, score, turn, end_reason: reason } = observation;
    const sentence = success ? "The goal is reached." : `The end: ${reason}.`;
    show(`${sentence} Score ${score.toFixed(2)} after ${turn} turns.`, success ? "end" : "lost");
  } else {
    by("action").focus();
  }
}

by("name").addEventListener("change", choose);

by("choice").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    if (!environments.length) await list();
    const chosen = environments.find((each) => each.name === by("name").value);
    const tier = by("tier").value;
    const fields = { interface: by("interface").value, split: by("split").value, include: INCLUDE };
    const stem = `rftgen/${chosen.name}${tier ? `-${tier}` : ""}-`;
    const [plain] = chosen.ids.filter((id) => id.startsWith(`${stem}v`));
    fields.env_id = plain ?? chosen.ids.find((id) => id.startsWith(stem));
    if (by("task").value.trim()) {
      fields.task_id = by("task").value.trim();
      delete fields.split;
    }
    const data = await reset(fields);
    session = data.session_id;
    by("log").replaceChildren();
    by("task-line").textContent = `${data.observation.task_id}, interface ${data.observation.interface}`;
    by("task-line").hidden = false;
    observe(data, "first");
  });
});

by("turn").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = by("action").value;
  attempt(async () => {
    const data = await ask("/step", { session_id: session, action: { text } });
    by("action").value = "";
    show(text, "action");
    observe(data, "observation");
  });
});

by("reveal").addEventListener("click", () => {
  const buttons = actions.map((text) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.addEventListener("click", () => {
      by("action").value = text;
      by("action").focus();
    });
    return button;
  });
  by("actions").replaceChildren(...buttons);
  by("actions").hidden = false;
});

addEventListener("pagehide", () => {
  if (session === null || by("token").value) return; // a beacon cannot carry the token
  navigator.sendBeacon("/close", JSON.stringify({ session_id: session }));
});

attempt(async () => {
  const health = await ask("/health");
  by("health").textContent = `${health.sessions} of ${health.max_sessions} sessions in use`;
  await list();
});
