// The list: who stands where, the cut, the zone too close to call, and those who are to be assessed first.

const view = { search: "", tier: "", criteria: "", decision: "", column: "rank", descending: false };

const COLUMNS = [
  { id: "rank", head: "rank", figure: true, value: (e) => e.rank, cell: rankCell },
  { id: "person", head: "person", value: (e) => nameOf(e), cell: personCell },
  { id: "tier", head: "tier", value: (e) => TIERS.indexOf(e.tier), cell: (e) => h("td", { class: "tier" }, tierWord(e)) },
  {
    id: "score", head: hasRisk ? "risk" : "points", figure: true, value: (e) => (hasRisk ? e.risk : e.points),
    cell: (e) => h("td", { class: "figure col-score" }, hasRisk ? (e.risk == null ? "" : percent(e.risk)) : e.points == null ? "" : number(e.points)),
  },
  { id: "waited", head: "days_waited", long: "days_waited_long", figure: true, value: (e) => e.waited_days,
    cell: (e) => h("td", { class: "figure" }, number(e.waited_days)) },
  ...(hasRankInterval || hasRiskInterval ? [{
    id: "interval", head: hasRankInterval ? "rank_interval" : "risk_interval",
    value: (e) => (hasRankInterval ? e.rank_low : e.risk_low), cell: (e) => h("td", { class: "col-interval" }, intervalBar(e)),
  }] : []),
  { id: "criteria", head: "criteria", value: (e) => ["fails", "ask", "meets"].indexOf(criteriaOf(e)), cell: (e) => h("td", {}, criteriaMark(criteriaOf(e))) },
  { id: "decision", head: "decision", value: (e) => OUTCOMES.indexOf(state.decisions.get(e.referral_id)?.outcome), cell: decisionCell },
];

const tierWord = (entry) => [tierShape(entry.tier), h("span", { class: "tier-word" }, tierLabel(entry.tier))];
const SIGNS = { meets: "✓", fails: "✗", ask: "?" };

function criteriaMark(status) {
  return h("span", { class: `mark ${status}`, title: w(`criteria_${status}`) },
    h("span", { "aria-hidden": "true" }, SIGNS[status]), hiddenWords(w(`criteria_${status}`)));
}

function rankCell(entry) {
  const marks = [];
  if (entry.tie_group > 0) marks.push(h("span", { title: w("tie"), "aria-hidden": "true" }, "="), hiddenWords(w("tie")));
  if (isTied(entry)) marks.push(h("span", { title: w("tied_row"), "aria-hidden": "true" }, "≈"), hiddenWords(w("tied_row")));
  return h("td", { class: "rank" }, marks, entry.rank == null ? "–" : number(entry.rank));
}

function personCell(entry) {
  const named = state.names.has(entry.person_id);
  const isOpen = entry.referral_id === state.open;
  return h("td", {}, h("button", {
    type: "button", class: "person-button", "aria-current": isOpen ? "true" : null,
    tabindex: entry.referral_id === state.cursor ? 0 : -1,
  }, nameOf(entry), named ? h("small", {}, entry.person_id) : null));
}

function decisionCell(entry) {
  const decision = state.decisions.get(entry.referral_id);
  return h("td", { class: "outcome" }, decision ? w(`outcome_${decision.outcome}`) : "");
}

// The interval with its point, on one scale for the whole list; the dashed tick is the cut. Ranks stand on a square-root
// scale, so that the first ranks, where the places are, can be told apart on a list of any length.
const lastRank = Math.max(2, data.n_ranked, ...ranked.map((entry) => entry.rank_high ?? 0));
const topRisk = Math.max(0.01, ...ranked.map((entry) => entry.risk_high ?? 0));
const shareOfScale = (x) => (hasRankInterval ? Math.sqrt((x - 1) / (lastRank - 1)) : x / topRisk);

