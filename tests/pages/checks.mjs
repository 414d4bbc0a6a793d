// What every page must be. Each check returns the complaints it has, as sentences.

const AXE = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"], elementRef: false };

/** Bytes, by docs/pages.md. */
export const BUDGET = { cold: 60_000, warm: 15_000, raw: 100_000, rawRows: 12, requests: 5, nodes: 1500 };

/** Swagger UI is not ours: it must run under our policy without a complaint, and then goes, so that what is judged and weighed is the page around it. */
const FOREIGN = { place: "#swagger-ui", instead: "#calls", files: /\/static\/swagger/ };
export async function withoutForeign(page) {
  if (await page.locator(FOREIGN.place).count() === 0) return;
  await page.locator(`${FOREIGN.place} .btn.authorize`).waitFor();
  await page.evaluate(({ place, instead }) => { document.querySelector(place).remove(); document.querySelector(instead).hidden = false; window.__seen.shift = 0; }, { ...FOREIGN, files: null });
}

/** Runs before anything of the page does. */
export const WATCH = () => {
  window.__seen = { shift: 0, refused: [] };
  new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.__seen.shift += e.value; }).observe({ type: "layout-shift", buffered: true });
  document.addEventListener("securitypolicyviolation", (e) => window.__seen.refused.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
};

/** What lies under an open menu is not to be pressed: its size does not count. */
export async function accessible(page, axe) {
  await page.evaluate(axe);
  const found = await page.evaluate(async (options) => {
    // What stands under a form's bar scrolls out from there: it lies at its place.
    for (const bar of document.querySelectorAll(".savebar")) bar.style.position = "static";
    const over = document.querySelector("[popover]:popover-open");
    if (!over) return window.axe.run(document, options);
    const page = await window.axe.run(document, { ...options, rules: { "target-size": { enabled: false } } });
    const menu = await window.axe.run(over, { ...options, runOnly: ["wcag22aa"] });
    return { violations: [...page.violations, ...menu.violations] };
  }, AXE);
  return found.violations.map((v) => `${v.id} (${v.nodes.length}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + n.failureSummary.split("\n").slice(1, 2).join("").trim()).join(" | ")}`);
}

/** `fresh`: nobody has done anything on it yet, so nothing may have moved. */
export async function shape(page, fresh) {
  return page.evaluate((fresh) => {
    const wrong = [];
    const n = (s) => document.querySelectorAll(s).length;
    if (n("h1") !== 1) wrong.push(`${n("h1")} h1`);
    if (n("main") !== 1) wrong.push(`${n("main")} main`);
    if (!document.title.trim() || !/ · /.test(document.title)) wrong.push(`title ${JSON.stringify(document.title)}`);
    if (document.documentElement.lang !== "en") wrong.push("no lang");
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) wrong.push(`id ${id} twice`);
    for (const e of document.querySelectorAll("[popovertarget],[for],[aria-labelledby],[aria-describedby]")) {
      for (const name of ["popovertarget", "for", "aria-labelledby", "aria-describedby"]) {
        for (const id of (e.getAttribute(name) ?? "").split(" ").filter(Boolean)) if (!document.getElementById(id)) wrong.push(`${name}=${id} names nothing`);
      }
    }
    const rows = Math.max(0, ...[...document.querySelectorAll("table")].map((t) => t.tBodies[0]?.rows.length ?? 0));
    const nodes = document.getElementsByTagName("*").length;
    if (rows <= 25 && nodes > 1500) wrong.push(`${nodes} DOM nodes with ${rows} rows`);
    const { shift, refused } = window.__seen;
    if (fresh && shift >= 0.005) wrong.push(`layout shift ${shift.toFixed(4)}`);
    for (const r of refused) wrong.push(`refused by the policy: ${r}`);
    return wrong;
  }, fresh);
}

/** Nothing of the page itself moves sideways. */
export async function fits(page, width, height, why) {
  await page.setViewportSize({ width, height });
  return page.evaluate(([why]) => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const widest = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll, [popover]"));
    return [`${why}: ${root.scrollWidth} in ${root.clientWidth}, by ${widest.slice(0, 3).map((e) => e.tagName.toLowerCase() + "." + e.className).join(", ")}`];
  }, [why]);
}

/** The menu of the last row opens inside the window, the side bar stays where it is, a chart is as high as any. */
export async function placed(page) {
  return page.evaluate(() => {
    const wrong = [];
    const button = [...document.querySelectorAll("main td [popovertarget]")].filter((e) => e.checkVisibility()).at(-1);
    if (button) {
      button.scrollIntoView({ block: "end" });
      button.click();
      const menu = document.getElementById(button.getAttribute("popovertarget"));
      const { top, right, bottom, left } = menu.getBoundingClientRect();
      if (top < 0 || left < 0 || right > innerWidth || bottom > innerHeight) wrong.push(`the menu of the last row opens outside the window, from ${top} to ${bottom} of ${innerHeight}`);
      menu.hidePopover();
    }
    scrollTo(0, document.documentElement.scrollHeight);
    const side = document.querySelector(".side");
    if (side?.checkVisibility() && Math.abs(side.getBoundingClientRect().top) > 1) wrong.push("the side bar scrolls away");
    scrollTo(0, 0);
    for (const { clientHeight: high } of document.querySelectorAll(".chart svg")) if (high > 300) wrong.push(`a chart of ${high} px`);
    return wrong;
  });
}

