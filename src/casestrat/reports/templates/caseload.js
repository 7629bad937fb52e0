// The page as a whole: its head, its tools, its keys, and what goes in and out as files.

function say(text, isAlarm = false) {
  const message = byId("message");
  message.textContent = text;
  message.classList.toggle("alarm", isAlarm);
}

function renderHead() {
  document.title = [w("title"), label(data.labels.program), day(data.as_of)].join(" · ");
  byId("title").textContent = [w("title"), label(data.labels.program)].join(" · ");
  byId("facts").replaceChildren(h("b", {}, w("as_of", { date: day(data.as_of, "long") })),
    h("span", {}, `${label(data.labels.program)} ${data.program.version}`), ...goers("leaver", "who_leaves"), ...goers("absence", "who_is_away"),
    data.links.committee ? h("a", { href: data.links.committee }, w("committee")) : "");
  byId("marks").replaceChildren(h("span", { class: "proposes" }, w("proposes")), ...fingerprintMarks(data.fingerprints));
  const onMoves = decidable.length ? [
    ...fileButton("names", "load_names", ".csv,text/csv", readNames), ...fileButton("decisions", "open_decisions", ".json,application/json", readDecisions),
  ] : fileButton("names", "load_names", ".csv,text/csv", readNames);
  byId("head-tools").replaceChildren(languageButtons(renderAll), ...onMoves,
    h("button", { type: "button", onclick: () => window.print() }, w("print")),
    decidable.length ? h("button", { type: "button", class: "main", id: "export", onclick: exportDecisions }, w("export")) : "");
}

// Who leaves or is away, on the page of a re-allocation.
function goers(reason, key) {
  const ids = [...new Set(items.filter((item) => item.reason === reason && item.from_cm).map((item) => item.from_cm))].sort();
  return ids.length ? [h("b", {}, w(key, { cm: ids.join(", ") }))] : [];
}

function renderTools() {
  const open = unexported();
  byId("filters").replaceChildren(...[teamChoice()].filter(Boolean));
  byId("progress").replaceChildren(...(decidable.length ? [
    h("span", { class: "progress", id: "decided" }, w("progress", { n: number(state.decisions.size), total: number(decidable.length) })),
    open ? h("span", { class: "quiet" }, w("unexported", { n: number(open) })) : "",
    h("button", { type: "button", id: "undo", disabled: state.history.length === 0, onclick: undoLast }, w("undo")),
    h("button", { type: "button", id: "help", onclick: showKeys }, `${w("keys")} ?`),
  ] : []));
}

function renderAll() {
  renderHead();
  renderTools();
  byId("main").replaceChildren(...[
    tallies(), levelSection(), loadSection(), moveSection(), coverSection(), unassignedSection(), frontierSection(), handoverSection(), tierSection(),
    ...(data.is_reallocation ? [] : [flowSection(), contactSection(), indicatorSection()]),
  ].filter(Boolean));
}

function showKeys() {
  const keys = [["↑ ↓", "key_move"], [w("key_enter"), "key_open"], ["A C H", "key_decide"], ["U", "key_undo"], [w("key_escape"), "key_close"], ["?", "key_help"]];
  const dialog = byId("keys");
  dialog.setAttribute("aria-label", w("keys_title"));
  dialog.replaceChildren(h("h2", {}, w("keys_title")),
    h("dl", {}, keys.map(([key, words]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, w(words))])),
    h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, w("close")));
  dialog.showModal();
}

function readNames(text) {
  const names = namesIn(text);
  if (!names) {
    say(w("names_wrong"), true);
    return;
  }
  state.names = names;
  renderAll();
  const ids = new Set([...items, ...unassigned, ...handover].map((row) => row.person_id));
  say(w("names_loaded", { n: number([...ids].filter((id) => names.has(id)).length), total: number(ids.size) }));
}

function readDecisions(text) {
  const decisions = decisionsIn(text);
  if (!decisions) {
    say(w("decisions_wrong"), true);
    return;
  }
  for (const decision of decisions) {
    state.history.push({ id: decision.case_id, before: state.decisions.get(decision.case_id) });
    setDecision(decision.case_id, decision);
    state.exported.set(decision.case_id, asText(decision.case_id));
  }
  keepDraft();
  renderAll();
  say(w("decisions_opened", { n: number(decisions.length) }));
}

// A name loaded after a note was written may stand in it: nothing leaves the page before it is reworded.
function exportDecisions() {
  const content = decisionFile();
  if (!content.decisions.length) {
    say(w("nothing_to_export"), true);
    return;
  }
  const named = content.decisions.find((one) => holdsName(one.note));
  if (named) {
    openMove(named.case_id);
    say(`${nameOf(itemOf.get(named.case_id))}: ${w("need_no_names")}`, true);
    return;
  }
  const file = `assignments-${data.as_of}-${data.plan_fingerprint.slice(0, 8)}.json`;
  offerFile(file, content);
  state.exported = new Map([...state.decisions.keys()].map((id) => [id, asText(id)]));
  keepDraft();
  renderTools();
  say(w("exported", { n: number(content.decisions.length), file }));
}

const isTyping = (target) => target.matches?.('select, textarea, input:not([type="radio"])') ?? false;

const KEYS = {
  ArrowUp: () => moveCursor(-1),
  ArrowDown: () => moveCursor(1),
  a: () => choose("accept"),
  c: () => choose("change"),
  h: () => choose("hold"),
  u: undoLast,
  "?": showKeys,
};

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  if (event.key === "Escape") {
    if (state.open) closeMove();
    return;
  }
  const isRadioArrow = event.target.matches?.('input[type="radio"]') && event.key.startsWith("Arrow");
  const isScroll = event.key.startsWith("Arrow") && !event.target.closest?.("#proposals");
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (isTyping(event.target) || isRadioArrow || isScroll || !act || !decidable.length) return;
  event.preventDefault();
  act();
}

document.addEventListener("keydown", pressKey);
window.addEventListener("beforeunload", (event) => {
  if (unexported() > 0) event.preventDefault();
});

const restored = restoreDraft();
renderAll();
if (restored) say(w("draft_restored", { n: number(restored) }));
