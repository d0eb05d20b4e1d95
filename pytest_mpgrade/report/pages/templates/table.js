"use strict";
// Sorts, searches and filters the tables of this page. Without it all of them can be read as they are.
(() => {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    const numbers = a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y);
    return numbers ? x - y : collator.compare(a, b);
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const first = head.classList.contains("number") ? "descending" : "ascending";
        const turned = now === "ascending" ? "descending" : "ascending";
        const order = now ? turned : first;
        for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const value = (row) => {
          const cell = row.cells[column];
          return cell.dataset.value ?? cell.textContent.trim();
        };
        const rows = [...body.rows].map((row) => [value(row), row]);
        rows.sort((a, b) => sign * compare(a[0], b[0]));
        body.append(...rows.map(([, row]) => row));
      });
    });
  };
  document.querySelectorAll("table.sortable").forEach(sortable);

  const table = document.getElementById("table");
  const tools = document.querySelector(".tools");
  if (!table || !tools) return;
  const [search, kind, cause] = ["search", "kind", "cause"].map((id) => document.getElementById(id));
  const rows = [...table.tBodies[0].rows].map((row) => ({
    row,
    text: plain(row.textContent),
    kinds: (row.dataset.kinds ?? "").split(" "),
    causes: (row.dataset.causes ?? "").split(" "),
  }));
  const chosen = (select) => (select ? select.value : "");
  const filter = () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of rows) {
      const fits = words.every((word) => each.text.includes(word))
        && (!kind.value || each.kinds.includes(kind.value))
        && (!chosen(cause) || each.causes.includes(chosen(cause)));
      each.row.hidden = !fits;
      shown += fits;
    }
    document.getElementById("shown").textContent = `${shown} of ${rows.length} shown`;
  };
  search.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  cause?.addEventListener("change", filter);
  document.getElementById("reset").addEventListener("click", () => {
    for (const each of [search, kind, cause]) if (each) each.value = "";
    filter();
  });
  for (const button of document.querySelectorAll("button.show")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      search.value = kind.value = "";
      cause.value = button.dataset.cause;
      filter();
      document.getElementById("students").scrollIntoView();
      cause.focus({ preventScroll: true });
    });
  }
  tools.hidden = false;
  filter();
})();
