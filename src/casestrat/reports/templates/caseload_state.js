// The proposed moves, what was decided about each, what that does to the hours, and the local draft.

const FILE_FORMAT = "casestrat-assignments/1";
const DRAFT_KEY = `${FILE_FORMAT}|${data.as_of}|${data.plan_fingerprint}`;
const OUTCOMES = ["accept", "change", "hold"];

const workload = records(data.workload);
const managerOf = new Map(workload.map((row) => [row.cm_id, row]));
const teams = [...new Set(workload.map((row) => row.team ?? ""))];
const items = records(data.items);
const itemOf = new Map(items.map((item) => [item.case_id, item]));
const decidable = items.filter((item) => item.is_decidable);
const choicesOf = groupBy(records(data.choices), "case_id");
const unassigned = records(data.unassigned);
const waitingOf = new Map(records(data.teams).map((row) => [row.team ?? "", row]));

const state = {
  team: null, // the one team that is shown; null: all
  cursor: decidable[0]?.case_id ?? null, // where the arrow keys stand
  open: null, // the move whose form is open; only there can it be decided on
  form: null,
  decisions: new Map(),
  exported: new Map(), // what the last export said of each, as text
  history: [], // for undo: the decision that stood before each change
  names: new Map(), // in this window only: never stored, embedded or exported
  by: "",
  complaints: [],
};

const nameOf = (row) => state.names.get(row.person_id) ?? row.person_id;
const teamOf = (cm) => managerOf.get(cm)?.team ?? "";
const isShown = (...cms) => state.team === null || cms.some((cm) => cm && teamOf(cm) === state.team);
const shownItems = () => items.filter((item) => isShown(item.from_cm, item.to_cm, state.decisions.get(item.case_id)?.to_cm));

// Who takes the case by a decision; null: nothing happens, undefined: not decided.
const takerBy = (item, decision) => (!decision ? undefined : decision.decision === "hold" ? null : decision.to_cm);

function minutesWith(item, cm) {
  const own = (choicesOf.get(item.case_id) ?? []).find((row) => row.cm_id === cm);
  return own?.minutes ?? item.minutes ?? 0;
}

// Hours of each case manager: as decided so far (an open proposal moves nothing), and if every open proposal is accepted.
function loads(decisions = state.decisions) {
  const found = new Map(workload.map((row) => [row.cm_id, {
    decided: row.minutes_before ?? 0, planned: row.minutes_after ?? 0, casesDecided: row.cases_before ?? 0, casesPlanned: row.cases_after ?? 0, comes: 0, goes: 0, came: 0, went: 0,
  }]));
  const add = (cm, minutes, which, cases) => {
    const one = found.get(cm);
    if (one) one[which] += minutes, one[which === "decided" ? "casesDecided" : "casesPlanned"] += cases;
  };
  const count = (cm, key) => { if (found.has(cm)) found.get(cm)[key] += 1; };
  for (const item of items) {
    const taker = takerBy(item, decisions.get(item.case_id));
    const from = item.from_cm, given = minutesWith(item, from);
    if (taker) {
      add(taker, minutesWith(item, taker), "decided", 1), count(taker, "came");
      add(from, -given, "decided", -1), count(from, "went");
    }
    if (taker !== undefined && taker !== item.to_cm) {
      add(item.to_cm, -minutesWith(item, item.to_cm), "planned", -1);
      if (taker) add(taker, minutesWith(item, taker), "planned", 1);
      else add(from, given, "planned", 1);
    }
    const last = taker === undefined ? item.to_cm : taker;
    if (last) count(last, "comes"), count(from, "goes");
  }
  return found;
}

const overBy = (cm, minutes) => Math.max(0, minutes - (managerOf.get(cm)?.capacity_minutes ?? Infinity));

// Minutes of a case manager if this case were theirs: with every open proposal, or as decided so far.
function afterWith(item, cm, key = "planned") {
  const decisions = new Map(state.decisions).set(item.case_id, { decision: "change", to_cm: cm });
  return loads(decisions).get(cm)?.[key] ?? 0;
}

// By how many minutes a case manager would be over capacity if the case were theirs, with what is decided so far.
const overloadBy = (item, cm) => (cm ? overBy(cm, afterWith(item, cm, "decided")) : 0);

// Every rule that a form still breaks: which field to mend, and the words that say why.
function brokenRules(item, form) {
  const broken = [];
  const need = (field, key, values) => broken.push({ field, key, values });
  const taker = form.decision === "accept" ? item.to_cm : form.decision === "change" ? form.to_cm : null;
  if (!OUTCOMES.includes(form.decision)) need("decision", "need_decision");
  if (form.decision === "change" && !form.to_cm) need("to_cm", "need_to_cm");
  if (form.decision === "change" && !form.note.trim()) need("note", "need_note_change");
  else if (taker && overloadBy(item, taker) > 0 && !form.note.trim()) need("note", "need_note_over", { cm: taker });
  if (taker && item.until && (form.from_on || today()) > item.until) need("from_on", "need_before_until", { date: day(item.until) });
  if (holdsName(form.note)) need("note", "need_no_names");
  if (!form.decided_by.trim()) need("decided_by", "need_by");
  return broken;
}

