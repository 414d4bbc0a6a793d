// What is on a page only after somebody did something: open menus, sheets, dialogs, refused forms, the page that
// shows a secret. A state that a page does not have is skipped (`null`); one that breaks is a complaint.
import { PASSWORD } from "./server.mjs";

/** On every page: what can be opened there. `phone`: at which width. */
export const OPEN = [
  { name: "row menu", phone: false, open: (page) => press(page, "main td [popovertarget]") },
  { name: "account menu", phone: false, open: (page) => press(page, ".who") },
  { name: "drawer", phone: true, open: (page) => press(page, "[popovertarget=side]") },
  { name: "filter sheet", phone: true, open: (page) => press(page, "[popovertarget=filters]") },
  { name: "rows ticked", phone: false, open: async (page) => {
    if (!await page.locator(".pick").first().isVisible().catch(() => false)) return null;
    for (const pick of (await page.locator(".pick").all()).slice(0, 2)) await pick.check();
    // The bar may stand over a row's button; at the end of the page it stands over nothing.
    await page.evaluate(() => {
      scrollTo(0, document.documentElement.scrollHeight);
      // Nor may the bar on top cut one.
      const edge = document.querySelector(".top").getBoundingClientRect().bottom;
      const cut = [...document.querySelectorAll("td .btn")].map((b) => b.getBoundingClientRect()).find((b) => [0, edge].some((y) => b.top < y && b.bottom > y));
      if (cut) scrollBy(0, cut.top - edge);
    });
    return true;
  } },
  { name: "keyboard help", phone: false, open: async (page) => {
    if (!await page.locator("#keys").count()) return null;
    await page.evaluate(() => document.activeElement?.blur?.());
    await page.keyboard.press("?");
    await page.locator("#keys").waitFor({ state: "visible", timeout: 2000 });
    return true;
  } },
];

async function press(page, selector) {
  const button = page.locator(selector).first();
  if (!await button.isVisible().catch(() => false)) return null;
  await button.click();
  return true;
}

/** Sends the page's form as it is: without what the browser asks for, and `fields` in it. */
async function refused(page, path, fields = {}) {
  await page.goto(path);
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.evaluate(() => { for (const f of document.querySelectorAll("main form[method=post], form.fields")) f.noValidate = true; });
  await page.locator("main form button.main-act, main form button.bad-fill").last().click();
  await page.waitForLoadState("load");
}

/** Pages that come after an act. By actor, as in pages.json. */
/** Two rows ticked, or all where the address says so, and a button of the bar. */
async function many(page, path, button) {
  await page.goto(path);
  if (!path.includes("all=1")) for (const pick of (await page.locator(".pick").all()).slice(2, 4)) await pick.check();
  await page.locator(".bulk").getByRole("button", { name: button }).click();
  await page.waitForURL(/bulk/);
}

/** A form that no page of ours has. */
async function send(page, action, fields) {
  await page.goto("/login/");
  await page.evaluate(([action, fields]) => {
    const form = document.createElement("form");
    form.method = "post"; form.action = action;
    for (const [name, value] of Object.entries(fields)) { const f = document.createElement("input"); f.name = name; f.value = value; form.append(f); }
    document.body.append(form); form.submit();
  }, [action, fields]);
  await page.waitForURL("**" + action);
  await page.locator("h1").waitFor();
}

/** A double click while answers take their time. Returns what complains unless it made one request. */
async function clickedTwice(page, button) {
  const sent = [];
  const count = (request) => { if (request.method() === "POST") sent.push(request.url()); };
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: -1, uploadThroughput: -1 });
  page.on("request", count);
  await page.getByRole("button", { name: button, exact: true }).dblclick({ noWaitAfter: true });
  return async () => {
    page.off("request", count);
    await cdp.detach();
    if (sent.length !== 1) throw new Error(`${button}: ${sent.length} requests`);
  };
}

