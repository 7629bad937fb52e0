// Who cannot be followed yet and what would help, who covers whom, who must be seen first, and whose tier is to be reviewed.

const handover = records(data.handover);

function unassignedSection() {
  if (!unassigned.length) return section("unassigned", w("unassigned"), "", empty(data.unassigned.columns.length ? "no_unassigned" : "no_workload"), admissionBlock());
  const covered = new Map(records(data.cover).map((row) => [row.case_id, row]));
  const cover = (row) => (covered.has(row.case_id) ? h("small", {}, h("br"), w("covered_by", { cm: covered.get(row.case_id).cm_id, date: day(covered.get(row.case_id).until) })) : null);
  const rows = unassigned.map((row) => h("tr", {}, h("td", {}, h("b", {}, personCell(row))), h("td", {}, coded("kind", row.kind)),
    h("td", {}, ruleWords(row.rule), told(row, "reason") ? h("small", {}, ` · ${told(row, "reason")}`) : null, cover(row)), h("td", {}, told(row, "relaxation"))));
  return section("unassigned", w("unassigned"), "", table([["person"], ["kind"], ["reason"], ["change"]], rows, w("unassigned")),
    admissionBlock(), hireBlock(), bindingBlock());
}

const block = (id, key, why, ...content) => h("div", { class: "part-block", id }, h("h3", {}, w(key)), why ? h("p", { class: "quiet" }, w(why)) : null, content);

// Of all who wait: what those who cannot be followed now are blocked for want of, the most frequent first.
function admissionBlock() {
  const rows = records(data.blocked);
  if (!rows.length) return null;
  return block("blocked", "blocked", "blocked_why", table([["blocked_for"], ["people", true], ["change"]], rows.map((row) =>
    h("tr", {}, h("td", {}, told(row, "reason")), h("td", { class: "figure" }, number(row.n)), h("td", {}, told(row, "relaxation")))), w("blocked")));
}

const hireWords = (row) => w(`hire_${row.kind}`, { value: row.kind === "language" ? languageName(row.value) : row.value });

function hireBlock() {
  const rows = records(data.hiring);
  if (!rows.length) return data.hiring.columns.length ? block("hiring", "hiring", "hiring_none") : null;
  return block("hiring", "hiring", "hiring_why", table([["one_more"], ["people", true], ["hours_week", true]], rows.map((row) =>
    h("tr", {}, h("td", {}, hireWords(row)), h("td", { class: "figure" }, number(row.people_placed)), h("td", { class: "figure" }, asHours(row.minutes_placed)))), w("hiring")));
}

function bindingBlock() {
  const rows = records(data.binding);
  if (!rows.length) return null;
  const limit = (row) => (row.limit == null ? "" : row.rule === "capacity" ? w("hours_of", { n: hours(row.used, 1), total: hours(row.limit, 1) }) : w("of", { n: number(row.used), total: number(row.limit) }));
  return block("binding", "binding", "binding_why", table([["what_binds"], ["in_use", true], ["holds_up", true]], rows.map((row) =>
    h("tr", {}, h("td", {}, row.kind === "case_manager" ? [h("b", {}, row.id), ` · ${ruleWords(row.rule)}`] : ruleWords(row.rule)),
      h("td", { class: "figure" }, limit(row)), h("td", { class: "figure" }, `${plural("n_cases", row.n_cases)} · ${asHours(row.minutes)}`))), w("binding")));
}

function coverSection() {
  const rows = records(data.cover).filter((row) => isShown(row.cm_id, row.for_cm));
  if (!rows.length) return null;
  return section("cover", w("cover"), w("cover_why"), table([["person"], ["covers"], ["covers_for"], ["how"], ["hours_week", true], ["until_head"], ["approver"]], rows.map((row) =>
    h("tr", {}, h("td", {}, h("b", {}, personCell(row))), h("td", {}, row.cm_id), h("td", {}, row.for_cm ?? "–"), h("td", {}, coded("cover", row.how)),
      h("td", { class: "figure" }, row.minutes == null ? "" : asHours(row.minutes)), h("td", { class: "day" }, day(row.until)),
      h("td", {}, [row.approver, row.reason].filter(Boolean).join(" · "))))));
}

