// Each team: its hours and people, and one row per case manager in alphabetical order of id. Nothing here sorts or compares them.

const hours = (minutes, digits = 0) => number(minutes / 60, digits);
const total = (rows, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0);
const ruleWords = (rule) => (`rule_${rule}` in data.words.en ? w(`rule_${rule}`) : readable(rule));
const coded = (prefix, code) => (`${prefix}_${code}` in data.words.en ? w(`${prefix}_${code}`) : readable(code));
const expiringOf = groupBy(records(data.expiring), "cm_id");

function section(id, heading, why, ...content) {
  return h("section", { id }, h("h2", {}, heading), why ? h("p", { class: "quiet" }, why) : null, content);
}

const empty = (key) => h("p", { class: "empty" }, w(key));

function table(heads, rows, name = w("title")) {
  return h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": name }, h("table", {},
    h("thead", {}, h("tr", {}, heads.map(([key, figure]) => h("th", { scope: "col", class: figure ? "figure" : null }, key ? w(key) : "")))),
    h("tbody", {}, rows)));
}

const tallyList = (pairs) => h("dl", { class: "tallies" }, pairs.map(([value, words]) => h("div", {}, h("dt", {}, words), h("dd", {}, value))));

// Of one team, or of all: people wait in territories, so one who waits may count for several teams.
function tallyPairs(rows, waiting, left, proposed) {
  const needed = total(rows, "minutes_after") + total(left, "minutes");
  return [
    [number(rows.length), w("case_managers")],
    [number(total(rows, "cases_before")), w("open_cases")],
    [hours(needed), w("hours_needed")],
    [hours(total(rows, "capacity_minutes")), w("hours_available")],
    waiting?.waiting == null ? null : [number(waiting.waiting), w("waiting")],
    waiting?.admissible == null ? null : [w("of", { n: number(waiting.admissible), total: number(waiting.waiting) }), w("admissible_now")],
    [number(proposed.length), w("proposed_cases")],
    left === NOBODY ? null : [number(left.length), w("without_lead")],
  ].filter(Boolean);
}

const NOBODY = []; // who follows nobody belongs to no team

const tallies = () => (workload.length ? tallyList(tallyPairs(workload, data.waiting, unassigned, items)) : null);

// What the plan reached and what is proven of it, level by level, in plain words.
function levelSentence(row) {
  const is = row.is_optimal ? "proven" : "open";
  if (row.level === "unassigned") {
    return unassigned.length === 0 && row.value === 0 ? w("level_unassigned_none") : w(`level_unassigned_${is}`, { n: number(unassigned.length), gap: percentage(row.gap) });
  }
  if (row.level === "largest_utilisation") return w(`level_largest_${is}`, { n: percentage(row.value), bound: percentage(row.bound, Math.floor) });
  if (row.level === "sum_of_squares") return w(`level_even_${is}`, { gap: percentage(row.gap, Math.ceil) });
  return w(`level_fit_${is}`, { gap: percentage(row.gap, Math.ceil) });
}

// At most one digit, never rounded to the better side where a bound is told.
const percentage = (share, round = Math.round) => number(round(share * 1000 - (round === Math.ceil ? 1e-6 : -1e-6)) / 10, 1, { minimumFractionDigits: 0 });

function levelSection() {
  const rows = records(data.levels);
  if (!rows.length) return null;
  return section("levels", w("levels"), w(data.is_reallocation ? "levels_why_moves" : "levels_why"), h("ol", { class: "levels" }, rows.map((row) => h("li", {}, levelSentence(row)))));
}

const scaleEnd = () => Math.max(1, ...workload.map((row) => Math.max(row.capacity_minutes ?? 0, row.minutes_after ?? 0, row.minutes_before ?? 0))) * 1.04;

// Hours against capacity on one scale: hollow before, filled after, a dark core as decided so far, an upright at the capacity.
function loadBar(row, load, end) {
  const at = (minutes) => `${((100 * Math.min(Math.max(minutes ?? 0, 0), end)) / end).toFixed(2)}%`;
  const words = `${w("hours_of", { n: hours(load.planned), total: hours(row.capacity_minutes) })}; ${w("hours_from", { n: hours(row.minutes_before ?? 0) })}; ${w("hours_decided", { n: hours(load.decided) })}`;
  const over = load.planned - row.capacity_minutes;
  return draw("svg", { role: "img", "aria-label": words, height: 20 }, draw("title", {}, words),
    draw("rect", { x: 0, y: 4, height: 12, width: at(load.planned), fill: "#9cc8e2" }),
    over > 0 ? draw("rect", { x: at(row.capacity_minutes), y: 4, height: 12, width: at(over), fill: "#d55e00" }) : null,
    draw("rect", { x: 0.5, y: 1.5, height: 17, width: at(row.minutes_before), fill: "none", stroke: "#4a4a4a" }),
    draw("rect", { x: 0, y: 8, height: 4, width: at(load.decided), fill: "#00598c" }),
    draw("line", { x1: at(row.capacity_minutes), x2: at(row.capacity_minutes), y1: 0, y2: 20, stroke: "#1b1b1b", "stroke-width": 2 }));
}

