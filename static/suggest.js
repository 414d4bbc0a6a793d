/* suggest.js: type-ahead for the fields that ask for a person (a combobox of ARIA 1.2): at most ten people, found by the server.
   Without it they are plain fields. */
(() => {
  "use strict";
  const d = document;
  d.querySelectorAll("input[data-suggest]").forEach((f, n) => {
    const box = d.createElement("ul"), said = d.createElement("span");
    box.className = "hits"; box.id = "hits-" + n; box.hidden = true;
    said.className = "vh"; said.setAttribute("role", "status");
    const set = (el, all) => Object.entries(all).forEach(([k, v]) => el.setAttribute(k, v));
    set(box, { role: "listbox", "aria-label": "People found" });
    set(f, { role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": box.id });
    f.after(box, said);
    let known = f.value.trim(), wait, at = -1;
    const mark = (i) => {
      at = i;
      [...box.children].forEach((o, k) => o.setAttribute("aria-selected", String(k === i)));
      const o = box.children[i];
      if (o) { f.setAttribute("aria-activedescendant", o.id); o.scrollIntoView({ block: "nearest" }); } else f.removeAttribute("aria-activedescendant");
    };
    const close = () => { clearTimeout(wait); box.hidden = true; f.setAttribute("aria-expanded", "false"); mark(-1); };
    const open = () => { if (box.children.length) { box.hidden = false; f.setAttribute("aria-expanded", "true"); } };
    const take = (o) => { f.value = known = o.dataset.value; close(); f.dispatchEvent(new Event("input", { bubbles: true })); if (f.form?.matches("[data-auto]")) f.form.requestSubmit(); };
    const ask = async (q) => {
      try {
        const r = await fetch(f.dataset.suggest + "?q=" + encodeURIComponent(q), { headers: { Accept: "application/json" } });
        if (!r.ok || known !== q) return;
        const hits = await r.json();
        if (known !== q || d.activeElement !== f) return;
        box.replaceChildren(...hits.map((u, i) => {
          const o = d.createElement("li"), name = d.createElement("small");
          set(o, { role: "option", id: box.id + "-" + i, "aria-selected": "false", "data-value": u.username });
          name.textContent = u.name;
          o.append(u.username, name);
          return o;
        }));
        mark(-1);
        if (hits.length) open(); else close();
        said.textContent = hits.length ? (hits.length === 1 ? "1 person found" : hits.length + (hits.length > 9 ? " or more" : "") + " people found") + ", arrow keys choose" : "Nobody found";
      } catch { /* offline: typing the username still works */ }
    };
    f.addEventListener("input", () => {
      const q = f.value.trim();
      if (q === known) return;
      known = q;
      close();
      if (q) wait = setTimeout(() => ask(q), 150);
    });
    f.addEventListener("keydown", (e) => {
      const shown = !box.hidden, last = box.children.length - 1;
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        if (last < 0) return;
        e.preventDefault();
        open();
        mark(e.key === "ArrowDown" ? (at < last ? at + 1 : 0) : at > 0 ? at - 1 : last);
      } else if (e.key === "Enter" && shown && at >= 0) { e.preventDefault(); take(box.children[at]); }
      else if (e.key === "Escape" && shown) { e.preventDefault(); close(); }
    });
    f.addEventListener("blur", close);
    box.addEventListener("mousedown", (e) => e.preventDefault());
    box.addEventListener("click", (e) => { const o = e.target.closest("[role=option]"); if (o) take(o); });
  });
})();
