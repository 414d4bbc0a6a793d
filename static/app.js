/* app.js: small extras only. Every page works with this file blocked.
   No eval, no inline styles, no library; safe under script-src 'self'. */
(() => {
  "use strict";
  const d = document, root = d.documentElement;
  const $$ = (s, c = d) => [...c.querySelectorAll(s)];
  root.classList.add("js");

  /* one polite live region, also shown as a short toast */
  const toast = d.createElement("div");
  toast.className = "toast"; toast.setAttribute("role", "status"); toast.hidden = true;
  d.body.append(toast);
  let timer;
  const say = (text) => { toast.hidden = false; toast.textContent = text; clearTimeout(timer); timer = setTimeout(() => { toast.hidden = true; toast.textContent = ""; }, 2500); };

  /* copy: <button data-copy="#id"> or <button data-copy-text="..."> */
  const copied = new Set(), secret = d.querySelector("[data-secret]");
  d.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-copy],[data-copy-text]");
    if (!b) return;
    const el = b.dataset.copy && d.querySelector(b.dataset.copy);
    const text = el ? (el.value ?? el.textContent) : b.dataset.copyText;
    try { await navigator.clipboard.writeText(text); }
    catch { if (el?.select) { el.select(); d.execCommand("copy"); } else { return say("Copying is blocked here. Select the text and press Ctrl+C."); } }
    const label = b.querySelector("[data-label]"), was = label?.textContent;
    if (label) { label.textContent = "Copied"; setTimeout(() => { label.textContent = was; }, 2000); }
    /* a whole request that holds the secret is as good as the secret alone */
    if (secret?.contains(b) || text.includes(secret?.querySelector("input")?.value || "\n\n")) copied.add(secret);
    say(b.dataset.copied || "Copied to the clipboard");
  });

  /* tick all, shift-click ranges, and the spoken count (the visible count is CSS) */
  for (const list of $$(".list")) {
    const all = list.querySelector(".pick-all"), picks = $$(".pick", list);
    let last = null;
    const sync = (tell) => {
      const n = picks.filter((p) => p.checked).length;
      if (all) { all.checked = n > 0 && n === picks.length; all.indeterminate = n > 0 && n < picks.length; }
      const live = list.querySelector("[data-picked]");
      const every = list.querySelector(".bulk.every"), left = picks.length - n;
      if (live && tell) live.textContent = every ? "All matching selected" + (left ? " but " + left : "") : n ? n + " selected" : "Nothing selected";
    };
    all?.addEventListener("change", () => { picks.forEach((p) => { p.checked = all.checked; }); sync(true); });
    picks.forEach((p, i) => p.addEventListener("click", (e) => {
      if (e.shiftKey && last !== null) picks.slice(Math.min(i, last), Math.max(i, last) + 1).forEach((q) => { q.checked = p.checked; });
      last = i; sync(true);
    }));
    sync(false);
  }

  /* a form goes out once while its answer is waited for; a file, or Stop, leaves the page here, so not for ever */
  const sent = new Map();
  let leaving = false;
  d.addEventListener("submit", (e) => {
    const f = e.target;
    if (e.defaultPrevented || !f.matches("[method=post]")) return;
    if (Date.now() < sent.get(f)) { e.preventDefault(); return say("Sent already: the answer is on its way."); }
    sent.set(f, Date.now() + (e.submitter?.value === "export" ? 1000 : 15000));
  });
  addEventListener("pageshow", (e) => { if (e.persisted) { sent.clear(); leaving = false; } });

  /* a long act goes on from page to page */
  d.querySelector("form[data-go-on]")?.requestSubmit();

  /* filters that apply on change; the Apply button is only for no-script use */
  $$("form[data-auto]").forEach((f) => f.addEventListener("change", (e) => { if (e.target.matches("select,input[type=date]")) f.requestSubmit(); }));

  /* theme: the server reads the cookie, so there is never a flash */
  $$("form[data-theme-form]").forEach((f) => f.addEventListener("submit", (e) => {
    if (e.submitter?.name !== "theme") return;
    e.preventDefault();
    const v = e.submitter.value;
    if (v === "system") delete root.dataset.theme; else root.dataset.theme = v;
    d.cookie = "theme=" + v + ";path=/;max-age=31536000;samesite=lax" + (location.protocol === "https:" ? ";secure" : "");
    $$("[name=theme]", f).forEach((b) => b.setAttribute("aria-pressed", String(b === e.submitter)));
  }));

  /* unsaved changes, and leaving a one-time secret that was never copied */
  const dirty = () => $$("form.is-dirty").length > 0;
  $$("form[data-guard]").forEach((f) => {
    f.addEventListener("input", () => f.classList.add("is-dirty"));
    f.addEventListener("submit", () => { leaving = true; });
  });
  d.querySelector("[data-secret-done]")?.addEventListener("click", () => { leaving = true; });
  addEventListener("beforeunload", (e) => {
    if (leaving || !(dirty() || (secret && !copied.has(secret)))) return;
    e.preventDefault();
    /* whoever stays may send again */
    setTimeout(() => sent.clear());
  });

  /* a message that was read: <button data-close> in it */
  d.addEventListener("click", (e) => {
    const b = e.target.closest("[data-close]");
    if (!b) return;
    b.parentNode.remove();
    d.querySelector("#main")?.focus();
  });

  /* show or hide a password */
  d.addEventListener("click", (e) => {
    const b = e.target.closest("[data-reveal]");
    if (!b) return;
    const f = d.querySelector(b.dataset.reveal), show = f.type === "password";
    f.type = show ? "text" : "password";
    b.setAttribute("aria-pressed", String(show));
    b.querySelector("[data-label]").textContent = show ? "Hide" : "Show";
  });

  /* how strong a new password looks, in words; the server judges it in any case */
  $$("[data-strength]").forEach((p) => {
    const f = d.querySelector(p.dataset.strength);
    f?.addEventListener("input", () => {
      const v = f.value, n = [...v].length, kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((k) => k.test(v)).length;
      const worth = new Set(v.toLowerCase()).size * 1.5 + n + kinds * 2;
      p.textContent = !n ? "" : n < 8 ? "Too short: " + (8 - n) + " more to go." : /^[0-9]+$/.test(v) ? "Digits alone are refused." : worth < 26 ? "Weak: make it longer." : worth < 36 ? "Fair: a few more letters make it strong." : "Strong.";
    });
  });

  /* keys: / search, n new, ? help, g then a letter to go (off while typing; can be switched off in the account menu) */
  if (root.dataset.keys !== "off") {
    let g = 0;
    const list = d.querySelector("#keys dl");
    const make = (name, ...parts) => { const el = d.createElement(name); el.append(...parts); return el; };
    /* a menu entry without a letter cannot be reached by one */
    if (list) for (const a of $$("a[data-go]:not([data-go=''])")) list.append(make("dt", a.textContent), make("dd", make("kbd", "g"), " then ", make("kbd", a.dataset.go)));
    addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.("input,textarea,select,[contenteditable]")) return;
      const go = (s) => { const all = [...d.querySelectorAll(s)], el = all.find((x) => x.checkVisibility()) ?? all[0]; if (el) { e.preventDefault(); el.matches("input,dialog") ? (el.showModal ? el.showModal() : el.focus()) : el.click(); } };
      if (Date.now() - g < 2000) { g = 0; return go('[data-go="' + CSS.escape(e.key) + '"]'); }
      if (e.key === "/") go("[data-key-search]");
      else if (e.key === "n") go("[data-key-new]");
      else if (e.key === "?") go("#keys");
      else if (e.key === "g") g = Date.now();
    });
  }
})();
