// What a person does without script, from the panel's door to signing out. (tests/browser has the way from the
// set-up link to the first token.)
import { PASSWORD } from "./server.mjs";

export async function unscripted(browser, server) {
  const context = await browser.newContext({ baseURL: server.base, javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  const step = async (what, act) => {
    if (complaints.length) return;
    try { await act(); } catch (e) { complaints.push(`without script, ${what} at ${new URL(page.url()).pathname}: ${e.message.split("\n").slice(0, 3).join(" ")}`); }
  };
  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  const heading = (name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  const said = (text) => page.getByRole("status").getByText(text).waitFor();

  await step("sign in", async () => {
    await page.goto("/admin/users/");
    await page.getByLabel("Username").fill("ada.lovelace");
    await page.getByLabel("Password").fill(PASSWORD);
    await button("Sign in").click();
    await heading("Users");
  });
  await step("add a user", async () => {
    await link("Add user").click();
    await page.getByLabel("Username").fill("no.script");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Password again").fill(PASSWORD);
    await button("Add user").click();
    await said("no.script");
  });
  await step("search", async () => {
    await page.goto("/admin/users/");
    await page.getByLabel("Search users").fill("no.script");
    await page.locator("main form.bar").getByRole("button", { name: "Search" }).click();
    await page.getByRole("row", { name: /no\.script/ }).waitFor();
  });
  await step("disable from the row's menu", async () => {
    await button("Actions for no.script").click();
    await link("Disable…").click();
    await heading("Disable no.script?");
    await button("Disable no.script").click();
    await said(/disabled/i);
  });
  await step("sign two people out at once", async () => {
    await page.goto("/admin/users/");
    await page.getByLabel("Select elif.demir").check();
    await page.getByLabel("Select farah.haddad").check();
    await button("Sign out…").click();
    await heading("Sign out 2 users?");
    await button("Sign out 2 users").click();
    await said("2 signed out.");
  });
  await step("make a token", async () => {
    await page.goto("/admin/tokens/new/");
    await page.getByLabel("Owner", { exact: true }).fill("amara.okafor");
    await page.locator("#name").fill("Made without script");
    await button("Create token").click();
    await heading("Your new token");
    if ((await page.getByLabel("New API token").inputValue()).length < 40) throw new Error("no token is shown");
  });
  await step("edit a student", async () => {
    await page.goto("/admin/students/");
    await link("Asha Rao").click();
    await page.getByLabel("City").fill("Hampi");
    await button("Save").click();
    await said("Saved");
    await page.getByRole("row", { name: /Asha Rao.*Hampi/ }).waitFor();
  });
  await step("edit students in the list", async () => {
    await page.goto("/admin/students/?q=Kazan");
    await link("Edit in list").click();
    await heading("Edit students");
    await page.getByLabel(/^City of roll/).fill("Ufa");
    await button("Save all").click();
    await said("Changed: 1 student");
  });
  await step("import students", async () => {
    await page.goto("/admin/students/import/");
    await page.getByLabel("File").setInputFiles({ name: "more.csv", mimeType: "text/csv", buffer: Buffer.from("city,name,roll\nOslo,Kari Nordmann,5801\n") });
    await button("Show the preview").click();
    await heading("Add 1 student?");
    await button("Add 1 student").click();
    await said("1 student added");
  });
  await step("go dark", async () => {
    await page.getByRole("button", { name: /Account menu/ }).click();
    await button("Dark").click();
    await page.locator("html[data-theme=dark]").waitFor({ state: "attached" });
    await heading("Students");
  });
  await step("sign out", async () => {
    await page.getByRole("button", { name: /Account menu/ }).click();
    await button("Sign out").click();
    await heading("Sign in");
    await page.goto("/admin/");
    await heading("Sign in to the admin panel");
  });
  await context.close();
  return complaints;
}
