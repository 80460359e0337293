"use strict";
(() => {
  const root = document.documentElement;

  function themes() {
    const button = document.getElementById("theme");
    const words = { "": "automatic", light: "light", dark: "dark" };
    const names = Object.keys(words);
    const show = (name) => {
      if (name) root.dataset.theme = name;
      else delete root.dataset.theme;
      button.textContent = `Theme: ${words[name]}`;
    };
    let current = "";
    try {
      current = localStorage.getItem("nnunet-vit-theme") || "";
    } catch { /* a file that the browser gives no storage */ }
    if (!names.includes(current)) current = "";
    button.hidden = false;
    show(current);
    button.addEventListener("click", () => {
      current = names[(names.indexOf(current) + 1) % names.length];
      show(current);
      try {
        localStorage.setItem("nnunet-vit-theme", current);
      } catch { /* likewise */ }
    });
  }

  const compared = new Intl.Collator("en", { numeric: true }).compare;

  function caseTable(section) {
    const table = section.querySelector("table.cases");
    const tools = section.querySelector(".tools");
    if (!table || !tools) return;
    const [find, most] = tools.querySelectorAll("input");
    const choice = tools.querySelector("select");
    const status = tools.querySelector("[role=status]");
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const names = rows.map((row) => row.cells[0].textContent.trim().toLowerCase());

    function valueOf(row, column, isNumber) {
      const cell = row.cells[column];
      if (!isNumber) return cell.textContent.trim();
      return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    }

    function sort(column) {
      const head = heads[column];
      const isNumber = head.dataset.kind === "number";
      const falling = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const keyed = rows.map((row) => ({ row, value: valueOf(row, column, isNumber) }));
      keyed.sort((one, other) => {
        if (one.value === null || other.value === null) {
          return (one.value === null) - (other.value === null); // no value: last, both ways
        }
        const order = isNumber ? one.value - other.value : compared(one.value, other.value);
        return falling ? -order : order;
      });
      table.tBodies[0].append(...keyed.map((each) => each.row));
    }

    function filter() {
      const word = find.value.trim().toLowerCase();
      const bound = most.value === "" ? Infinity : Number(most.value);
      let count = 0;
      rows.forEach((row, number) => {
        const dice = row.dataset.dice === "" ? null : Number(row.dataset.dice);
        const fits = bound === Infinity || (dice !== null && dice <= bound);
        row.hidden = !(names[number].includes(word) && fits);
        count += row.hidden ? 0 : 1;
      });
      status.textContent = `${count} of ${rows.length} cases`;
    }

    function choose() {
      heads.forEach((head, column) => {
        const metric = head.dataset.metric;
        if (!metric) return;
        const hidden = metric !== choice.value;
        if (head.hidden === hidden) return;
        head.hidden = hidden;
        rows.forEach((row) => { row.cells[column].hidden = hidden; });
      });
    }

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(column));
      head.append(button);
      head.setAttribute("aria-sort", "none");
    });
    find.addEventListener("input", filter);
    most.addEventListener("input", filter);
    choice.addEventListener("change", choose);
    tools.hidden = false;
    choose();
    filter();
  }

  themes();
  document.querySelectorAll("section").forEach(caseTable);
})();
