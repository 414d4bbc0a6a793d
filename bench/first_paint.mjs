// When pages are first painted: a profile of its own for each, so that nothing is cached, on loopback, in a browser that
// stands and rests. Chromium's own figure, from the start of the navigation. Fails where p95 is above 200 ms.
//   node first_paint.mjs BINARY [--rounds N]
// The headless shell is preferred: without a graphics card the whole browser draws its own window, tabs and all, on the same
// cores at the same time, which costs a page on two of them 80 ms. The first line names what was taken, and the last row, a
// page of one word, says what of the figures is the browser's.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fill, setUp } from "../tests/pages/fill.mjs";
import { start } from "../tests/pages/server.mjs";

const require = createRequire(join(resolve(process.env.LATCHKEY_PAGES_MODULES), "x"));
const { chromium } = require("playwright-core");
const LIMIT = 200;
const PAGES = ["/admin/", "/admin/users/", "/admin/users/{user}/", "/admin/tokens/", "/admin/tokens/new/", "/admin/audit/", "/account/", "/login/", "/healthz"];

const args = process.argv.slice(2);
const at = args.indexOf("--rounds");
const rounds = at < 0 ? 20 : Number(args.splice(at, 2)[1]);
const server = await start(resolve(args[0]));
const SHELL = "/usr/bin/chromium-headless-shell";
const executablePath = process.env.LATCHKEY_CHROMIUM ?? (existsSync(SHELL) ? SHELL : "/usr/bin/chromium");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
let missed = 0;

async function paint(root, path) {
  const context = await browser.newContext({ baseURL: server.base, viewport: { width: 1440, height: 900 } });
  if (path !== "/login/") await context.addCookies([...root.cookies].map(([name, value]) => ({ name, value, url: server.base })));
  const page = await context.newPage();
  // What a new profile sets up is not the page's; nothing tells when it is done.
  await page.waitForTimeout(500);
  await page.goto(path);
  const ms = await page.evaluate(() => new Promise((done) => {
    const paints = () => performance.getEntriesByType("paint").find((entry) => entry.name === "first-contentful-paint");
    const look = () => { const seen = paints(); if (seen) done(seen.startTime); else requestAnimationFrame(look); };
    look();
  }));
  await context.close();
  return ms;
}

try {
  const root = await setUp(server);
  const ids = await fill(server, root);
  console.log(`${"first contentful paint, nothing cached".padEnd(40)}${["p50", "p95", "max"].map((head) => head.padStart(8)).join("")}  ms`);
  for (const page of PAGES) {
    const path = page.replace(/\{(\w+)\}/g, (_, id) => ids[id]);
    const times = [];
    for (let round = 0; round < rounds; round++) times.push(await paint(root, path));
    times.sort((a, b) => a - b);
    const p95 = times[Math.min(rounds - 1, Math.floor(rounds * 0.95))];
    if (p95 > LIMIT) missed++;
    console.log(page.padEnd(40) + [times[rounds >> 1], p95, times.at(-1)].map((ms) => ms.toFixed(0).padStart(8)).join("") + (p95 > LIMIT ? "  MISSED" : ""));
  }
} finally {
  await browser.close();
  server.stop();
}
process.exitCode = missed ? 1 : 0;
