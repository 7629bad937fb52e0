// The page stands three times, once a language; one of them is shown.

const views = [...document.querySelectorAll(".view")];
const buttons = [...document.querySelectorAll(".languages button")];

function show(lang, isByHand) {
  for (const view of views) view.hidden = view.lang !== lang;
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.lang === lang));
  document.documentElement.lang = lang;
  const view = views.find((one) => one.lang === lang);
  document.title = view.dataset.title;
  if (isByHand) view.querySelector(`.languages button[lang="${lang}"]`).focus();
}

for (const button of buttons) button.addEventListener("click", () => show(button.lang, true));
for (const button of document.querySelectorAll(".print")) button.addEventListener("click", () => window.print());
show(document.documentElement.lang, false);