/** Windows' contrast themes: what is a control still looks like one. */
export async function forced(page) {
  await page.emulateMedia({ forcedColors: "active" });
  const wrong = await page.evaluate(() => [...document.querySelectorAll(".btn, .input, .select, .tag, .card")]
    .filter((e) => e.checkVisibility() && ["Top", "Right", "Bottom", "Left"].every((side) => parseFloat(getComputedStyle(e)[`border${side}Width`]) === 0))
    .slice(0, 3).map((e) => `forced colours: no edge around ${e.className} ${JSON.stringify(e.textContent.trim().slice(0, 20))}`));
  await page.emulateMedia({ forcedColors: "none" });
  return wrong;
}

export async function still(page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const wrong = await page.evaluate(() => [...document.querySelectorAll("*")]
    .filter((e) => { const s = getComputedStyle(e); return s.transitionDuration.split(",").some((d) => parseFloat(d) > 0) || s.animationName !== "none"; })
    .slice(0, 3).map((e) => `reduced motion: ${e.tagName.toLowerCase()}.${e.className.baseVal ?? e.className} moves`));
  await page.emulateMedia({ reducedMotion: "no-preference" });
  return wrong;
}

/** On paper: the matter, in black on white, without what one clicks. */
export async function printed(page) {
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const wrong = await page.evaluate(() => {
    const wrong = [...document.querySelectorAll(".side, .top, .skip, .savebar, .bulk, .pager, .bar, .tabs, .toast, [popover]")]
      .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 0).map((e) => `print: ${e.className || e.id} is there`);
    if (!document.querySelector("h1").checkVisibility()) wrong.push("print: no heading");
    // Each row has a cell under each head, and no other.
    const cells = (row) => [...row.cells].filter((c) => getComputedStyle(c).display !== "none").reduce((sum, c) => sum + c.colSpan, 0);
    for (const table of document.querySelectorAll("table")) {
      const heads = table.tHead ? cells(table.tHead.rows[0]) : 0;
      const odd = heads ? [...table.tBodies].flatMap((b) => [...b.rows]).find((row) => cells(row) !== heads) : null;
      if (odd) wrong.push(`print: ${cells(odd)} cells under ${heads} heads, ${table.caption?.textContent}`);
    }
    if ([...document.querySelectorAll(".pick, .pick-all, td .btn")].some((e) => e.checkVisibility())) wrong.push("print: something to press in a table");
    const [r] = /\d+/.exec(getComputedStyle(document.body).color) ?? [255];
    if (Number(r) > 120) wrong.push("print: light text");
    return [...new Set(wrong)].slice(0, 4);
  });
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  return wrong;
}

/** Counts what goes over the wire. With `bill`, what the page costs. */
export async function meter(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  let seen = new Map();
  cdp.on("Network.requestWillBeSent", (e) => seen.set(e.requestId, { url: e.request.url, type: e.type, sent: 0, raw: 0, cached: false }));
  cdp.on("Network.requestServedFromCache", (e) => { const r = seen.get(e.requestId); if (r) r.cached = true; });
  cdp.on("Network.responseReceived", (e) => { const r = seen.get(e.requestId); if (r && (e.response.fromDiskCache || e.response.fromPrefetchCache)) r.cached = true; });
  cdp.on("Network.dataReceived", (e) => { const r = seen.get(e.requestId); if (r) r.raw += e.dataLength; });
  cdp.on("Network.loadingFinished", (e) => { const r = seen.get(e.requestId); if (r) r.sent = r.cached ? 0 : e.encodedDataLength; });
  return {
    reset: async (cold) => { seen = new Map(); await cdp.send("Network.setCacheDisabled", { cacheDisabled: cold }); },
    seen: () => [...seen.values()].filter((r) => !r.url.startsWith("data:") && !FOREIGN.files.test(r.url) && !r.url.endsWith("/openapi.json")),
  };
}

export async function costs(page, requests, base, cold) {
  const wrong = requests.filter((r) => !r.url.startsWith(base)).map((r) => `third party: ${r.url}`);
  const over = requests.filter((r) => !r.cached);
  const sent = over.reduce((sum, r) => sum + r.sent, 0);
  if (cold) {
    if (over.length > BUDGET.requests) wrong.push(`${over.length} requests: ${over.map((r) => new URL(r.url).pathname).join(" ")}`);
    if (sent > BUDGET.cold) wrong.push(`${sent} bytes cold`);
    // The budget speaks of twelve rows; more rows may cost more.
    const spare = await page.evaluate((rows) => [...document.querySelectorAll("tbody tr")].slice(rows).reduce((sum, row) => sum + new Blob([row.outerHTML]).size, 0), BUDGET.rawRows);
    const raw = over.reduce((sum, r) => sum + r.raw, 0) - spare;
    if (raw > BUDGET.raw) wrong.push(`${raw} bytes uncompressed`);
    return { wrong, sent, raw };
  }
  // A page with a secret goes out uncompressed.
  const secret = await page.locator("[data-secret]").count() > 0;
  if (sent > BUDGET.warm && !secret) wrong.push(`${sent} bytes warm`);
  return { wrong, sent, raw: 0 };
}
