// Words, numbers and dates in the language of the reader, and elements built from text only: no text is ever parsed as HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const LANGUAGES = ["en", "fr", "it"];
const LOCALES = { en: "en-GB", fr: "fr-FR", it: "it-IT" };
const SVG = "http://www.w3.org/2000/svg";
let lang = data.lang;

function w(key, values = {}) {
  const words = data.words[lang][key] ?? data.words.en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function plural(key, n) {
  const isOne = lang === "fr" ? Math.abs(n) < 2 : Math.abs(n) === 1;
  return w(`${key}.${isOne ? "one" : "other"}`, { n: number(n) });
}

const formats = new Map(); // making one takes far longer than using it

function kept(kind, options) {
  const key = `${lang}|${kind}|${Object.entries(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl[kind](LOCALES[lang], options));
  return formats.get(key);
}

function number(x, digits = 0, options = {}) {
  const asked = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: true, ...options };
  return kept("NumberFormat", asked).format(x).replace("-", "\u2212");
}

// At most one digit after the point, and none where it says nothing.
const short = (x) => number(x, Number.isInteger(Math.round(x * 10) / 10) ? 0 : 1);
const signed = (x, digits = 0) => number(x, digits, { signDisplay: "exceptZero" });
const percent = (x) => number(x, 0, { style: "percent" });

function day(iso, style = "short") {
  if (!iso) return "";
  const options = { day: "numeric", month: style === "month" ? "short" : style, year: "numeric", timeZone: "UTC" };
  if (style === "month") delete options.day;
  return kept("DateTimeFormat", options).format(new Date(`${iso.slice(0, 10)}T00:00:00Z`));
}

const label = (labels, fallback = "") => labels?.[lang] ?? labels?.en ?? readable(fallback);
const readable = (code) => String(code ?? "").replaceAll("_", " ");

function languageName(code) {
  try {
    return kept("DisplayNames", { type: "language" }).of(code);
  } catch {
    return code; // not a language code: shown as the table holds it
  }
}

// A sentence of a row: in the reader's language where the row has it, else as it was made.
const told = (row, name) => row[`${name}_${lang}`] ?? row[name] ?? "";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);
const hiddenWords = (text) => h("span", { class: "hidden-words" }, text);

// A table of the page's data: a header and rows → one object a row.
function records(table) {
  return table.rows.map((row) => Object.fromEntries(table.columns.map((name, i) => [name, row[i]])));
}

function groupBy(rows, column) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row[column])) groups.set(row[column], []);
    groups.get(row[column]).push(row);
  }
  return groups;
}

const TIERS = data.labels.tiers.map((tier) => tier.id);
const tierLabel = (id) => label(data.labels.tiers.find((tier) => tier.id === id)?.label, id);

// A tier is told by its word and by a shape: filled and pointed at the top, hollow and round at the bottom.
function tierShape(id) {
  const place = TIERS.indexOf(id);
  const paint = { fill: "#1b1b1b", stroke: "#1b1b1b", "stroke-width": 1.3, "stroke-linejoin": "round" };
  const hollow = { ...paint, fill: "none" };
  const last = place === TIERS.length - 1 || place < 0;
  const shape = last ? draw("circle", { cx: 6, cy: 6, r: 4, ...hollow })
    : place === 0 ? draw("path", { d: "M6 1.2 11 10.4H1Z", ...paint })
    : place === 1 ? draw("path", { d: "M6 1 11 6 6 11 1 6Z", ...hollow, fill: "#a9a9a9" })
    : draw("rect", { x: 2, y: 2, width: 8, height: 8, ...hollow });
  return draw("svg", { width: 12, height: 12, viewBox: "0 0 12 12", "aria-hidden": "true" }, shape);
}

function fingerprintMarks(fingerprints) {
  return Object.entries(fingerprints).map(([part, value]) => {
    const full = w("fingerprint_of", { part: w(part), value });
    return h("span", {}, `${w(part)} `,
      h("abbr", { class: "mono", title: full, tabindex: 0, "aria-label": full }, value.slice(0, 8)),
      h("span", { class: "mono print-only" }, value));
  });
}

function languageButtons(onchange) {
  return h("span", { class: "languages", role: "group", "aria-label": w("language") }, LANGUAGES.map((code) =>
    h("button", {
      type: "button", lang: code, "aria-pressed": String(code === lang),
      onclick: () => {
        lang = code;
        document.documentElement.lang = code;
        onchange();
        document.querySelector(`.languages button[lang="${code}"]`).focus();
      },
    }, code.toUpperCase())));
}
