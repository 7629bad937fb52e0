// The caseload page. Case managers stand in alphabetical order of id; nothing here sorts or compares them.

const workload = records(data.workload);
const proposed = records(data.proposed);
const unassigned = records(data.unassigned);
const indicators = records(data.indicators);
const hours = (minutes, digits = 0) => number(minutes / 60, digits);
const total = (rows, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0);
const ruleWords = (rule) => (`rule_${rule}` in data.words.en ? w(`rule_${rule}`) : readable(rule));

function renderHead() {
  document.title = [w("title"), label(data.labels.program), day(data.as_of)].join(" · ");
  byId("title").textContent = [w("title"), label(data.labels.program)].join(" · ");
  byId("facts").replaceChildren(h("b", {}, w("as_of", { date: day(data.as_of, "long") })),
    h("span", {}, `${label(data.labels.program)} ${data.program.version}`),
    data.links.committee ? h("a", { href: data.links.committee }, w("committee")) : "");
  byId("marks").replaceChildren(h("span", { class: "proposes" }, w("proposes")), ...fingerprintMarks(data.fingerprints));
  byId("head-tools").replaceChildren(languageButtons(renderAll), h("button", { type: "button", onclick: () => window.print() }, w("print")));
}

function tallies() {
  if (!workload.length) return null;
  const needed = total(workload, "minutes_after") + total(unassigned, "minutes");
  const pairs = [
    [number(workload.length), w("case_managers")],
    [number(total(workload, "cases_before")), w("open_cases")],
    [number(proposed.length), w("proposed_cases")],
    [number(unassigned.length), w("without_lead")],
    [hours(needed), w("hours_needed")],
    [hours(total(workload, "capacity_minutes")), w("hours_available")],
  ];
  return h("dl", { class: "tallies" }, pairs.map(([value, words]) => h("div", {}, h("dt", {}, words), h("dd", {}, value))));
}

function section(id, heading, why, ...content) {
  return h("section", { id }, h("h2", {}, heading), why ? h("p", { class: "quiet" }, why) : null, content);
}

const empty = (key) => h("p", { class: "empty" }, w(key));

function table(heads, rows) {
  return h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": w("title") }, h("table", {},
    h("thead", {}, h("tr", {}, heads.map(([key, figure]) => h("th", { scope: "col", class: figure ? "figure" : null }, key ? w(key) : "")))),
    h("tbody", {}, rows)));
}

const scaleEnd = Math.max(1, ...workload.map((row) => Math.max(row.capacity_minutes ?? 0, row.minutes_after ?? 0, row.minutes_before ?? 0)));

// Hours against capacity on one scale: hollow before, filled after, an upright at the capacity.
function loadBar(row) {
  const at = (minutes) => `${((100 * (minutes ?? 0)) / (scaleEnd * 1.02)).toFixed(2)}%`;
  const words = `${w("hours_of", { n: hours(row.minutes_after), total: hours(row.capacity_minutes) })}; ${w("hours_from", { n: hours(row.minutes_before) })}`;
  const over = row.minutes_after - row.capacity_minutes;
  return draw("svg", { role: "img", "aria-label": words, height: 18 }, draw("title", {}, words),
    draw("rect", { x: 0, y: 5, height: 8, width: at(row.minutes_after), fill: "#0072b2" }),
    over > 0 ? draw("rect", { x: at(row.capacity_minutes), y: 5, height: 8, width: at(over), fill: "#d55e00" }) : null,
    draw("rect", { x: 0.5, y: 2.5, height: 13, width: at(row.minutes_before), fill: "none", stroke: "#4a4a4a" }),
    draw("line", { x1: at(row.capacity_minutes), x2: at(row.capacity_minutes), y1: 0, y2: 18, stroke: "#1b1b1b", "stroke-width": 2 }));
}

function loadKey() {
  const swatch = (...marks) => draw("svg", { width: 22, height: 14, "aria-hidden": "true" }, marks);
  return h("p", { class: "key" },
    h("span", {}, swatch(draw("rect", { x: 0.5, y: 0.5, width: 21, height: 13, fill: "none", stroke: "#4a4a4a" })), w("before")),
    h("span", {}, swatch(draw("rect", { x: 0, y: 3, width: 22, height: 8, fill: "#0072b2" })), w("after")),
    h("span", {}, swatch(draw("line", { x1: 11, x2: 11, y1: 0, y2: 14, stroke: "#1b1b1b", "stroke-width": 2 })), w("capacity")));
}

const tierCounts = (row) => h("span", { class: "tier-counts" }, TIERS.filter((id) => row[`n_${id}`] != null).map((id) =>
  h("span", {}, tierShape(id), `${tierLabel(id)} ${number(row[`n_${id}`])}`)));

