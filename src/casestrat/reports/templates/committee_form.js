// The decision form: nothing preselected, every rule said in words, undo always there.

function renderDecision(entry) {
  const decision = state.decisions.get(entry.referral_id);
  if (!isDecidable(entry)) {
    byId("decision").replaceChildren(h("p", {}, h("b", {}, w("decision")), " · ", whyNoDecision()));
    return;
  }
  byId("decision").replaceChildren(decision && !state.editing ? recordedDecision(entry, decision) : decisionForm(entry));
}

const whyNoDecision = () => w(meeting.meeting_id === null ? "no_meeting_do" : "not_listed");

function decisionWords(decision) {
  const service = services.find((one) => one.service_id === decision.relay);
  const details = [
    decision.defer_until ? `${w("defer_until")} ${day(decision.defer_until)}` : "",
    decision.relay === TO_FIND ? `${w("relay")}: ${w("to_find")}, ${day(decision.relay_due_on)}` : decision.relay ? `${w("relay")}: ${serviceName(service, decision.relay)}` : "",
    decision.override_reason ? `${w("override_reason")}: ${decision.override_reason}` : "", decision.note ?? "",
  ].filter(Boolean).join(" · ");
  const moment = `${day(decision.decided_at)} ${decision.decided_at.slice(11, 16)}`;
  return h("p", {}, h("b", {}, w(`outcome_${decision.outcome}`)), " · ",
    w("recorded_by", { reason: decisionReason(decision), by: decision.decided_by, moment }), details ? h("small", {}, h("br"), details) : null);
}

function recordedDecision(entry, decision) {
  return h("div", { class: "recorded" }, decisionWords(decision),
    h("button", { type: "button", id: "change", onclick: () => { state.editing = true; renderDecision(entry); } }, w("change")),
    h("button", { type: "button", onclick: undoLast, disabled: state.history.length === 0 }, w("undo")));
}

const serviceName = (service, id) => service?.[`label_${lang}`] || service?.label_en || readable(id);

function decisionForm(entry) {
  const form = formOf(entry.referral_id);
  const set = (name) => (event) => {
    form[name] = event.target.value;
    if (name === "decided_by") state.by = event.target.value;
    if (["outcome", "reason", "relay"].includes(name)) {
      if (name === "outcome") form.reason = "";
      state.complaints = [];
      renderDecision(entry);
      if (name !== "outcome") byId(`form-${name}`).focus();
      else byId(`form-outcome-${form.outcome}`).focus();
    }
  };
  return h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); recordDecision(entry); } },
    complaintList(), outcomeChoice(form, set), form.outcome ? h("div", { class: "fields" }, formFields(entry, form, set)) : null,
    h("div", { class: "form-end" },
      form.outcome ? field("decided_by", w("decided_by"), inputOf(form, set)("decided_by", { autocomplete: "off" })) : null,
      h("button", { class: "main", id: "record" }, w("record")),
      state.editing && state.decisions.has(entry.referral_id) ? h("button", { type: "button", onclick: () => { state.editing = false; state.complaints = []; state.forms.delete(entry.referral_id); renderDecision(entry); } }, w("keep")) : null,
      h("button", { type: "button", onclick: undoLast, disabled: state.history.length === 0 }, w("undo"))));
}

function outcomeChoice(form, set) {
  return h("fieldset", { "aria-invalid": isWrong("outcome") }, h("legend", {}, w("decision")), OUTCOMES.map((outcome) =>
    h("label", { class: "choice" },
      h("input", { type: "radio", name: "outcome", id: `form-outcome-${outcome}`, value: outcome, checked: form.outcome === outcome, onchange: set("outcome") }),
      w(`form_${outcome}`), h("kbd", { "aria-hidden": "true" }, outcome[0].toUpperCase()))));
}

const isWrong = (field) => (state.complaints.some((one) => one.field === field) ? "true" : null);

function field(name, words, control, { wide = false, hint = "" } = {}) {
  return h("div", { class: wide ? "field wide" : "field" },
    h("span", {}, h("label", { for: `form-${name}` }, words), hint ? h("em", {}, ` · ${hint}`) : null), control);
}

function options(chosen, pairs) {
  return [h("option", { value: "", selected: !chosen }, w("choose")), ...pairs.map(([value, words]) => h("option", { value, selected: value === chosen }, words))];
}

