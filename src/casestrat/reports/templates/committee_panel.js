// One person: why this place, what the score rests on, the criteria, why not higher, who could follow.

const unitIsDays = data.order.mode === "accumulating";
const worthOf = (entry, part) => entry[`days_worth_${part}`] ?? null;
const rateOf = (entry) => (unitIsDays ? data.order.rates[entry.tier] ?? 1 : 1);
const indexPart = (entry, part) => (worthOf(entry, part) ?? 0) * rateOf(entry);
const tellWorth = (x) => (unitIsDays ? w("days", { n: signed(x) }) : signed(x, 1));
const isImputed = (entry, part) => (entry.imputed ?? "").split(";").includes(part);

function partName(entry, part) {
  if (part === "risk") return w(entry.risk == null ? "part_score" : "part_risk");
  const key = `part_${part}`;
  return key in data.words.en ? w(key) : label(data.labels.features[part], part);
}

const ANSWERS = { true: "yes", yes: "yes", false: "no", no: "no", unknown: "unknown" };
const factName = (name) => (name in data.labels.features ? label(data.labels.features[name])
  : `input_${name}` in data.words.en ? w(`input_${name}`) : readable(name));

function tellValue(value) {
  const key = ANSWERS[String(value ?? "").toLowerCase()];
  if (key) return w(key);
  return /^-?\d+(\.\d+)?$/.test(value ?? "") ? short(Number(value)) : value ?? w("unknown");
}

// "assessments: instrument = aggir" → the instrument; any other table by its word, for the fact says the rest.
function sourceName(source) {
  const [table, detail = ""] = (source ?? "").split(/:\s*/);
  const instrument = /instrument = (\w+)/.exec(detail)?.[1];
  if (instrument) return instrument.toUpperCase();
  return `source_${table}` in data.words.en ? w(`source_${table}`) : readable(source);
}

const tellSource = (reason) => [sourceName(reason.source), day(reason.observed_on)].filter(Boolean).join(", ") || w("no_source");

// "name: value (table 2026-10-01); …" → the same in the reader's language; other evidence stands as it is.
function tellEvidence(evidence) {
  return (evidence ?? "").split(/;\s+/).map((one) => {
    const [, name, value, table, on] = /^(\w+): (.*) \((\w+) (\d{4}-\d\d-\d\d)\)$/.exec(one) ?? [];
    return name ? `${factName(name)}: ${tellValue(value)} (${sourceName(table)}, ${day(on)})` : one;
  }).join("; ");
}

const tellFact = (reason) => `${factName(reason.reason)}: ${tellValue(reason.value)} · ${tellSource(reason)}`;

function tellRisk(entry) {
  const interval = entry.risk_low == null || entry.risk_high == null ? ""
    : ` (${number(entry.risk_low * 100)}–${number(entry.risk_high * 100)})`;
  return `${percent(entry.risk)}${interval} · ${label(data.labels.outcome)}`;
}

// What stands behind a part of the index, in one line.
function partEvidence(entry, part) {
  if (isImputed(entry, part)) return w("imputed");
  if (part === "risk") {
    const points = entry.points == null ? "" : plural("n_points", entry.points);
    return entry.risk == null ? points : [tellRisk(entry), points].filter(Boolean).join(" · ");
  }
  if (part === "waiting") return w("referred_on", { date: day(entry.referred_on) });
  if (part === "urgency" && entry.urgency != null) return w("urgency_of", { n: short(entry.urgency * 3) });
  const reason = (reasonsById.get(entry.person_id) ?? []).find((one) => one.reason === data.order.features[part]);
  return reason ? tellFact(reason) : "";
}

function whyPlace(entry) {
  const own = parts.map((part) => ({ part, worth: worthOf(entry, part) })).filter((one) => one.worth !== null);
  if (!own.length) return null;
  const notes = [
    entry.key_override > 0 ? w("override_tier", { n: entry.key_override }) : "",
    entry.key_deadline === true ? w("deadline_breached") : "",
    data.order.mode === "fcfs" ? w("fcfs_only") : "",
  ].filter(Boolean);
  const widest = Math.max(1e-9, ...own.map((one) => one.worth));
  own.sort((a, b) => b.worth - a.worth);
  const rows = own.map(({ part, worth }) => h("div", { class: "part" },
    h("span", {}, partName(entry, part), h("small", {}, partEvidence(entry, part))),
    h("div", {
      class: part === "waiting" ? "bar waited" : "bar", style: `width:${((100 * Math.max(0, worth)) / widest).toFixed(1)}%`,
    }),
    h("span", { class: "worth" }, tellWorth(worth))));
  const sum = own.reduce((total, one) => total + one.worth, 0);
  return panelSection("why_place", w(unitIsDays ? "why_place_unit_days" : "why_place_unit_points"),
    notes.map((note) => h("p", { class: "alarm" }, note)),
    rows, h("div", { class: "part together" }, h("span", {}, w("together")), h("span"), h("span", { class: "worth" }, tellWorth(sum))));
}

