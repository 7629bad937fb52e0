// One line a meeting, each leading to its committee page.

function renderAll() {
  document.title = [w("title"), label(data.labels.program)].join(" · ");
  byId("title").textContent = [w("title"), w("meetings_title")].join(" · ");
  byId("facts").replaceChildren(data.as_of ? h("b", {}, w("as_of", { date: day(data.as_of, "long") })) : "",
    h("span", {}, `${label(data.labels.program)} ${data.program.version}`),
    data.links.caseload ? h("a", { href: data.links.caseload }, w("caseload")) : "");
  byId("marks").replaceChildren(h("span", { class: "proposes" }, w("proposes")));
  byId("head-tools").replaceChildren(languageButtons(renderAll));
  byId("main").replaceChildren(data.meetings.length ? meetingTable() : h("p", { class: "empty" }, w("meetings_none")));
}

function meetingTable() {
  const heads = [["list_of_meeting"], ["meeting_on"], ["places", true], ["people", true], ["assess_first", true]];
  const figure = (value) => h("td", { class: "figure" }, value == null ? "–" : number(value));
  return h("section", {}, h("table", {},
    h("thead", {}, h("tr", {}, heads.map(([key, isFigure]) => h("th", { scope: "col", class: isFigure ? "figure" : null }, w(key))))),
    h("tbody", {}, data.meetings.map((row) => h("tr", {},
      h("td", {}, h("a", { href: row.href }, row.territory || w("everywhere"))),
      h("td", {}, row.held_on ? day(row.held_on, "long") : w("no_meeting")),
      figure(row.places), figure(row.people), figure(row.assess_first))))));
}

renderAll();