// One small chart: what each budget of voluntary moves reaches; the budget of this plan is ringed.
function frontierChart(rows, key, value, tell) {
  const width = 360, height = 150, left = 46, right = 14, top = 14, bottom = 26;
  const values = rows.map(value), low = Math.min(...values), high = Math.max(...values, low + 1e-9);
  const most = Math.max(1, ...rows.map((row) => row.max_moves));
  const x = (row) => left + ((width - left - right) * row.max_moves) / most;
  const y = (v) => height - bottom - ((height - top - bottom) * (v - low)) / (high - low);
  const path = rows.map((row, i) => (i ? `H${x(row).toFixed(1)}V${y(values[i]).toFixed(1)}` : `M${x(row).toFixed(1)} ${y(values[i]).toFixed(1)}`)).join("");
  const words = `${w(key)}: ${rows.map((row, i) => `${plural("n_moves", row.max_moves)} ${tell(values[i])}`).join(", ")}`;
  return h("figure", {}, h("figcaption", {}, w(key)), draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words },
    draw("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, stroke: "#d4d4d4" }),
    [...new Set([high, low])].map((v) => draw("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, tell(v))),
    draw("path", { d: path, fill: "none", stroke: "#0072b2", "stroke-width": 1.5 }),
    rows.map((row, i) => draw("circle", { cx: x(row), cy: y(values[i]), r: i === rows.length - 1 ? 4 : 2.2, fill: i === rows.length - 1 ? "#fff" : "#0072b2", stroke: "#0072b2", "stroke-width": 1.6 },
      draw("title", {}, `${plural("n_moves", row.max_moves)}: ${tell(values[i])}`))),
    draw("text", { x: left, y: height - 8 }, "0"),
    draw("text", { x: width - right, y: height - 8, "text-anchor": "end" }, plural("n_moves", most))));
}

function frontierSection() {
  const rows = records(data.frontier);
  if (rows.length < 2) return null;
  const first = rows[0].sum_of_squares || 1;
  const charts = [frontierChart(rows, "frontier_largest", (row) => row.largest_utilisation, (v) => percentage(v)),
    frontierChart(rows, "frontier_even", (row) => (100 * row.sum_of_squares) / first, (v) => number(v, 1))];
  if (new Set(rows.map((row) => row.unassigned)).size > 1) charts.unshift(frontierChart(rows, "frontier_left", (row) => row.unassigned, (v) => number(v)));
  return section("frontier", w("frontier"), w("frontier_why"), h("div", { class: "charts" }, charts));
}

// One handover sheet a case. Leavers stand in alphabetical order; their people as they must be seen, open crises first.
function sheet(row) {
  const decision = state.decisions.get(row.case_id);
  const taker = decision?.decision === "hold" ? w("held_back") : takerBy(row, decision) ?? row.to_cm;
  const toldOn = decision?.told_on, isLate = row.see_by && row.see_by < data.as_of;
  const crisis = row.open_crisis == null ? w("unknown") : row.open_crisis ? w("since", { date: day(row.crisis_on) }) : w("no_crisis");
  const contact = row.last_contact_on ? [day(row.last_contact_on), row.last_contact_kind ? ` · ${coded("contact", row.last_contact_kind)}` : ""] : w("none_known");
  const facts = [
    ["last_contact", contact], ["next_contact", row.next_contact_on ? day(row.next_contact_on) : w("none_planned")],
    ["contact_due", row.contact_due_on ? day(row.contact_due_on) : w("none_known")], ["open_crisis", crisis],
    ["plan_review", row.review_due_on ? day(row.review_due_on) : w("none_known")],
    ["person_told", toldOn ? w("told_done", { date: day(toldOn) }) : row.was_told == null ? w("unknown") : row.was_told ? w("yes") : h("b", {}, w("not_yet"))],
  ];
  return h("article", { class: `sheet-case${row.open_crisis ? " crisis" : ""}`, "data-case": row.case_id },
    h("h4", {}, personCell(row), h("span", { class: "sheet-path" }, ` ${row.from_cm ? `${row.from_cm} ` : ""}→ `, h("b", {}, taker), row.until ? ` · ${w("until", { date: day(row.until) })}` : "")),
    h("p", { class: row.open_crisis || isLate ? "alarm" : null }, row.see_by ? [h("b", {}, w(isLate ? "see_overdue" : "see_by", { date: day(row.see_by) })), ` · ${coded("because", row.because)}`] : coded("because", row.because)),
    h("dl", {}, facts.map(([key, value]) => h("div", {}, h("dt", {}, w(key)), h("dd", {}, value)))),
    h("p", { class: "print-only sign" }, w("handed_over")));
}

function handoverSection() {
  if (!data.handover.columns.length) return null;
  const rows = handover.filter((row) => isShown(row.from_cm, row.to_cm));
  if (!rows.length) return section("handover", w("handover"), "", empty("no_handover"));
  const groups = [...groupBy(rows.map((row) => ({ ...row, giver: row.from_cm ?? "" })), "giver")].sort(([a], [b]) => (a < b ? -1 : 1));
  return section("handover", w("handover"), w("handover_why"), groups.map(([giver, own]) => h("div", { class: "leaver", "data-leaver": giver },
    h("h3", {}, giver ? w("handed_from", { cm: giver }) : w("had_nobody"), h("span", { class: "quiet" }, ` · ${plural("n_cases", own.length)}`)), own.map(sheet))));
}

function tierSection() {
  const rows = records(data.tiers);
  if (!rows.length) return null;
  const what = (row) => [
    row.review_step_down ? w("step_down", { tier: row.step_down_to ? tierLabel(row.step_down_to) : "?" }) : "",
    row.proposed_override > 0 ? w("override_proposed", { n: number(row.proposed_override) }) : "",
  ].filter(Boolean).join("; ");
  return section("tiers", w("tier_reviews"), w("tier_reviews_why"), table([["person"], ["tier"], ["case_manager"], ["to_review"]], rows.map((row) =>
    h("tr", {}, h("td", {}, h("b", {}, personCell(row))), h("td", { class: "nowrap" }, row.tier ? [tierShape(row.tier), " ", tierLabel(row.tier)] : ""), h("td", {}, row.cm_id ?? "–"), h("td", {}, what(row))))));
}