function intervalBar(entry) {
  const [low, point, high] = hasRankInterval ? [entry.rank_low, entry.rank, entry.rank_high] : [entry.risk_low, entry.risk, entry.risk_high];
  if (low == null || high == null) return "";
  const width = 100, at = (x) => (4 + (width - 8) * shareOfScale(x)).toFixed(1);
  const tell = hasRankInterval ? number : percent;
  const words = w("interval_of", { low: tell(low), high: tell(high) });
  const cut = hasRankInterval && lastWithin > 0 && lastWithin < lastRank
    ? draw("line", { x1: at(lastWithin + 0.5), x2: at(lastWithin + 0.5), y1: 0, y2: 16, stroke: "#00598c", "stroke-dasharray": "2 2" }) : null;
  return draw("svg", { width, height: 16, viewBox: `0 0 ${width} 16`, role: "img", "aria-label": words },
    draw("title", {}, words),
    draw("line", { x1: 4, x2: width - 4, y1: 8, y2: 8, stroke: "#d4d4d4" }),
    cut,
    draw("line", { x1: at(low), x2: at(high), y1: 8, y2: 8, stroke: "#0072b2", "stroke-width": 4 }),
    draw("circle", { cx: at(point), cy: 8, r: 4, fill: "#1b1b1b", stroke: "#fff" }));
}

function matches(entry) {
  const decision = state.decisions.get(entry.referral_id)?.outcome;
  const text = [entry.person_id, state.names.get(entry.person_id), entry.territory, entry.referral_id].join(" ").toLocaleLowerCase();
  return text.includes(view.search.trim().toLocaleLowerCase()) &&
    (!view.tier || entry.tier === view.tier) &&
    (!view.criteria || (view.criteria === "tied" ? isTied(entry) : criteriaOf(entry) === view.criteria)) &&
    (!view.decision || (view.decision === "undecided" ? !decision : view.decision === "decided" ? Boolean(decision) : decision === view.decision));
}

function sorted(rows) {
  const { value } = COLUMNS.find((column) => column.id === view.column) ?? COLUMNS[0];
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x == null || y == null) return (x == null) - (y == null);
    return (typeof x === "string" ? x.localeCompare(y, lang) : x - y) * (view.descending ? -1 : 1);
  };
  return [...rows].sort((a, b) => order(a, b) || (a.rank ?? 0) - (b.rank ?? 0));
}

const isFiltered = () => Boolean(view.search.trim() || view.tier || view.criteria || view.decision);
const shownRows = () => [...document.querySelectorAll("tr.entry")];

function entryRow(entry, cells) {
  const classes = ["entry", isWithin(entry) && "proposed", isTied(entry) && "tied",
    entry.referral_id === state.open && "open", state.decisions.has(entry.referral_id) && "decided"].filter(Boolean);
  return h("tr", { class: classes.join(" "), "data-ref": entry.referral_id }, cells);
}

function headCell(column) {
  const isSorted = view.column === column.id;
  return h("th", {
    class: `col-${column.id}${column.figure ? " figure" : ""}`, scope: "col",
    "aria-sort": isSorted ? (view.descending ? "descending" : "ascending") : null,
  }, h("button", {
    type: "button", "data-sort": column.id, title: column.long ? w(column.long) : null,
    onclick: () => {
      view.descending = isSorted ? !view.descending : false;
      view.column = column.id;
      renderList();
      document.querySelector(`[data-sort="${column.id}"]`).focus();
    },
  }, column.id === "rank" ? [h("span", { "aria-hidden": "true" }, "#"), hiddenWords(w(column.head))] : w(column.head),
  h("span", { class: "sort-mark", "aria-hidden": "true" }, isSorted ? (view.descending ? " ▼" : " ▲") : "")));
}

const spanningRow = (kind, ...content) => h("tr", { class: kind }, h("td", { colspan: COLUMNS.length }, content));

// The ranked rows, with the cut after the last place and the name of the hatched zone at its top.
function rankedRows(rows) {
  const inOrder = view.column === "rank" && !view.descending;
  const out = [];
  let isCut = places === null || !inOrder, isNamed = !inOrder;
  const cut = () => {
    if (!isCut && places > 0) out.push(spanningRow("cut", h("div", { class: "cut-line" }, plural("n_cut", places))));
    isCut = true;
  };
  for (const entry of rows) {
    if (!isNamed && isTied(entry)) {
      out.push(spanningRow("zone", `≈ ${w("tied_zone")}`));
      isNamed = true;
    }
    if (entry.rank > lastWithin) cut();
    out.push(entryRow(entry, COLUMNS.map((column) => column.cell(entry))));
  }
  if (rows.length) cut();
  return out;
}

