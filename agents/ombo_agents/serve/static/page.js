"use strict";

// Fields of a column that its role and kind have no use for are put away. Without scripts all are shown.
function putAway(column) {
  const role = column.querySelector("[name^='role-']").value;
  const kind = column.querySelector("[name^='kind-']").value;
  const several = document.querySelectorAll(".column select[name^='role-']");
  const targets = [...several].filter((each) => each.value === "target").length;
  column.dataset.role = role;
  for (const field of column.querySelectorAll("[data-for]")) {
    const uses = field.dataset.for.split(" ");
    let used = role === "parameter" && (uses.includes("parameter") || uses.includes(kind));
    if (role === "target" && uses.includes("target")) {
      const input = field.querySelector("input");
      used = !("several" in field.dataset) || targets > 1 || input.value !== input.dataset.usual;
    }
    field.hidden = !used;
  }
  const words = { fixed: "Value", levels: "Levels, one a line", choices: "Categories, one a line" };
  const label = column.querySelector("label[for^='values-']");
  label.textContent = words[kind] || "Values, one a line";
}

function columns() {
  const all = [...document.querySelectorAll("fieldset.column")];
  const renew = () => all.forEach(putAway);
  for (const column of all) {
    column.addEventListener("change", renew);
  }
  renew();
  const origin = document.getElementById("origin");
  if (origin) {
    const percentile = document.querySelector("[data-origin]");
    const show = () => { percentile.hidden = origin.value !== "percentile"; };
    origin.addEventListener("change", show);
    show();
  }
}

// Asks how far the calculation is, until it ends; then the page is shown anew with what came of it.
async function watch(section) {
  const bar = document.getElementById("bar");
  const words = document.getElementById("going-on-words");
  const begun = words.textContent;
  let announced = -1;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    let found;
    try {
      found = await (await fetch(section.dataset.progress)).json();
    } catch {
      words.textContent = "The page is not served any more: start ombo serve again.";
      return;
    }
    if (found.state !== "running") {
      const end = found.state === "done" ? `#${section.dataset.result}` : "";
      location.replace(`${location.pathname}?${found.state}${end}`);
      return;
    }
    if (found.total) {
      bar.max = found.total;
      bar.value = found.done;
      const tenth = Math.floor((10 * found.done) / found.total);
      if (tenth !== announced) {  // read aloud, so not at every step
        announced = tenth;
        words.textContent = `${begun} ${10 * tenth}%`;
      }
    }
  }
}

// A form is sent once, however often its button is pressed.
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    }
    form.dataset.sent = "yes";
  });
}

// Where a table is wider than its place, that is said above it.
function cut(region) {
  const hint = document.createElement("p");
  hint.className = "hint more";
  region.before(hint);
  const renew = () => {
    const right = region.scrollWidth - region.clientWidth - region.scrollLeft;
    hint.hidden = region.scrollWidth <= region.clientWidth + 1;
    hint.textContent = right > 1 ? "There is more to the right: scroll sideways. →" : "← This is the right end.";
  };
  region.addEventListener("scroll", renew, { passive: true });
  window.addEventListener("resize", renew);
  renew();
}

document.querySelectorAll(".scroll").forEach(cut);
document.querySelectorAll("form").forEach(once);
columns();
const goingOn = document.getElementById("going-on");
if (goingOn) {
  watch(goingOn);
}
const alertBox = document.getElementById("alert");
if (alertBox) {
  alertBox.focus();
}