export const AFTER = {
  stranger: [
    ["error 405", (page) => send(page, "/dashboard/", {})],
    ["error 403, form expired", (page) => send(page, "/logout/", { csrfmiddlewaretoken: "x" })],
    ["error 413", (page) => send(page, "/registration/", { username: "x".repeat(2_700_000) })],
    ["sign-in that did not match", (page) => refused(page, "/login/", { Username: "nobody", Password: "wrong" })],
    ["registration refused", (page) => refused(page, "/registration/", { Username: "amara.okafor" })],
  ],
  root: [
    ["user refused", (page) => refused(page, "/admin/users/new/", { Username: "amara okafor" })],
    ["token refused", (page) => refused(page, "/admin/tokens/new/")],
    ["group refused", (page) => refused(page, "/admin/groups/new/")],
    ["student refused", (page) => refused(page, "/admin/students/new/", { Roll: "seven" })],
    ["rows refused", async (page) => {
      await page.goto("/admin/students/?edit=1");
      await page.locator("input[name^=city]").first().fill("");
      await page.locator("input[name^=name]").nth(1).fill("");
      await page.getByRole("button", { name: "Save all" }).click();
      await page.locator("#errors").waitFor();
    }],
    ["settings refused", (page) => refused(page, "/admin/settings/", { "Wrong passwords before a pause": "many" })],
    ["settings, defaults filled in", async (page) => {
      await page.goto("/admin/settings/");
      await page.getByLabel("Wrong passwords before a pause").fill("7");
      await page.getByRole("button", { name: "Save settings" }).click();
      await page.waitForURL(/settings\/$/);
      await page.getByRole("button", { name: "Defaults of Sign-in limits" }).click();
      await page.getByText("These are the defaults").waitFor();
    }],
    ["import refused", (page) => refused(page, "/admin/students/import/")],
    ["student changed meanwhile", async (page) => {
      await page.goto("/admin/students/?q=Asha");
      await page.getByRole("link", { name: "Asha Rao" }).click();
      const other = await page.context().newPage();
      await other.goto(page.url());
      await other.getByLabel("City").fill(`Town ${page.viewportSize().width}`);
      await other.getByRole("button", { name: "Save", exact: true }).click();
      await other.waitForURL(/students\/$/);
      await other.close();
      await page.getByLabel("City").fill("Hassan");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText("Somebody changed this student meanwhile").waitFor();
    }],
    ["users, asked before an act on many", (page) => many(page, "/admin/users/", "Disable…")],
    ["students, asked before many are deleted", (page) => many(page, "/admin/students/?all=1", "Delete…")],
    ["tokens, asked before many are revoked", (page) => many(page, "/admin/tokens/", "Revoke…")],
    ["tokens, asked until when many work", (page) => many(page, "/admin/tokens/?all=1", "Extend…")],
    ["sessions, asked before many end", (page) => many(page, "/admin/sessions/?all=1", "End…")],
    ["an owner found by a few letters", async (page) => {
      await page.goto("/admin/tokens/new/");
      const owner = page.getByLabel("Owner", { exact: true });
      await owner.fill("");
      await owner.pressSequentially("nova");
      await page.getByRole("listbox", { name: "People found" }).waitFor();
      await page.keyboard.press("ArrowDown");
      const active = await owner.getAttribute("aria-activedescendant");
      if (!active || await page.locator("#" + active).getAttribute("aria-selected") !== "true") throw new Error("no option is active");
      await page.getByText("1 person found").waitFor({ state: "attached" });
    }],
    ["an owner chosen, and not", async (page) => {
      await page.goto("/admin/tokens/new/");
      const owner = page.getByLabel("Owner", { exact: true });
      await owner.fill("");
      await owner.pressSequentially("nova");
      await page.getByRole("listbox", { name: "People found" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("listbox", { name: "People found" }).waitFor({ state: "hidden" });
      if (await owner.inputValue() !== "nova") throw new Error("Escape took what was typed");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("Enter");
      if (await owner.inputValue() !== "hana.novak") throw new Error(await owner.inputValue());
    }],
    ["reached by keyboard", async (page) => {
      const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
      const is = (got, wanted) => { if (got !== wanted) throw new Error(`got ${got}, wanted ${wanted}`); };
      await page.goto("/admin/");
      await page.keyboard.press("g"); await page.keyboard.press("u");
      await page.waitForURL(/admin\/users\/$/);
      await page.keyboard.press("Tab");
      is(await focused(), "skip");
      await page.keyboard.press("Enter");
      is(await focused(), "main");
      if (page.viewportSize().width > 1000) {
        await page.keyboard.press("/");
        is(await focused(), "find");
        await page.keyboard.type("ng");
        is(await page.locator("#find").inputValue(), "ng");
        await page.evaluate(() => document.activeElement.blur());
      } else {
        // Where the field has no room, zoomed or on a phone, the key leads to one that has.
        await page.keyboard.press("/");
        await page.waitForURL(/admin\/search\/$/);
        is(await focused(), "q");
        await page.keyboard.type("novak");
        await page.keyboard.press("Enter");
        await page.getByRole("link", { name: "hana.novak" }).first().waitFor();
        await page.goto("/admin/users/");
      }
      await page.locator(".who").click();
      await page.getByRole("button", { name: "Off", exact: true }).click();
      await page.locator("html[data-keys=off]").waitFor({ state: "attached" });
      await page.keyboard.press("n");
      is(new URL(page.url()).pathname, "/admin/users/");
      await page.locator(".who").click();
      await page.getByRole("button", { name: "Shortcuts on" }).click();
      await page.locator("html:not([data-keys])").waitFor({ state: "attached" });
      await page.keyboard.press("n");
      await page.waitForURL(/users\/new/);
    }],
    ["compact rows", async (page) => {
      await page.goto("/admin/users/");
      await page.locator(".who").click();
      await page.getByRole("button", { name: "Compact rows" }).click();
      await page.locator("html[data-density=compact]").waitFor({ state: "attached" });
      if (page.viewportSize().width > 1000) {
        const heights = await page.evaluate(() => [...document.querySelectorAll("tbody tr")].map((r) => r.offsetHeight));
        // One name is as long as it may be, and goes on to a second line.
        const most = heights.sort((a, b) => a - b).at(-2);
        if (most > 40) throw new Error(`rows of ${most} px`);
      }
    }],
    ["wide rows again", async (page) => {
      await page.goto("/admin/users/");
      await page.locator(".who").click();
      await page.getByRole("button", { name: "Wide rows" }).click();
      await page.locator("html:not([data-density])").waitFor({ state: "attached" });
    }],
    ["a form clicked twice goes out once, and again when its page is back", async (page) => {
      await page.goto("/admin/tokens/new/");
      // A finger taps.
      if (page.viewportSize().width < 1000) return;
      await page.getByLabel("Owner", { exact: true }).fill("hana.novak");
      const name = "Clicked twice";
      await page.locator("#name").fill(name);
      const once = await clickedTwice(page, "Create token");
      await page.waitForURL(/created/);
      await once();
      await page.goto(`/admin/tokens/?q=${encodeURIComponent(name)}`);
      const made = await page.locator("tbody tr").count();
      if (made !== 1) throw new Error(`${made} tokens`);
      await page.goto("/admin/students/new/");
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.getByLabel("Roll").fill("5001");
      await page.getByLabel("City").fill("Pune");
      const another = await clickedTwice(page, "Save and add another");
      await page.getByText("was added").waitFor();
      await another();
      if (!page.url().endsWith("/new/")) throw new Error("what the button says was not sent");
    }],
    ["a file asked for twice comes twice", async (page) => {
      await page.goto("/admin/users/");
      await page.locator(".pick").nth(1).check();
      for (let i = 0; i < 2; i++) {
        const file = page.waitForEvent("download");
        await page.locator(".bulk").getByRole("button", { name: "Export" }).click();
        await (await file).cancel();
        await page.waitForFunction((till) => Date.now() > till, Date.now() + 1100);
      }
      await page.goto("/admin/users/");
    }],
    ["token created", async (page) => {
      await page.goto("/admin/tokens/new/");
      await page.getByLabel("Owner", { exact: true }).fill("hana.novak");
      await page.locator("#name").fill("Laptop");
      await page.getByRole("button", { name: "Create token" }).click();
      await page.waitForURL(/created/);
    }],
  ],
  newborn: [
    ["set-up refused", (page) => refused(page, "/setup/", { Username: "ada" })],
  ],
};
export { PASSWORD };
