// Each proposed move: what it is, who else may take the case and what speaks against each, and what people decide.

const SIGNS = { accept: "✓", change: "⇄", hold: "‖" };
const asHours = (minutes) => w("hours", { n: hours(minutes, 1) });

function caseWords(item) {
  const kind = item.is_decidable ? (item.reason ? coded("move", item.reason) : coded("kind", item.kind)) : w("kind_proposed");
  return [kind, item.until ? ` · ${w("until", { date: day(item.until) })}` : ""];
}

function decisionWords(decision) {
  if (!decision) return h("span", { class: "quiet" }, w("undecided"));
  const taker = decision.decision === "change" ? `: ${decision.to_cm}` : "";
  return [h("b", {}, `${SIGNS[decision.decision]} ${w(`done_${decision.decision}`)}${taker}`), h("small", {}, h("br"), decision.decided_by)];
}

const pathWords = (item) => [item.from_cm ? `${item.from_cm} → ` : "→ ", h("b", {}, item.to_cm ?? w("nobody"))];

function personCell(item) {
  return [nameOf(item), state.names.has(item.person_id) ? h("small", {}, h("br"), item.person_id) : null];
}

function moveRow(item) {
  const decision = state.decisions.get(item.case_id), isOpen = state.open === item.case_id;
  const person = item.is_decidable
    ? h("button", {
      type: "button", class: "bare person-button", "data-case": item.case_id, "aria-expanded": String(isOpen), tabindex: item.case_id === state.cursor ? 0 : -1,
      onclick: () => (isOpen ? closeMove() : openMove(item.case_id)),
    }, personCell(item))
    : h("b", {}, personCell(item));
  const row = h("tr", { class: `move${decision ? " decided" : ""}${isOpen ? " open" : ""}`, "data-case": item.case_id },
    h("td", {}, person, item.tier ? h("span", { class: "tier" }, tierShape(item.tier), tierLabel(item.tier)) : null), h("td", {}, caseWords(item)), h("td", {}, pathWords(item)),
    h("td", { class: "figure" }, item.minutes == null ? "" : asHours(item.minutes)), h("td", { class: "why" }, told(item, "why")),
    h("td", { class: "outcome" }, item.is_decidable ? decisionWords(decision) : h("span", { class: "quiet" }, w("committee_first"))));
  return isOpen ? [row, h("tr", { class: "form-row" }, h("td", { colspan: 6 }, moveForm(item)))] : row;
}

function moveSection() {
  if (!items.length) return section("proposals", w("proposals"), "", empty(workload.length ? "no_proposals" : "no_workload"));
  const shown = shownItems();
  const rows = shown.map(moveRow);
  const why = [decidable.length ? w("proposals_why") : "", items.length > decidable.length ? w("waiting_why") : ""].filter(Boolean).join(" ");
  return section("proposals", w("proposals"), why, overloadWords(loads()).map((words) => h("p", { class: "alarm overload" }, words)),
    shown.length ? table([["person"], ["kind"], ["case_manager"], ["hours_week", true], ["why"], ["decision"]], rows, w("proposals")) : empty("no_proposals_team"),
    data.items_left_out ? h("p", { class: "quiet" }, w("more_in_file", { n: number(data.items_left_out), file: data.items_file })) : null);
}

// What speaks against a case manager: what the pair misses, and where the hours would stand.
function againstWords(item, choice) {
  const missed = (choice.missed ?? "").split(";").filter(Boolean).map((code) => w(`missed_${code}`));
  const over = overBy(choice.cm_id, afterWith(item, choice.cm_id));
  return [...missed, over > 0 ? w("over_capacity", { n: hours(over, 1) }) : "", choice.has_room === false && over === 0 ? w("no_room") : ""].filter(Boolean).join("; ") || w("nothing_against");
}

function choiceTable(item) {
  const rows = choicesOf.get(item.case_id) ?? [];
  const others = rows.filter((row) => row.cm_id !== item.to_cm && row.cm_id !== item.from_cm && managerOf.has(row.cm_id));
  if (!others.length) return h("p", { class: "quiet" }, w("no_alternative"));
  const left = (item.n_able ?? rows.length) - rows.length;
  const line = (row) => {
    const capacity = managerOf.get(row.cm_id).capacity_minutes;
    const isProposed = row.cm_id === item.to_cm;
    return h("tr", { "data-choice": row.cm_id },
      h("td", {}, isProposed ? null : h("input", {
        type: "radio", name: "to_cm", id: `to-${row.cm_id}`, value: row.cm_id, checked: state.form.decision === "change" && state.form.to_cm === row.cm_id,
        "aria-label": w("change_to", { cm: row.cm_id }), onchange: () => choose("change", row.cm_id),
      })),
      h("td", {}, h("label", { for: isProposed ? null : `to-${row.cm_id}` }, h("b", {}, row.cm_id)), isProposed ? h("span", { class: "quiet" }, ` · ${w("is_proposed")}`) : null,
        teamOf(row.cm_id) && teams.length > 1 ? h("span", { class: "quiet" }, ` · ${teamOf(row.cm_id)}`) : null),
      h("td", { class: "figure" }, w("hours_of", { n: hours(afterWith(item, row.cm_id), 1), total: hours(capacity, 1) })),
      h("td", {}, againstWords(item, row)));
  };
  return [table([[""], ["case_manager"], ["hours_then", true], ["against"]], [...rows.filter((row) => row.cm_id === item.to_cm), ...others].map(line), w("alternatives")),
    left > 0 ? h("p", { class: "quiet" }, w("more_able", { n: number(left) })) : null];
}