function holdsName(text) {
  const words = (text ?? "").toLocaleLowerCase();
  return [...state.names.values()].some((name) => name.length > 2 && words.includes(name.toLocaleLowerCase()));
}

function formOf(item) {
  const standing = state.decisions.get(item.case_id);
  const kept = standing && Object.fromEntries(Object.entries(standing).map(([key, value]) => [key, value ?? ""]));
  if (standing?.decision === "hold") delete kept.from_on; // it has none: the first day is asked for anew
  return { decision: "", to_cm: "", note: "", from_on: data.first_day ?? "", told_on: "", decided_by: state.by, ...kept };
}

// A form that breaks no rule → the decision as the file holds it.
function decisionFrom(item, form, moment) {
  const text = (value) => value.trim() || null;
  const isMove = form.decision !== "hold";
  return {
    case_id: item.case_id,
    from_cm: item.from_cm ?? null,
    to_cm: form.decision === "accept" ? item.to_cm : form.decision === "change" ? form.to_cm : null,
    decision: form.decision,
    role: item.reason === "absence" ? "temporary" : "lead",
    reason: isMove ? item.reason ?? "no_lead" : null,
    note: text(form.note),
    decided_by: form.decided_by.trim(),
    decided_at: momentOf(moment),
    from_on: isMove ? text(form.from_on) : null,
    until: isMove ? item.until ?? null : null,
    told_on: text(form.told_on),
  };
}

function setDecision(id, decision) {
  if (decision) state.decisions.set(id, decision);
  else state.decisions.delete(id);
  return keepDraft();
}

function undo() {
  const last = state.history.pop();
  if (last) setDecision(last.id, last.before);
  return last;
}

const asText = (id) => (state.decisions.has(id) ? JSON.stringify(state.decisions.get(id)) : null);
const touched = () => [...new Set([...state.decisions.keys(), ...state.exported.keys()])];
const unexported = () => touched().filter((id) => asText(id) !== (state.exported.get(id) ?? null)).length;

// What a decision does: two that do the same make the same assignment.
const actOf = (one) => (one && one.decision !== "hold"
  ? [one.from_cm, one.to_cm, one.role, one.from_on ?? one.decided_at.slice(0, 10), one.decided_by].join("|") : "");

// An exported acceptance that no longer stands is taken back by name, before what is decided now.
function takenBack() {
  return [...state.exported].flatMap(([id, text]) => {
    const before = text ? JSON.parse(text) : null, now = state.decisions.get(id);
    if (!actOf(before) || actOf(before) === actOf(now)) return [];
    const by = (now?.decided_by ?? state.by) || before.decided_by;
    return [{ ...before, decision: "undo", reason: "taken_back", note: null, decided_by: by, decided_at: momentOf(new Date()), told_on: null }];
  });
}

function decisionFile() {
  return {
    format: FILE_FORMAT,
    as_of: data.as_of,
    plan_fingerprint: data.plan_fingerprint,
    decisions: [...takenBack(), ...items.filter((item) => state.decisions.has(item.case_id)).map((item) => state.decisions.get(item.case_id))],
  };
}

// The decisions of a file that are about this plan; null if the file is not for it. What was taken back does not stand.
function decisionsIn(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return null;
  }
  if (file?.format !== FILE_FORMAT || file.plan_fingerprint !== data.plan_fingerprint || !Array.isArray(file.decisions)) return null;
  const keys = ["case_id", "from_cm", "to_cm", "decision", "role", "reason", "note", "decided_by", "decided_at", "from_on", "until", "told_on"];
  const clean = (one) => Object.fromEntries(keys.map((key) => [key, typeof one[key] === "string" ? one[key] : null]));
  const isOurs = (one) => itemOf.get(one?.case_id)?.is_decidable && OUTCOMES.includes(one.decision) && one.decided_by && one.decided_at
    && (one.decision === "hold" || managerOf.has(one.to_cm));
  return file.decisions.filter(isOurs).map(clean);
}

// The draft lives in this browser until export; without storage the page still works, and says so.
function keepDraft() {
  try {
    if (unexported() === 0) localStorage.removeItem(DRAFT_KEY);
    else localStorage.setItem(DRAFT_KEY, JSON.stringify({ ...decisionFile(), decisions: [...state.decisions.values()], exported: [...state.exported] }));
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
  for (const decision of decisions) state.decisions.set(decision.case_id, decision);
  if (text && decisionsIn(text)) state.exported = new Map((JSON.parse(text).exported ?? []).filter(([id]) => itemOf.has(id)));
  state.by = decisions.at(-1)?.decided_by ?? "";
  return decisions.length;
}
