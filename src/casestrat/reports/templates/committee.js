// The page as a whole: its head, its tools, its keys, and what goes in and out as files.

function say(text, isAlarm = false) {
  const message = byId("message");
  message.textContent = text;
  message.classList.toggle("alarm", isAlarm);
}

function openPerson(ref) {
  state.cursor = ref;
  state.open = ref;
  state.opened.add(ref);
  state.editing = false;
  state.complaints = [];
  renderList();
  renderPanel();
  const entry = entryOf.get(ref);
  say(entry.group === "ranked" ? `${nameOf(entry)}: ${w("rank_of", { n: number(entry.rank), total: number(data.n_ranked) })}` : nameOf(entry));
  if (getComputedStyle(byId("list")).display === "none") document.querySelector("#person .person-name").focus();
  else focusRow(ref);
}

function closePerson() {
  const ref = state.open;
  state.open = null;
  state.editing = false;
  renderList();
  renderPanel();
  if (ref) focusRow(ref);
}

const focusRow = (ref) => {
  const row = rowOf(ref);
  if (row) putCursor(row);
};

function renderHead() {
  document.title = [w("title"), meeting.territory, meeting.held_on ? day(meeting.held_on) : ""].filter(Boolean).join(" · ");
  byId("title").textContent = [w("title"), meeting.territory, meeting.held_on ? day(meeting.held_on, "long") : w("no_meeting")].filter(Boolean).join(" · ");
  const links = ["meetings", "caseload"].filter((name) => name in data.links).map((name) =>
    h("a", { href: data.links[name] }, w(name === "meetings" ? "all_meetings" : "caseload")));
  byId("facts").replaceChildren(
    h("b", {}, places === null ? w("no_places") : plural("n_places", places)), h("span", {}, plural("n_people", data.n_ranked)),
    unranked.length ? h("span", {}, w("to_assess_first", { n: number(unranked.length) })) : "",
    h("span", {}, w("as_of", { date: day(meeting.as_of, "long") })),
    h("span", {}, `${label(data.labels.program)} ${data.program.version}`), ...links);
  const { list_fingerprint: list, fingerprints } = meeting;
  byId("marks").replaceChildren(h("span", { class: "proposes" }, w("proposes")), ...fingerprintMarks({ ...(list ? { list } : {}), ...fingerprints }));
  byId("head-tools").replaceChildren(languageButtons(renderAll), 
    ...fileButton("names", "load_names", ".csv,text/csv", readNames), ...fileButton("decisions", "open_decisions", ".json,application/json", readDecisions),
    h("button", { type: "button", onclick: () => window.print() }, w("print")),
    h("button", { type: "button", class: "main", id: "export", onclick: exportDecisions }, w("export")));
}

function choice(name, key, pairs) {
  return h("label", {}, w(key), h("select", {
    id: `filter-${name}`, onchange: (event) => { view[name] = event.target.value; renderList(); },
  }, pairs.map(([value, words]) => h("option", { value, selected: view[name] === value }, words))));
}

function renderTools() {
  const criteria = ["meets", "fails", "ask"].map((one) => [one, `${SIGNS[one]} ${w(`criteria_${one}`)}`]);
  const tied = ranked.some(isTied) ? [["tied", `≈ ${w("tied_only")}`]] : [];
  byId("filters").replaceChildren(
    h("label", {}, w("search"), h("input", {
      type: "search", id: "search", placeholder: w("search_hint"), value: view.search, autocomplete: "off",
      oninput: (event) => { view.search = event.target.value; renderList(); },
    })),
    choice("tier", "filter_tier", [["", w("all")], ...TIERS.map((id) => [id, tierLabel(id)])]),
    choice("criteria", "filter_criteria", [["", w("all")], ...criteria, ...tied]),
    choice("decision", "filter_decision", [["", w("all_f")], ...["undecided", "decided"].map((one) => [one, w(one)]), ...OUTCOMES.map((one) => [one, w(`outcome_${one}`)])]));
}

function renderProgress() {
  const over = places !== null && admitted() > places;
  const open = unexported();
  byId("progress").replaceChildren(
    h("span", { class: "progress", id: "decided" }, w("progress", { n: number(state.decisions.size), total: number(nDecidable) })),
    open ? h("span", { class: "quiet" }, w("unexported", { n: number(open) })) : "",
    over ? h("span", { class: "alarm" }, w("admitted_over", { n: number(admitted()), places: plural("n_places", places) })) : "",
    h("button", { type: "button", id: "undo", disabled: state.history.length === 0, onclick: undoLast }, w("undo")),
    h("button", { type: "button", id: "help", onclick: showKeys }, `${w("keys")} ?`));
}

