// The people of the list, what was decided about each, the rules a decision must keep, and the local draft.

const meeting = data.meeting;
const places = meeting.places;
const parts = data.order.parts;
const DRAFT_KEY = `casestrat-decisions/1|${meeting.meeting_id}|${meeting.list_fingerprint}`;
const OUTCOMES = ["admit", "defer", "refuse"];
const TO_FIND = "to_find";

const peopleById = new Map(records(data.people).map((row) => [row.person_id, row]));
const reasonsById = groupBy(records(data.reasons), "person_id");
const criteriaById = groupBy(records(data.criteria), "person_id");
const proposalById = new Map(records(data.allocation).map((row) => [row.person_id, row]));
const refusalById = new Map(records(data.unassigned).map((row) => [row.person_id, row]));
const tierNotesById = new Map(records(data.tiers).map((row) => [row.person_id, row]));
const services = records(data.services);
const reasonList = data.labels.decision_reasons;

const ranked = records(data.ranked).map((row) => ({ ...row, group: "ranked" }));
const added = records(data.addenda).map((row) => ({ ...row, group: "added", referral_id: row.referral_id ?? row.person_id, isUnknownReferral: !row.referral_id }));
const unranked = records(data.assess_first).map((row) => ({ ...row, group: "assess" }));
const entries = [...ranked, ...added, ...unranked];
const entryOf = new Map(entries.map((entry) => [entry.referral_id, entry]));
const hasRisk = ranked.some((entry) => entry.risk !== null && entry.risk !== undefined);
const hasRankInterval = ranked.some((entry) => entry.rank_low != null && entry.rank_high != null);
const hasRiskInterval = !hasRankInterval && ranked.some((entry) => entry.risk_low != null && entry.risk_high != null);

const state = {
  cursor: entries[0]?.referral_id ?? null, // where the arrow keys stand
  open: null, // whose panel is shown
  opened: new Set(), // whoever was seen; nobody else can be decided on
  forms: new Map(), // what is typed and not yet recorded
  decisions: new Map(),
  exported: new Map(), // what the last export said of each, as text
  history: [], // for undo: the decision that stood before each change
  names: new Map(), // in this window only: never stored, embedded or exported
  by: "",
  editing: false,
  complaints: [],
};

// A decision is about a referral of the frozen list, or one added to it, and belongs to a meeting.
const isDecidable = (entry) => meeting.meeting_id !== null && entry.group !== "assess" && !entry.isUnknownReferral;
const nDecidable = meeting.meeting_id === null ? 0 : data.n_ranked + added.filter(isDecidable).length;
const isTied = (entry) => entry.in_tied_zone === true;
const isUnknown = (entry) =>
  entry.criteria === "ask" || (criteriaById.get(entry.person_id) ?? []).some((row) => row.result === null);
const isWithin = (entry) => entry.group === "ranked" && places !== null && (entry.is_proposed ?? entry.rank <= places);
// The rank at which the places end: someone who fails a criterion keeps the rank above it and takes up no place.
const lastWithin = Math.max(0, ...ranked.filter(isWithin).map((entry) => entry.rank));
const criteriaOf = (entry) => (["meets", "fails", "ask"].includes(entry.criteria) ? entry.criteria : "ask");
const nameOf = (entry) => state.names.get(entry.person_id) ?? entry.person_id;

// Why a decision departs from the rank, or null. Without a rank or a cut nothing can depart from it.
function departure(entry, outcome) {
  if (!outcome || places === null || entry.group !== "ranked") return null;
  const values = { rank: number(entry.rank), places: number(places) };
  if (outcome === "admit" && !isWithin(entry)) return { key: criteriaOf(entry) === "fails" ? "override_fails" : "override_admit", values };
  if (outcome !== "admit" && isWithin(entry)) return { key: "override_pass", values };
  return null;
}

// The day a reason parks someone until, counted from the meeting or from today, whichever is later.
function parkedUntil(reason) {
  if (!reason?.days_parked) return null;
  const from = meeting.held_on && meeting.held_on > today() ? meeting.held_on : today();
  const until = new Date(`${from}T12:00:00`);
  until.setDate(until.getDate() + reason.days_parked);
  return dayOf(until);
}