function panelSection(key, aside, ...content) {
  return h("section", { "data-part": key },
    h("div", { class: "section-head" }, h("h3", {}, w(key)), aside ? h("span", { class: "quiet" }, aside) : null), content);
}

function scoreRestsOn(entry) {
  const reasons = reasonsById.get(entry.person_id) ?? [];
  if (!reasons.length) return panelSection("score_rests_on", "", h("p", { class: "quiet" }, w("no_reasons")));
  const isWhole = reasons.every((one) => one.contribution === null || Number.isInteger(one.contribution));
  const tell = (x) => (x === null ? "" : signed(x, isWhole ? 0 : 2));
  const order = [...reasons].sort((a, b) => Math.abs(b.contribution ?? 0) - Math.abs(a.contribution ?? 0));
  const sum = order.reduce((total, one) => total + (one.contribution ?? 0), 0);
  return panelSection("score_rests_on", "", h("table", {},
    h("thead", {}, h("tr", {}, ["fact", "value", "source"].map((key) => h("th", { scope: "col" }, w(key))),
      h("th", { scope: "col", class: "figure" }, isWhole ? w("part_points") : ""))),
    h("tbody", {}, order.map((one) => h("tr", {},
      h("td", {}, factName(one.reason),
        one.is_actionable ? h("small", {}, ` · ${w("actionable")}`) : null),
      h("td", {}, one.value == null ? h("em", {}, w("unknown")) : tellValue(one.value)),
      h("td", { class: "quiet" }, tellSource(one)),
      h("td", { class: "figure" }, tell(one.contribution)))),
    h("tr", { class: "sum" }, h("td", { colspan: 3 }, w("total")), h("td", { class: "figure" }, isWhole ? number(sum) : number(sum, 2))))));
}

function admissionCriteria(entry) {
  const rows = criteriaById.get(entry.person_id) ?? [];
  if (!rows.length) return panelSection("admission_criteria", "", h("p", { class: "quiet" }, w("no_criteria")));
  const status = (result) => (result === null ? "ask" : result ? "meets" : "fails");
  const word = { meets: "met", fails: "not_met", ask: "ask" };
  const inputs = (row) => (row.unknown_inputs ?? "").split(/[,;]\s*/).filter(Boolean).map(factName).join(", ");
  return panelSection("admission_criteria", rows[0].criteria_set ?? "", h("ul", { class: "criteria-list" }, rows.map((row) => {
    const is = status(row.result);
    return h("li", {}, h("span", { class: `mark ${is}`, "aria-hidden": "true" }, SIGNS[is]), h("span", {},
      label(data.labels.criteria[row.criterion], row.criterion), h("b", {}, ` — ${w(word[is])}`),
      row.evidence ? h("small", {}, ` · ${tellEvidence(row.evidence)}`) : null,
      is === "ask" && inputs(row) ? h("small", {}, ` · ${w("asks_for", { inputs: inputs(row) })}`) : null));
  })));
}

// The first key on which two people differ, as the ranking compares them: what sets one above the other.
function setApart(upper, lower) {
  if (upper.key_override !== lower.key_override) return w("by_override");
  if (upper.key_deadline !== lower.key_deadline) return w("by_deadline");
  if (upper.key_index !== lower.key_index) return w("by_index", { higher: short(upper.key_index), lower: short(lower.key_index) });
  const [earlier, later] = [upper, lower].map((entry) => entry.key_referred_on ?? entry.referred_on);
  if (earlier !== later) return w("by_referral_date", { earlier: day(earlier), later: day(later) });
  return w("by_lottery");
}