const attributes = (name, more) => ({ id: `form-${name}`, "aria-invalid": isWrong(name), ...more });
const inputOf = (form, set) => (name, more = {}) =>
  h("input", attributes(name, { type: "text", value: form[name], oninput: set(name), ...more }));

function formFields(entry, form, set) {
  const input = inputOf(form, set);
  const reason = reasonList.find((one) => one.code === form.reason);
  const reasons = reasonList.filter((one) => one.outcome === form.outcome).map((one) => [one.code, label(one.label, one.code)]);
  const apart = departure(entry, form.outcome);
  const out = [field("reason", w("reason"), h("select", attributes("reason", { onchange: set("reason") }), options(form.reason, reasons)))];
  if (form.outcome === "defer") out.push(deferField(entry, form, input, reason));
  if (form.outcome === "refuse") out.push(...relayFields(entry, form, set, input));
  if (apart) out.push(field("override_reason", w("override_reason"), input("override_reason"), { wide: true, hint: w(apart.key, apart.values) }));
  const note = h("textarea", attributes("note", { rows: 1, oninput: set("note") }));
  note.value = form.note;
  out.push(field("note", w("note"), note, { wide: true, hint: w("note_hint") }));
  return out;
}

function deferField(entry, form, input, reason) {
  const until = parkedUntil(reason);
  const offer = until && until !== form.defer_until ? h("button", {
    type: "button", class: "bare", onclick: () => { form.defer_until = until; renderDecision(entry); byId("form-defer_until").focus(); },
  }, w("use_date", { n: reason.days_parked, date: day(until) })) : null;
  return field("defer_until", w("defer_until"), [input("defer_until", { type: "date" }), offer]);
}

function relayFields(entry, form, set, input) {
  const near = [...services].sort((a, b) => (b.territory === entry.territory) - (a.territory === entry.territory));
  const words = (service) => (service.waiting_days == null ? serviceName(service, service.service_id)
    : w("service_waiting", { label: serviceName(service, service.service_id), n: number(service.waiting_days) }));
  const pairs = [...near.map((service) => [service.service_id, words(service)]), [TO_FIND, w("to_find")]];
  const relay = h("select", attributes("relay", { onchange: set("relay") }), options(form.relay, pairs));
  const out = [field("relay", w("relay"), [relay, services.length ? null : h("small", {}, w("no_services"))].filter(Boolean))];
  if (form.relay === TO_FIND) out.push(field("relay_due_on", w("relay_due_on"), input("relay_due_on", { type: "date" })));
  return out;
}

function complaintList() {
  if (!state.complaints.length) return null;
  return h("div", { class: "missing-rules", role: "alert", id: "complaints" }, h("b", {}, w("still_missing")),
    h("ul", {}, state.complaints.map((one) => h("li", { "data-field": one.field }, w(one.key, one.values)))));
}

function recordDecision(entry) {
  const form = formOf(entry.referral_id);
  state.complaints = brokenRules(entry, form);
  if (state.complaints.length) {
    renderDecision(entry);
    const first = state.complaints[0].field;
    byId(first === "outcome" ? "form-outcome-admit" : `form-${first}`)?.focus();
    return;
  }
  const ref = entry.referral_id;
  state.history.push({ ref, before: state.decisions.get(ref) });
  state.by = form.decided_by.trim();
  const decision = decisionFrom(entry, form, new Date());
  const isKept = setDecision(ref, decision);
  renderAll();
  say(w("recorded", { person: nameOf(entry), outcome: w(`outcome_${decision.outcome}`) }) + (isKept ? "" : ` ${w("draft_not_kept")}`));
  focusRow(ref);
}

function undoLast() {
  const last = undo();
  renderAll();
  say(last ? w("undone", { person: nameOf(entryOf.get(last.ref)) }) : w("nothing_to_undo"));
}

// The decide keys: only for the person whose panel is open and on whom the list stands.
function chooseOutcome(outcome) {
  const entry = entryOf.get(state.cursor);
  if (!entry) return;
  if (state.open !== state.cursor || !state.opened.has(state.cursor)) {
    say(w("open_first", { person: nameOf(entry) }), true);
    return;
  }
  if (!isDecidable(entry)) {
    say(whyNoDecision(), true);
    return;
  }
  state.editing = true;
  const form = formOf(entry.referral_id);
  if (form.outcome !== outcome) Object.assign(form, { outcome, reason: "" });
  state.complaints = [];
  renderDecision(entry);
  byId("form-reason").focus();
}
