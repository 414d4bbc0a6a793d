// Opens every page of pages.json in a browser and complains of all that docs/pages.md forbids.
//   node run.mjs BINARY [--shots FOLDER] [--only TEXT]
// LATCHKEY_PAGES_MODULES: where `npm ci` was run, if not here. LATCHKEY_CHROMIUM: the browser.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import * as check from "./checks.mjs";
import { fill, setUp } from "./fill.mjs";
import { Client, start } from "./server.mjs";
import { AFTER, OPEN } from "./states.mjs";
import { authorized } from "./swagger.mjs";
import { unscripted } from "./unscripted.mjs";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const require = createRequire(join(resolve(process.env.LATCHKEY_PAGES_MODULES ?? here), "x"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const args = process.argv.slice(2);
const option = (name) => { const i = args.indexOf(name); return i < 0 ? null : args.splice(i, 2)[1]; };
const shots = option("--shots"), only = option("--only");
const binary = resolve(args[0] ?? join(here, "../../target/release/latchkey"));
const pages = JSON.parse(readFileSync(join(here, "pages.json"), "utf8"));

const DESKTOP = { width: 1440, height: 900 }, PHONE = { width: 390, height: 844 };
const complaints = [];
let opened = 0, judged = 0, dearest = { cold: 0, warm: 0, raw: 0 };

const server = await start(binary);
const browser = await chromium.launch({
  executablePath: process.env.LATCHKEY_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
});

/** A browser of its own for one actor at one width. */
async function visitor(client, phone) {
  const context = await browser.newContext({ baseURL: server.base, viewport: phone ? PHONE : DESKTOP, hasTouch: phone, isMobile: phone, colorScheme: "light", deviceScaleFactor: 1 });
  await context.addInitScript(check.WATCH);
  if (client) await context.addCookies([...client.cookies].map(([name, value]) => ({ name, value, url: server.base })));
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const noise = [];
  page.on("console", (m) => { if (m.type() === "error" && !/Failed to load resource: .* status of 4\d\d|Blocked attempt to show a 'beforeunload'/.test(m.text())) noise.push(m.text()); });
  page.on("pageerror", (e) => noise.push(String(e)));
  page.on("dialog", (d) => d.accept().catch(() => {}));
  return { page, phone, context, noise, meter: await check.meter(page) };
}

const slug = (text) => text.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "start";

async function picture(v, name) {
  const scroll = { fullPage: true, animations: "disabled", timeout: 20_000 };
  mkdirSync(shots, { recursive: true });
  if (v.phone) return v.page.screenshot({ ...scroll, path: join(shots, `${slug(name)}--phone.png`) });
  for (const colorScheme of ["light", "dark"]) {
    await v.page.emulateMedia({ colorScheme });
    await v.page.screenshot({ ...scroll, path: join(shots, `${slug(name)}--${colorScheme}.png`) });
  }
  await v.page.emulateMedia({ colorScheme: "light" });
}

async function judge(v, name, fresh = false) {
  judged++;
  const say = (wrong) => complaints.push(...wrong.map((w) => `${name} (${v.phone ? "phone" : "desktop"}): ${w}`));
  if (shots) return picture(v, name);
  for (const colorScheme of ["light", "dark"]) {
    await v.page.emulateMedia({ colorScheme });
    say((await check.accessible(v.page, axe)).map((w) => `${colorScheme}: ${w}`));
  }
  await v.page.emulateMedia({ colorScheme: "light" });
  say(await check.shape(v.page, fresh));
  say(v.noise.splice(0).map((text) => `console: ${text}`));
}

async function visit(v, name, path) {
  const cold = !v.phone;
  // Warm is a page that was seen before. Those of a kind share their files.
  if (!cold && !shots) await v.page.goto(path, { waitUntil: "load" });
  await v.meter.reset(cold);
  const answer = await v.page.goto(path, { waitUntil: "load" });
  opened++;
  const say = (wrong) => complaints.push(...wrong.map((w) => `${name} (${v.phone ? "phone" : "desktop"}): ${w}`));
  if (answer.status() >= 500) return say([`status ${answer.status()}`]);
  await v.page.evaluate(() => document.fonts.ready);
  if (!shots) {
    await check.withoutForeign(v.page);
    const bill = await check.costs(v.page, v.meter.seen(), server.base, cold);
    say(bill.wrong);
    dearest = { cold: Math.max(dearest.cold, cold ? bill.sent : 0), warm: Math.max(dearest.warm, cold ? 0 : bill.sent), raw: Math.max(dearest.raw, bill.raw) };
  }
  await judge(v, name, true);
  for (const state of OPEN.filter((s) => s.phone === v.phone)) {
    if (shots && !["row menu", "rows ticked", "drawer", "filter sheet"].includes(state.name)) continue;
    const there = await state.open(v.page).catch((e) => say([`${state.name}: ${e.message.split("\n")[0]}`]));
    if (!there) continue;
    // A menu is the same on every page of a kind: once is enough for what every page has.
    await judge(v, `${name} + ${state.name}`);
    await v.page.goto(path);
  }
  if (shots) return;
  say(await check.placed(v.page));
  if (v.phone) {
    say(await check.fits(v.page, 320, 640, "320 px wide"));
    await v.page.setViewportSize(PHONE);
  } else {
    say(await check.fits(v.page, 720, 450, "200 % zoom"));
    await v.page.setViewportSize(DESKTOP);
    say(await check.forced(v.page));
    say(await check.still(v.page));
    say(await check.printed(v.page));
  }
}

async function tour(actor, client, ids) {
  const wanted = (name) => !only || name.includes(only);
  await Promise.all([false, true].map(async (phone) => {
    const v = await visitor(client, phone);
    for (const entry of pages[actor]) {
      const path = entry.replace(/\{(\w+)\}/g, (all, id) => ids[id] ?? all);
      const name = `${actor} ${entry}`;
      if (!wanted(name)) continue;
      if (path.includes("{")) { complaints.push(`${name}: fill.mjs makes no such id`); continue; }
      await visit(v, name, path).catch((e) => complaints.push(`${name}: ${e.message.split("\n")[0]}`));
    }
    for (const [state, go] of AFTER[actor] ?? []) {
      const name = `${actor} ${state}`;
      if (!wanted(name)) continue;
      try { await go(v.page); await judge(v, name); } catch (e) { complaints.push(`${name}: ${e.message.split("\n")[0]}`); }
    }
    await v.context.close();
  }));
}

const begin = Date.now();
try {
  await tour("newborn", null, {});
  const root = await setUp(server);
  await tour("newcomer", root, {});
  const ids = await fill(server, root);
  await tour("stranger", null, ids);
  for (const [actor, name] of [["person", "ben.suzuki"], ["staff", "chiara.lombardi"]]) {
    if (pages[actor]) await tour(actor, await new Client(server.base).signIn(name), ids);
  }
  await tour("root", root, ids);
  if (!shots && !only) complaints.push(...await unscripted(browser, server), ...await authorized(browser, server, "ada.lovelace"));
  complaints.push(...server.complaints().map((line) => `server log: ${line}`));
} catch (e) {
  complaints.push(`the check broke off: ${e.stack}`);
} finally {
  await browser.close();
  server.stop();
}
for (const line of complaints) console.log(line);
console.log(`${opened} pages opened, ${judged} states ${shots ? "photographed" : "judged"} in ${Math.round((Date.now() - begin) / 1000)} s; dearest: ${dearest.cold} bytes cold, ${dearest.warm} warm, ${dearest.raw} uncompressed. ${complaints.length} complaints.`);
process.exitCode = complaints.length ? 1 : 0;
