// What goes in and out as files of this computer, and its clock; nothing is sent anywhere.

const two = (n) => String(n).padStart(2, "0");
const dayOf = (moment) => `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
const momentOf = (moment) => `${dayOf(moment)}T${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
const today = () => dayOf(new Date());

// A local CSV with the columns person_id and label, separated by commas, semicolons or tabs → names by id.
function namesIn(text) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/).filter((line) => line.trim());
  const separator = [",", ";", "\t"].find((one) => (lines[0] ?? "").includes(one)) ?? ",";
  const cells = (line) => {
    const found = [];
    let cell = "", quoted = false;
    for (let i = 0; i < line.length; i += 1) {
      if (line[i] === '"' && quoted && line[i + 1] === '"') cell += line[(i += 1)];
      else if (line[i] === '"') quoted = !quoted;
      else if (line[i] === separator && !quoted) found.push(cell), (cell = "");
      else cell += line[i];
    }
    return [...found, cell].map((one) => one.trim());
  };
  const header = lines.length ? cells(lines[0]) : [];
  const id = header.indexOf("person_id"), name = header.indexOf("label");
  if (id < 0 || name < 0) return null;
  return new Map(lines.slice(1).map(cells).filter((row) => row[id] && row[name]).map((row) => [row[id], row[name]]));
}

function fileButton(id, key, accept, read) {
  const input = h("input", {
    type: "file", id: `file-${id}`, accept, hidden: true, "aria-label": w(key),
    onchange: async (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) read(await file.text());
    },
  });
  return [h("button", { type: "button", id: `open-${id}`, title: w(`${key}_hint`), onclick: () => input.click() }, w(key)), input];
}

// A file of this page's content, handed to the browser as a download.
function offerFile(name, content) {
  const address = URL.createObjectURL(new Blob([`${JSON.stringify(content, null, 2)}\n`], { type: "application/json" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