function rankedSection(rows) {
  const rest = data.n_ranked - ranked.length;
  if (!ranked.length) return h("p", { class: "empty" }, w("nobody_waits"));
  return [
    h("table", { "aria-label": w("ranked_list"), id: "ranked" },
      h("thead", {}, h("tr", {}, COLUMNS.map(headCell))), h("tbody", {}, rankedRows(rows))),
    rows.length ? null : h("p", { class: "empty" }, w("nobody_matches"), " ",
      h("button", { type: "button", class: "bare", onclick: clearFilters }, w("clear_filters"))),
    rest > 0 ? h("p", { class: "quiet", id: "rest" }, w("more_in_file", { n: number(rest), file: data.list_file })) : null,
  ];
}

function addedSection(rows) {
  if (!added.length) return null;
  const cells = (entry) => [personCell(entry), h("td", {}, w("added_because", { reason: entry.reason ?? "", by: entry.by ?? "" })), decisionCell(entry)];
  return h("section", { id: "added" }, h("h2", {}, w("addendum")),
    h("table", {}, sideHead(["person", "reason", "decision"]), h("tbody", {}, rows.map((entry) => entryRow(entry, cells(entry))))));
}

const sideHead = (keys) => h("thead", {}, h("tr", {}, keys.map((key) => h("th", { scope: "col" }, w(key)))));
const missingItems = (entry) =>
  (entry.missing_items ?? "").split(/[,;]\s*/).filter(Boolean).map(factName).join(", ");

function assessSection(rows) {
  const cells = (entry) => [
    personCell(entry),
    h("td", { class: "figure" }, entry.waited_days == null ? "" : w("days", { n: number(entry.waited_days) })),
    h("td", { class: "figure", title: w("known_share_long") }, entry.completeness == null ? "" : percent(entry.completeness)),
    h("td", { class: "missing-list" }, missingItems(entry)), h("td", {}, criteriaMark(criteriaOf(entry))),
  ];
  return h("section", { id: "assess-first" }, h("h2", {}, `${w("assess_first")} · ${plural("n_people", unranked.length)}`),
    h("p", { class: "quiet" }, w(unranked.length ? "assess_first_why" : "assess_first_none")),
    unranked.length ? h("table", {}, sideHead(["person", "days_waited", "known_share", "missing_items", "criteria"]),
      h("tbody", {}, rows.map((entry) => entryRow(entry, cells(entry))))) : null);
}

function renderList() {
  const held = document.activeElement?.closest?.("tr.entry")?.dataset.ref;
  const list = byId("list"), top = list.scrollTop;
  const shown = (rows) => rows.filter(matches);
  const [inRank, late, incomplete] = [sorted(shown(ranked)), shown(added), shown(unranked)];
  const visible = [...inRank, ...late, ...incomplete];
  if (!visible.some((entry) => entry.referral_id === state.cursor)) state.cursor = visible[0]?.referral_id ?? null;
  list.replaceChildren(...[rankedSection(inRank), addedSection(late), assessSection(incomplete)].flat().filter(Boolean));
  list.scrollTop = top;
  byId("shown").textContent = isFiltered() ? w("shown", { n: number(visible.length), total: number(entries.length) }) : "";
  if (held) rowOf(held)?.querySelector(".person-button").focus({ preventScroll: true });
}

const rowOf = (ref) => shownRows().find((row) => row.dataset.ref === ref);

// The first arrow key brings the focus into the list; the next ones move it.
function moveCursor(step) {
  const rows = shownRows();
  const here = rows.findIndex((row) => row.dataset.ref === state.cursor);
  const isInList = Boolean(document.activeElement?.closest?.("tr.entry"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, here + (isInList ? step : 0)))];
  if (next) putCursor(next);
}

function putCursor(row) {
  for (const button of document.querySelectorAll('.person-button[tabindex="0"]')) button.tabIndex = -1;
  const button = row.querySelector(".person-button");
  button.tabIndex = 0;
  state.cursor = row.dataset.ref;
  button.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function clearFilters() {
  Object.assign(view, { search: "", tier: "", criteria: "", decision: "" });
  renderAll();
  byId("search").focus();
}
