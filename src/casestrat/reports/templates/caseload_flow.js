// How the service flows: months, contacts, indicators; a hidden cell stays hidden.

const indicators = records(data.indicators);

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