function loadSection() {
  if (!workload.length) return section("workload", w("by_case_manager"), "", empty("no_workload"));
  const rows = workload.map((row) => {
    const over = row.minutes_after - row.capacity_minutes;
    return h("tr", {}, h("td", {}, h("b", {}, row.cm_id)), h("td", {}, row.team ?? ""), h("td", { class: "load" }, loadBar(row)),
      h("td", { class: "figure" }, w("hours_of", { n: hours(row.minutes_after), total: hours(row.capacity_minutes) }),
        over > 0 ? h("small", { class: "alarm" }, h("br"), w("over_capacity", { n: hours(over, 1) })) : null),
      h("td", { class: "figure" }, row.cases_before === row.cases_after ? number(row.cases_after)
        : w("cases_change", { before: number(row.cases_before ?? 0), after: number(row.cases_after ?? 0) })),
      h("td", {}, tierCounts(row)));
  });
  return section("workload", w("by_case_manager"), w("by_case_manager_why"), loadKey(),
    table([["case_manager"], ["team"], ["hours_week"], ["", true], ["cases", true], ["tiers"]], rows));
}

const kindWords = (kind) => (["open", "proposed"].includes(kind) ? w(`kind_${kind}`) : readable(kind));

function proposalSection() {
  if (!proposed.length) return section("proposals", w("proposals"), "", empty("no_proposals"));
  const rows = proposed.map((row) => h("tr", {}, h("td", {}, h("b", {}, row.person_id)), h("td", {}, kindWords(row.kind)), h("td", {}, row.cm_id),
    h("td", { class: "figure" }, row.minutes == null ? "" : w("hours", { n: hours(row.minutes, 1) })), h("td", {}, told(row, "why")), h("td", { class: "quiet" }, row.runner_up ?? "")));
  return section("proposals", w("proposals"), w("proposals_why"),
    table([["person"], ["kind"], ["case_manager"], ["hours_week", true], ["why"], ["runner_up"]], rows));
}

function unassignedSection() {
  if (!unassigned.length) return section("unassigned", w("unassigned"), "", empty("no_unassigned"));
  const rows = unassigned.map((row) => h("tr", {}, h("td", {}, h("b", {}, row.person_id)), h("td", {}, kindWords(row.kind)),
    h("td", {}, ruleWords(row.rule), told(row, "reason") ? h("small", {}, ` · ${told(row, "reason")}`) : null), h("td", {}, told(row, "relaxation"))));
  return section("unassigned", w("unassigned"), "", table([["person"], ["kind"], ["reason"], ["change"]], rows));
}

