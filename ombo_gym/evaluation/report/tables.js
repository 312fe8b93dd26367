"use strict";
// Tables marked data-sortable get buttons in their heads; those with filters get them shown.

(() => {
  for (const words of document.querySelectorAll("[data-unscripted]")) words.hidden = true;
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  document.body.append(said);

  // What a cell is sorted by: its words, or the first number in it; null where there is none.
  function worth(cell, words) {
    const text = cell.textContent.trim();
    if (words) return text === "" ? null : text;
    const number = parseFloat(text.replace("\u2212", "-").replace(/^[<+\s]+/, "").replaceAll(",", ""));
    return Number.isNaN(number) ? null : number;
  }

  function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null); // gaps are last, either way
    if (typeof a === "string") return sign * a.localeCompare(b, undefined, { numeric: true });
    return sign * (a - b);
  }

  function sort(table, head, column) {
    const words = head.classList.contains("t");
    const before = head.getAttribute("aria-sort");
    const smallFirst = words || /^(place|rank|mean rank|p |N$|q$)/.test(head.textContent);
    const ascending = before ? before === "descending" : smallFirst;
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [worth(row.cells[column], words), row]);
    rows.sort((a, b) => compare(a[0], b[0], ascending ? 1 : -1));
    body.append(...rows.map((pair) => pair[1]));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    const order = ascending ? "ascending" : "descending";
    head.setAttribute("aria-sort", order);
    said.textContent = `Sorted by ${head.textContent}, ${order}`;
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    if (table.tBodies[0].rows.length < 2) continue;
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      if (head.textContent === "") return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, column));
      head.append(button);
    });
  }

  for (const controls of document.querySelectorAll("[data-filters]")) {
    const rows = Array.from(document.getElementById(controls.dataset.filters).tBodies[0].rows);
    const selects = Array.from(controls.querySelectorAll("select"));
    const search = controls.querySelector("input");
    const count = controls.querySelector("output");
    const update = () => {
      const wanted = selects.filter((select) => select.value !== "");
      const part = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden =
          !row.cells[0].textContent.toLowerCase().includes(part) ||
          wanted.some((each) => row.cells[each.dataset.column].textContent !== each.value);
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    controls.addEventListener("input", update);
    controls.hidden = false;
    update();
  }

  // A link to a part that is closed opens it.
  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  }
  addEventListener("hashchange", reveal);
  reveal();
})();