// Every rule that a form still breaks: which field to mend, and the words that say why.
function brokenRules(entry, form) {
  const broken = [];
  const need = (field, key, values) => broken.push({ field, key, values });
  const reason = reasonList.find((one) => one.code === form.reason && one.outcome === form.outcome);
  if (!OUTCOMES.includes(form.outcome)) need("outcome", "need_outcome");
  if (!reason) need("reason", "need_reason");
  if (form.outcome === "defer") {
    if (!form.defer_until) need("defer_until", "need_defer_until");
    else if (form.defer_until <= today()) need("defer_until", "need_defer_later", { date: day(today()) });
  }
  if (form.outcome === "refuse") {
    if (!form.relay) need("relay", "need_relay");
    if (form.relay === TO_FIND && !(form.relay_due_on >= today())) need("relay_due_on", "need_relay_due");
  }
  if (departure(entry, form.outcome) && !form.override_reason.trim()) need("override_reason", "need_override");
  const note = form.note.trim();
  if (!note && reason?.needs_note) need("note", "need_note_reason");
  if (!note && isTied(entry)) need("note", "need_note_tied");
  if (!note && isUnknown(entry)) need("note", "need_note_ask");
  for (const field of ["note", "override_reason"]) if (holdsName(form[field])) need(field, "need_no_names");
  if (!form.decided_by.trim()) need("decided_by", "need_by");
  return broken;
}

function holdsName(text) {
  const words = text.toLocaleLowerCase();
  return [...state.names.values()].some((name) => name.length > 2 && words.includes(name.toLocaleLowerCase()));
}

const emptyForm = () => ({
  outcome: "", reason: "", note: "", override_reason: "", decided_by: state.by, relay: "", relay_due_on: "", defer_until: "",
});

function formOf(ref) {
  if (!state.forms.has(ref)) {
    const standing = state.decisions.get(ref);
    const kept = standing && Object.fromEntries(Object.entries(standing).map(([key, value]) => [key, value ?? ""]));
    state.forms.set(ref, { ...emptyForm(), ...kept });
  }
  return state.forms.get(ref);
}

// A form that breaks no rule → the decision as the file holds it; a field that its outcome does not have is null.
function decisionFrom(entry, form, moment) {
  const text = (value) => value.trim() || null;
  const isRelay = form.outcome === "refuse";
  return {
    referral_id: entry.referral_id,
    outcome: form.outcome,
    reason: form.reason,
    note: text(form.note),
    override_reason: departure(entry, form.outcome) ? text(form.override_reason) : null,
    decided_by: form.decided_by.trim(),
    decided_at: momentOf(moment),
    relay: isRelay ? form.relay : null,
    relay_due_on: isRelay && form.relay === TO_FIND ? form.relay_due_on : null,
    defer_until: form.outcome === "defer" ? form.defer_until : null,
  };
}

function setDecision(ref, decision) {
  if (decision) state.decisions.set(ref, decision);
  else state.decisions.delete(ref);
  state.forms.delete(ref);
  state.editing = false;
  state.complaints = [];
  return keepDraft();
}

function undo() {
  const last = state.history.pop();
  if (last) setDecision(last.ref, last.before);
  return last;
}

const asText = (ref) => (state.decisions.has(ref) ? JSON.stringify(state.decisions.get(ref)) : null);
const unexported = () =>
  [...new Set([...state.decisions.keys(), ...state.exported.keys()])].filter((ref) => asText(ref) !== (state.exported.get(ref) ?? null)).length;
const admitted = () => [...state.decisions.values()].filter((decision) => decision.outcome === "admit").length;

// Decisions in the order of the list, each key always there.
function decisionFile() {
  return {
    format: "casestrat-decisions/1",
    meeting_id: meeting.meeting_id,
    list_fingerprint: meeting.list_fingerprint,
    decisions: entries.filter((entry) => state.decisions.has(entry.referral_id)).map((entry) => state.decisions.get(entry.referral_id)),
  };
}

// The decisions of a file that belong to this list and break no rule of form; null if the file is not for this list.
function decisionsIn(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return null;
  }
  const isOurs = file?.format === "casestrat-decisions/1" && file.meeting_id === meeting.meeting_id &&
    file.list_fingerprint === meeting.list_fingerprint && Array.isArray(file.decisions);
  if (!isOurs) return null;
  const keys = Object.keys(decisionFrom(entries[0] ?? {}, emptyForm(), new Date()));
  const clean = (one) => Object.fromEntries(keys.map((key) => [key, typeof one[key] === "string" ? one[key] : null]));
  return file.decisions.filter((one) => entryOf.has(one?.referral_id) && isDecidable(entryOf.get(one.referral_id)) && OUTCOMES.includes(one.outcome)).map(clean);
}

// The draft lives in this browser until export; without storage the page still works, and says so.
function keepDraft() {
  try {
    if (unexported() === 0) localStorage.removeItem(DRAFT_KEY);
    else localStorage.setItem(DRAFT_KEY, JSON.stringify(decisionFile()));
    return true;
  } catch {
    return false;
  }
}

function restoreDraft() {
  let text = null;
  try {
    text = localStorage.getItem(DRAFT_KEY);
  } catch {
    return 0;
  }
  const decisions = (text && decisionsIn(text)) || [];
  for (const decision of decisions) state.decisions.set(decision.referral_id, decision);
  state.by = decisions.at(-1)?.decided_by ?? "";
  return decisions.length;
}