function loadKey() {
  const swatch = (...marks) => draw("svg", { width: 22, height: 14, "aria-hidden": "true" }, marks);
  const entry = (mark, key) => h("span", {}, swatch(mark), w(key));
  return h("p", { class: "key" },
    entry(draw("rect", { x: 0.5, y: 0.5, width: 21, height: 13, fill: "none", stroke: "#4a4a4a" }), "before"),
    entry(draw("rect", { x: 0, y: 1, width: 22, height: 12, fill: "#9cc8e2" }), "after"),
    entry(draw("rect", { x: 0, y: 5, width: 22, height: 4, fill: "#00598c" }), "as_decided"),
    entry(draw("line", { x1: 11, x2: 11, y1: 0, y2: 14, stroke: "#1b1b1b", "stroke-width": 2 }), "capacity"));
}

const tierCounts = (row) => h("span", { class: "tier-counts" }, TIERS.filter((id) => row[`n_${id}`] != null).map((id) =>
  h("span", {}, tierShape(id), `${tierLabel(id)} ${number(row[`n_${id}`])}`)));

// "nurse, VD: ends 12 Nov 2026 (8 cases, 3 of them nobody else may follow)"
function rightWords(row) {
  const name = [coded("right", row.kind), readable(row.name), row.jurisdiction].filter(Boolean).join(" ");
  const cases = row.n_cases ? ` (${plural("n_cases", row.n_cases)}${row.n_stranded ? `, ${w("stranded", { n: number(row.n_stranded) })}` : ""})` : "";
  return `${w(row.days_left < 0 ? "right_ended" : "right_ends", { name, date: day(row.valid_to) })}${cases}`;
}

const rightsOf = (cm) => (expiringOf.get(cm) ?? []).map((row) => h("div", { class: row.n_stranded ? "alarm" : null }, rightWords(row)));

function moveCounts(load) {
  if (!load.comes && !load.goes) return "–";
  const done = load.came + load.went;
  return [load.comes ? w("moves_in", { n: number(load.comes) }) : "", load.goes ? w("moves_out", { n: number(load.goes) }) : "",
    done ? w("of_these_decided", { n: number(done) }) : ""].filter(Boolean).map((words, i) => [i ? " · " : "", h("span", { class: "nowrap" }, words)]);
}

function managerRow(row, load, end) {
  const over = overBy(row.cm_id, load.planned), overNow = overBy(row.cm_id, load.decided);
  const cases = row.cases_before == null ? number(load.casesPlanned)
    : row.cases_before === load.casesPlanned ? number(load.casesPlanned) : w("cases_change", { before: number(row.cases_before), after: number(load.casesPlanned) });
  return h("tr", { "data-cm": row.cm_id }, h("td", {}, h("b", {}, row.cm_id)), h("td", { class: "load" }, loadBar(row, load, end)),
    h("td", { class: "figure" }, w("hours_of", { n: hours(load.planned), total: hours(row.capacity_minutes) }),
      h("small", {}, h("br"), w("hours_decided", { n: hours(load.decided) })),
      over > 0 ? h("small", { class: "alarm" }, h("br"), w("over_capacity", { n: hours(over, 1) })) : null,
      overNow > 0 && overNow !== over && load.came > 0 ? h("small", { class: "alarm" }, h("br"), w("over_as_decided", { n: hours(overNow, 1) })) : null),
    h("td", { class: "figure" }, cases), h("td", {}, tierCounts(row)), h("td", {}, moveCounts(load)),
    data.expiring.columns.length ? h("td", { class: "rights" }, rightsOf(row.cm_id)) : null);
}

// Who is over capacity with what is decided so far, by name.
function overloadWords(found) {
  const over = workload.filter((row) => overBy(row.cm_id, found.get(row.cm_id).decided) > 0 && found.get(row.cm_id).came > 0);
  return over.map((row) => w("overload_of", { cm: row.cm_id, n: hours(overBy(row.cm_id, found.get(row.cm_id).decided), 1) }));
}

function teamBlock(team, found, end) {
  const rows = workload.filter((row) => (row.team ?? "") === team);
  const ids = new Set(rows.map((row) => row.cm_id));
  const mine = items.filter((item) => ids.has(item.to_cm));
  const heads = [["case_manager"], ["hours_week"], ["", true], ["cases", true], ["tiers"], ["moves_in_out"], ...(data.expiring.columns.length ? [["rights"]] : [])];
  const name = team ? w("team_named", { team }) : w("no_team");
  return h("div", { class: "team", "data-team": team },
    teams.length > 1 ? [h("h3", {}, name, h("span", { class: "quiet" }, ` · ${day(data.as_of, "long")}`)), tallyList(tallyPairs(rows, waitingOf.get(team), NOBODY, mine))] : null,
    table(heads, rows.map((row) => managerRow(row, found.get(row.cm_id), end)), name));
}

function loadSection() {
  if (!workload.length) return section("workload", w("by_case_manager"), "", empty("no_workload"));
  const found = loads(), end = scaleEnd();
  return section("workload", w("by_case_manager"), w("by_case_manager_why"), loadKey(),
    teams.filter((team) => state.team === null || team === state.team).map((team) => teamBlock(team, found, end)));
}

function teamChoice() {
  if (teams.length < 2) return "";
  return h("label", {}, w("team"), h("select", {
    id: "filter-team", onchange: (event) => { state.team = event.target.value === "*" ? null : event.target.value; renderAll(); byId("filter-team").focus(); },
  }, h("option", { value: "*", selected: state.team === null }, w("all_teams")),
  teams.map((team) => h("option", { value: team, selected: state.team === team }, team || w("no_team")))));
}