function whyNotHigher(entry) {
  if (entry.group !== "ranked") return null;
  const others = ranked.filter((other) => other !== entry);
  const body = h("div", {});
  const show = (ref) => body.replaceChildren(...comparison(entry, entryOf.get(ref)));
  const above = others.filter((other) => other.rank < entry.rank).at(-1);
  const select = h("select", { id: "compare", onchange: (event) => show(event.target.value) }, others.map((other) =>
    h("option", { value: other.referral_id, selected: other === (above ?? others[0]) }, `${number(other.rank)} · ${nameOf(other)}`)));
  if (others.length) show((above ?? others[0]).referral_id);
  return panelSection("why_not_higher", above ? "" : w("nobody_above"),
    others.length ? h("label", { class: "compare" }, w("compare_with"), select) : null, body);
}

function comparison(entry, other) {
  const isAbove = other.rank < entry.rank;
  const why = setApart(isAbove ? other : entry, isAbove ? entry : other);
  const sentence = h("p", {}, w(isAbove ? "above" : "below", { other: nameOf(other), why }));
  const rows = parts.map((part) => ({ part, mine: indexPart(entry, part), theirs: indexPart(other, part) }));
  if (!rows.length || data.order.mode === "fcfs") return [sentence];
  rows.sort((a, b) => Math.abs(b.theirs - b.mine) - Math.abs(a.theirs - a.mine));
  return [sentence, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, `${w("part")} (${w("index_points")})`),
      [nameOf(entry), nameOf(other), w("difference")].map((head) => h("th", { scope: "col", class: "figure" }, head)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("td", {}, partName(entry, row.part)),
      [short(row.mine), short(row.theirs), signed(row.theirs - row.mine, 1)].map((cell) => h("td", { class: "figure" }, cell))))))];
}

function caseManager(entry) {
  if (!data.allocation.columns.length && !data.unassigned.columns.length) return null;
  const proposal = proposalById.get(entry.person_id), refusal = refusalById.get(entry.person_id);
  if (proposal) {
    const hours = proposal.minutes == null ? "" : w("hours_week", { n: number(proposal.minutes / 60, 1) });
    return panelSection("case_manager", "", h("p", {}, h("b", {}, proposal.cm_id), hours ? ` · ${hours}` : "",
      told(proposal, "why") ? ` · ${told(proposal, "why")}` : ""),
    proposal.runner_up ? h("p", { class: "quiet" }, w("runner_up", { cm: proposal.runner_up })) : null);
  }
  if (!refusal) return panelSection("case_manager", "", h("p", { class: "quiet" }, w("no_proposal")));
  const rule = `rule_${refusal.rule}` in data.words.en ? w(`rule_${refusal.rule}`) : readable(refusal.rule);
  return panelSection("case_manager", "", h("p", {}, w("no_case_manager", { reason: rule }), told(refusal, "reason") ? ` · ${told(refusal, "reason")}` : ""),
    told(refusal, "relaxation") ? h("p", { class: "quiet" }, w("would_help", { change: told(refusal, "relaxation") })) : null);
}

// What a person should look at before the tier is taken as it stands; a rule proposes, and nobody's tier falls by itself.
function tierNotes(entry) {
  const row = tierNotesById.get(entry.person_id);
  if (!row) return null;
  const inputs = (row.unknown_inputs ?? "").split(/[,;]\s*/).filter(Boolean).map(factName).join(", ");
  const notes = [
    row.proposed_override > 0 ? w("override_proposed", { n: number(row.proposed_override) }) : "",
    row.review_step_down === true ? w("step_down", { tier: row.step_down_to ? tierLabel(row.step_down_to) : w("unknown") }) : "",
    inputs ? w("rule_open", { inputs }) : "",
  ].filter(Boolean);
  return panelSection("tier_notes", "", notes.map((note) => h("p", {}, note)));
}

const decisionReason = (decision) => label(reasonList.find((one) => one.code === decision.reason)?.label, decision.reason);

function earlierDecisions(entry) {
  const earlier = meeting.decisions.filter((one) => one.referral_id === entry.referral_id);
  if (!earlier.length) return null;
  return panelSection("earlier_decisions", "", h("ul", { class: "criteria-list" }, earlier.map((one) => h("li", {}, h("span", {}, "·"),
    h("span", {}, h("b", {}, OUTCOMES.includes(one.outcome) ? w(`outcome_${one.outcome}`) : one.outcome),
      ` · ${decisionReason(one)} · ${one.decided_by ?? ""} · ${day(one.decided_at)}`)))));
}