function moveForm(item) {
  const form = state.form;
  const isBroken = (name) => (state.complaints.some((one) => one.field === name) ? "true" : null);
  const typed = (name) => ({ id: `form-${name}`, value: form[name], autocomplete: "off", "aria-invalid": isBroken(name), oninput: (event) => { form[name] = event.target.value; } });
  const field = (name, key, input, isWide) => h("label", { class: isWide ? "field wide-field" : "field" }, h("span", {}, w(key)), input);
  const outcome = (id, letter) => h("label", { class: "choice" }, h("input", {
    type: "radio", name: "decision", value: id, checked: form.decision === id, id: `choose-${id}`, onchange: () => choose(id),
  }), h("span", {}, id === "accept" ? w("do_accept", { cm: item.to_cm }) : w(`do_${id}`)), h("kbd", {}, letter));
  const taker = form.decision === "accept" ? item.to_cm : form.decision === "change" ? form.to_cm : "";
  const over = overloadBy(item, taker);
  const needsNote = form.decision === "change" || over > 0;
  const isMove = ["accept", "change"].includes(form.decision);
  return h("div", { class: "decision" },
    form.decision === "change" || form.decision === "" ? choiceTable(item) : null,
    h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); recordMove(item); } },
      h("fieldset", {}, h("legend", {}, w("decision")), outcome("accept", "A"), outcome("change", "C"), outcome("hold", "H")),
      taker ? h("p", { id: "then", class: over > 0 ? "alarm" : "quiet" }, over > 0 ? w("would_be_over", { cm: taker, n: hours(over, 1) })
        : w("would_have", { cm: taker, n: hours(afterWith(item, taker, "decided"), 1), total: hours(managerOf.get(taker)?.capacity_minutes ?? 0, 1) })) : null,
      form.decision ? h("div", { class: "fields" },
        field("note", needsNote ? "note_needed" : "note", h("input", { type: "text", ...typed("note") }), true),
        isMove ? field("from_on", "from_on", h("input", { type: "date", ...typed("from_on") })) : null,
        field("told_on", "told_on", h("input", { type: "date", ...typed("told_on") })),
        field("decided_by", "decided_by", h("input", { type: "text", ...typed("decided_by") }))) : null,
      state.complaints.length ? h("div", { class: "missing-rules", role: "alert" }, w("cannot_record"), h("ul", {}, state.complaints.map((one) => h("li", {}, w(one.key, one.values))))) : null,
      h("div", { class: "form-end" },
        form.decision ? h("button", { type: "submit", class: "main", id: "record" }, w("record")) : null,
        h("button", { type: "button", onclick: closeMove }, w("close")),
        state.decisions.has(item.case_id) ? h("button", { type: "button", id: "clear", onclick: () => clearMove(item) }, w("clear")) : null)));
}

const buttonOf = (id) => [...document.querySelectorAll("button.person-button")].find((button) => button.dataset.case === id);

function choose(decision, cm) {
  if (!state.open) return;
  state.form.decision = decision;
  if (cm !== undefined) state.form.to_cm = cm;
  state.complaints = [];
  renderForm();
  const to = decision === "change" && !state.form.to_cm ? document.querySelector('input[name="to_cm"]') : byId(`choose-${decision}`);
  (cm ? byId(`to-${cm}`) : to)?.focus();
}

function openMove(id) {
  state.cursor = state.open = id;
  state.form = formOf(itemOf.get(id));
  state.complaints = [];
  renderMoves();
  buttonOf(id)?.focus();
  document.querySelector("tr.form-row")?.scrollIntoView({ block: "nearest" });
}

function closeMove() {
  const id = state.open;
  state.open = state.form = null;
  state.complaints = [];
  renderMoves();
  if (id) buttonOf(id)?.focus();
}

function recordMove(item) {
  state.complaints = brokenRules(item, state.form);
  if (state.complaints.length) {
    renderForm();
    byId(`form-${state.complaints[0].field}`)?.focus();
    return;
  }
  const decision = decisionFrom(item, state.form, new Date());
  state.history.push({ id: item.case_id, before: state.decisions.get(item.case_id) });
  state.by = decision.decided_by;
  const isKept = setDecision(item.case_id, decision);
  const next = shownItems().find((one) => one.is_decidable && !state.decisions.has(one.case_id));
  state.open = state.form = null;
  state.cursor = next?.case_id ?? item.case_id;
  renderAll();
  buttonOf(state.cursor)?.focus();
  say(isKept ? w("recorded", { person: nameOf(item), decision: w(`done_${decision.decision}`) }) : w("draft_not_kept"), !isKept);
}

function clearMove(item) {
  state.history.push({ id: item.case_id, before: state.decisions.get(item.case_id) });
  setDecision(item.case_id, null);
  state.open = state.form = null;
  renderAll();
  buttonOf(item.case_id)?.focus();
}

function undoLast() {
  const last = undo();
  if (!last) return;
  state.open = state.form = null;
  state.cursor = last.id;
  renderAll();
  buttonOf(last.id)?.focus();
  say(w("undone", { person: nameOf(itemOf.get(last.id)) }));
}

function moveCursor(step) {
  const ids = shownItems().filter((item) => item.is_decidable).map((item) => item.case_id);
  if (!ids.length) return;
  const at = ids.indexOf(state.cursor);
  state.cursor = ids[Math.min(Math.max(at + step, 0), ids.length - 1)];
  for (const button of document.querySelectorAll("button.person-button")) button.tabIndex = button.dataset.case === state.cursor ? 0 : -1;
  buttonOf(state.cursor)?.focus();
}

// While a form is filled in only it is drawn anew, so that nothing else jumps; to open or close one, the moves are.
function renderForm() {
  document.querySelector("tr.form-row > td").replaceChildren(moveForm(itemOf.get(state.open)));
}

function renderMoves() {
  byId("proposals").replaceWith(moveSection());
}