function showKeys() {
  const keys = [["↑ ↓", "key_move"], [w("key_enter"), "key_open"], ["A D R", "key_decide"], ["U", "key_undo"], ["/", "key_search"], [w("key_escape"), "key_close"], ["?", "key_help"]];
  const dialog = byId("keys");
  dialog.setAttribute("aria-label", w("keys_title"));
  dialog.replaceChildren(h("h2", {}, w("keys_title")),
    h("dl", {}, keys.map(([key, words]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, w(words))])),
    h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, w("close")));
  dialog.showModal();
}

function renderAll() {
  byId("list").setAttribute("aria-label", w("ranked_list"));
  byId("person").setAttribute("aria-label", w("person"));
  renderHead();
  renderTools();
  renderProgress();
  renderList();
  renderPanel();
}

function readNames(text) {
  const names = namesIn(text);
  if (!names) {
    say(w("names_wrong"), true);
    return;
  }
  state.names = names;
  renderAll();
  const known = entries.filter((entry) => names.has(entry.person_id)).length;
  say(w("names_loaded", { n: number(known), total: number(entries.length) }));
}

function readDecisions(text) {
  const decisions = decisionsIn(text);
  if (!decisions) {
    say(w("decisions_wrong"), true);
    return;
  }
  for (const decision of decisions) {
    state.history.push({ ref: decision.referral_id, before: state.decisions.get(decision.referral_id) });
    setDecision(decision.referral_id, decision);
    state.exported.set(decision.referral_id, asText(decision.referral_id));
  }
  keepDraft();
  renderAll();
  say(w("decisions_opened", { n: number(decisions.length) }));
}

// A name loaded after a note was written may stand in it: nothing leaves the page before it is reworded.
function exportDecisions() {
  if (state.decisions.size === 0) {
    say(w("nothing_to_export"), true);
    return;
  }
  const named = [...state.decisions.values()].find((one) => holdsName(one.note ?? "") || holdsName(one.override_reason ?? ""));
  if (named) {
    openPerson(named.referral_id);
    say(`${nameOf(entryOf.get(named.referral_id))}: ${w("need_no_names")}`, true);
    return;
  }
  const file = `decisions-${meeting.meeting_id ?? "list"}-${(meeting.list_fingerprint ?? "").slice(0, 8)}.json`;
  offerFile(file, decisionFile());
  state.exported = new Map([...state.decisions.keys()].map((ref) => [ref, asText(ref)]));
  keepDraft();
  renderProgress();
  say(w("exported", { n: number(state.decisions.size), file }));
}

const isTyping = (target) => target.matches?.('select, textarea, input:not([type="radio"])') ?? false;

const KEYS = {
  ArrowUp: () => moveCursor(-1),
  ArrowDown: () => moveCursor(1),
  a: () => chooseOutcome("admit"),
  d: () => chooseOutcome("defer"),
  r: () => chooseOutcome("refuse"),
  u: undoLast,
  "/": () => byId("search").focus(),
  "?": showKeys,
};

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  if (event.key === "Escape") {
    if (state.open) closePerson();
    return;
  }
  const isRadioArrow = event.target.matches?.('input[type="radio"]') && event.key.startsWith("Arrow");
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (isTyping(event.target) || isRadioArrow || !act) {
    if (event.key === "Enter" && event.target === document.body && state.cursor) openPerson(state.cursor);
    return;
  }
  event.preventDefault();
  act();
}

document.addEventListener("keydown", pressKey);
byId("list").addEventListener("click", (event) => {
  const row = event.target.closest("tr.entry");
  if (row) openPerson(row.dataset.ref);
});
window.addEventListener("beforeunload", (event) => {
  if (unexported() > 0) event.preventDefault();
});
window.addEventListener("beforeprint", renderPrint);
matchMedia("print").addEventListener("change", (event) => { if (event.matches) renderPrint(); });

const restored = restoreDraft();
renderAll();
if (restored) say(w("draft_restored", { n: number(restored) }));