function ageOf(person) {
  const year = Number((meeting.as_of ?? "").slice(0, 4)), month = Number((meeting.as_of ?? "").slice(5, 7));
  if (!person?.birth_year || !year) return "";
  const age = year - person.birth_year;
  if (!person.birth_month || person.birth_month === month) return w("age", { n: `${age - 1}–${age}` });
  return w("age", { n: person.birth_month < month ? age : age - 1 });
}

function personHead(entry, heading = "h2") {
  const person = peopleById.get(entry.person_id);
  const rank = entry.group === "ranked" ? w("rank_of", { n: number(entry.rank), total: number(data.n_ranked) }) : w("not_ranked");
  const facts = [
    rank, ageOf(person), entry.territory,
    entry.waited_days == null ? "" : w("waiting_for", { n: number(entry.waited_days) }),
    person?.language ? languageName(person.language) : "", person?.interpreter_needed === true ? w("interpreter") : "",
  ].filter(Boolean);
  return h("div", {}, h(heading, { tabindex: -1, class: "person-name" }, nameOf(entry),
    state.names.has(entry.person_id) ? h("span", { class: "quiet" }, ` ${entry.person_id}`) : null),
  h("div", { class: "person-facts" }, entry.tier ? h("span", { class: "tier" }, tierWord(entry)) : null, facts.map((fact) => h("span", {}, fact))),
  isTied(entry) ? h("p", {}, h("b", {}, `≈ ${w("tied_zone")}`)) : null,
  entry.group === "ranked" && places !== null && criteriaOf(entry) === "fails" ? h("p", {}, h("b", {}, w("takes_no_place"))) : null,
  entry.group === "added" ? h("p", {}, w("added_because", { reason: entry.reason ?? "", by: entry.by ?? "" })) : null,
  entry.group === "assess" ? h("p", { class: "alarm" }, `${w("missing_items")}: ${missingItems(entry)}`) : null);
}

const personSections = (entry) =>
  [whyPlace(entry), scoreRestsOn(entry), admissionCriteria(entry), tierNotes(entry), whyNotHigher(entry), caseManager(entry), earlierDecisions(entry)];

function renderPanel() {
  const entry = entryOf.get(state.open);
  document.body.classList.toggle("person-open", Boolean(entry));
  const body = byId("person-body"), top = body.scrollTop;
  if (!entry) {
    body.replaceChildren(...nobodyOpen());
    byId("decision").replaceChildren();
    byId("decision").hidden = true;
    return;
  }
  body.replaceChildren(
    h("button", { type: "button", class: "back bare", onclick: closePerson }, `← ${w("back_to_list")}`),
    h("div", { class: "person-head" }, personHead(entry),
      h("button", { type: "button", class: "person-close", onclick: closePerson }, w("close"))),
    ...personSections(entry).filter(Boolean));
  body.scrollTop = body.dataset.ref === entry.referral_id ? top : 0;
  body.dataset.ref = entry.referral_id;
  byId("decision").hidden = false;
  renderDecision(entry);
}

function nobodyOpen() {
  const points = [
    w("read_order", { mode: w(`mode_${data.order.mode}`) }), places === null ? w("no_places_do") : w("read_cut"),
    ranked.some(isTied) ? w("read_tied") : "", hasRisk ? "" : w("read_points"),
  ].filter(Boolean);
  return [h("div", { class: "wait" }, h("h2", {}, w("choose_person")), h("p", { class: "quiet" }, w("choose_person_do")),
    h("h3", {}, w("how_to_read")), h("ul", {}, points.map((point) => h("li", {}, point))))];
}

// In print the list is followed by the people the meeting will speak about: within the places, too close to call, or decided.
function renderPrint() {
  const first = places === null ? 20 : 0;
  const chosen = ranked.filter((entry) => isWithin(entry) || isTied(entry) || entry.rank <= first || state.decisions.has(entry.referral_id));
  byId("print-details").replaceChildren(h("h2", {}, w("details")), ...chosen.map((entry) => h("div", { class: "block" },
    personHead(entry, "h2"), h("div", { class: "sections" }, whyPlace(entry), admissionCriteria(entry), scoreRestsOn(entry), caseManager(entry)),
    panelSection("decision", "", state.decisions.has(entry.referral_id) ? decisionWords(state.decisions.get(entry.referral_id)) : h("div", { class: "write-line" })))),
  h("h2", {}, w("signature")), h("div", { class: "write-line" }), h("div", { class: "write-line" }));
}