// One measure over the months: its points, the mean, and dashed limits; a point outside them is hollow and named.
function flowChart(series) {
  const key = { inflow: "flow_in", outflow: "flow_out", stock: "flow_stock" }[series.measure];
  const width = 340, height = 120, left = 30, right = 10, top = 10, bottom = 20;
  const known = [...series.values, series.upper, series.lower].filter((x) => x != null);
  const low = series.measure === "stock" ? Math.min(...known) * 0.95 : 0, high = Math.max(...known, low + 1);
  const x = (i) => left + ((width - left - right) * i) / Math.max(1, series.values.length - 1);
  const y = (value) => height - bottom - ((height - top - bottom) * (value - low)) / (high - low);
  const line = (value, dash) => (value == null ? null
    : draw("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), stroke: "#6f6f6f", "stroke-dasharray": dash }));
  const isOut = (value) => series.upper != null && (value > series.upper || value < series.lower);
  const points = series.values.map((value, i) => [value, i]).filter(([value]) => value != null);
  const path = points.map(([value, i], k) => `${k ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const words = `${w(key)}: ${points.map(([value, i]) => `${day(series.months[i], "month")} ${number(value)}${isOut(value) ? ` (${w("flow_outside")})` : ""}`).join(", ")}`;
  const tick = (value, at) => draw("text", { x: left - 5, y: at + 4, "text-anchor": "end" }, number(value));
  return h("figure", {}, h("figcaption", {}, w(key), series.mean == null ? null : h("span", { class: "quiet" }, ` · ${w("flow_mean", { n: short(series.mean) })}`)),
    draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words },
      draw("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, stroke: "#d4d4d4" }),
      tick(high, y(high)), tick(low, y(low)), line(series.mean), line(series.upper, "4 3"), line(series.lower, "4 3"),
      draw("path", { d: path, fill: "none", stroke: "#0072b2", "stroke-width": 1.5 }),
      points.map(([value, i]) => draw("circle", {
        cx: x(i), cy: y(value), r: isOut(value) ? 4.5 : 2.2, fill: isOut(value) ? "#fff" : "#0072b2", stroke: isOut(value) ? "#a33a00" : "#0072b2", "stroke-width": isOut(value) ? 2 : 0,
      }, draw("title", {}, `${day(series.months[i], "month")}: ${number(value)}`))),
      points.filter(([value]) => isOut(value)).map(([value, i]) => draw("text", { x: Math.min(x(i) + 7, width - 20), y: y(value) + 4 }, number(value))),
      draw("text", { x: left, y: height - 5 }, day(series.months[0], "month")),
      draw("text", { x: width - right, y: height - 5, "text-anchor": "end" }, day(series.months.at(-1), "month"))));
}

function flowSection() {
  if (!data.flow.length) return section("flow", w("flow"), "", empty("no_flow"));
  return section("flow", w("flow"), w("flow_limits"), h("div", { class: "charts" }, data.flow.map(flowChart)));
}

function contactSection() {
  if (!data.contacts.length) return section("contacts", w("contacts"), "", empty("no_contacts"));
  const isTier = data.contacts[0].group_kind === "tier";
  const name = (row) => (isTier ? [tierShape(row.group), " ", tierLabel(row.group)] : label(data.labels.intensities[row.group], row.group));
  const isLate = data.contacts.some((row) => row.overdue != null);
  const rows = data.contacts.map((row) => h("tr", {}, h("td", {}, name(row)), h("td", { class: "figure" }, number(row.due)), h("td", { class: "figure" }, number(row.done)),
    h("td", { class: "figure" }, row.due ? `${percent(row.done / row.due)} (${w("of", { n: number(row.done), total: number(row.due) })})` : ""),
    isLate ? h("td", { class: "figure" }, row.overdue == null ? "" : number(row.overdue)) : null));
  return section("contacts", w("contacts"), "", table([[isTier ? "tier" : "intensity"], ["contacts_due", true], ["contacts_done", true], ["contacts_share", true],
    ...(isLate ? [["contacts_overdue", true]] : [])], rows));
}

// A hidden cell says that it is hidden and why; a value stands beside what it was counted from.
function indicatorValue(row) {
  if (!row) return "";
  if (row.is_suppressed) {
    const words = w("suppressed", { n: data.small_cell });
    return h("span", { class: "quiet", title: words }, `< ${data.small_cell}`, hiddenWords(words));
  }
  if (row.value == null) return "–";
  if (row.denominator == null) return short(row.value);
  if (row.numerator == null) return `${row.value < 1 ? number(row.value, 2) : short(row.value)} (n = ${number(row.denominator)})`;
  const isShare = row.value >= 0 && row.value <= 1;
  return `${isShare ? percent(row.value) : short(row.value)} (${w("of", { n: number(row.numerator), total: number(row.denominator) })})`;
}

const intensityOf = (id) => Object.keys(data.labels.intensities).find((one) => id.endsWith(`_${one}`));
const periodOf = (row) => [...new Set([row.period_start, row.period_end].filter(Boolean))].map((one) => h("span", { class: "day" }, day(one)));

// "contacts_done_intensive" and "referrals_30d" → the indicator's words, with the intensity; the period has its own column.
function indicatorName(id) {
  const bare = id.replace(/_\d+d$/, "");
  const intensity = intensityOf(bare);
  const stem = intensity ? bare.slice(0, -intensity.length - 1) : bare;
  const words = `indicator_${stem}` in data.words.en ? w(`indicator_${stem}`) : readable(stem);
  return intensity ? `${words} · ${label(data.labels.intensities[intensity])}` : words;
}

const NOBODYS = { unassigned: "without_lead", unknown: "unknown" };
const groupName = (row) => (row.group_kind === "tier" ? tierLabel(row.group)
  : row.group in NOBODYS ? w(NOBODYS[row.group]) : readable(row.group));

// One line an indicator and period: everyone first, then the groups of each kind side by side.
function indicatorSection() {
  if (!indicators.length) return section("indicators", w("indicators"), "", empty("no_indicators"));
  const listed = indicators.filter((row) => !(data.contacts.length && row.indicator.startsWith("contacts_") && intensityOf(row.indicator))); // stand above
  const lines = [...groupBy(listed.map((row) => ({ ...row, line: [row.indicator, row.period_start, row.period_end].join("|") })), "line").values()];
  const kinds = ["team", "territory", "tier"].filter((kind) => indicators.some((row) => row.group_kind === kind));
  const groups = (rows, kind) => rows.filter((row) => row.group_kind === kind).map((row) =>
    [h("span", { class: "group" }, `${groupName(row)} `, h("b", {}, indicatorValue(row))), " "]);
  const rows = lines.map((line) => h("tr", {}, h("td", {}, indicatorName(line[0].indicator)),
    h("td", { class: "quiet period" }, periodOf(line[0]).flatMap((one, i) => (i ? [" – ", one] : [one]))),
    h("td", {}, h("b", {}, indicatorValue(line.find((row) => row.group_kind === "all")))),
    kinds.map((kind) => h("td", { class: "groups" }, groups(line, kind)))));
  const note = indicators.some((row) => row.is_suppressed) ? `< ${data.small_cell}: ${w("suppressed", { n: data.small_cell })}` : "";
  return section("indicators", w("indicators"), note, table([["indicator"], ["period"], ["everyone"], ...kinds.map((kind) => [`by_${kind}`])], rows));
}

function renderAll() {
  renderHead();
  byId("main").replaceChildren(...[tallies(), loadSection(), unassignedSection(), proposalSection(), flowSection(), contactSection(), indicatorSection()].filter(Boolean));
}

renderAll();
