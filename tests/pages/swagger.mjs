// Swagger UI, which is not ours: "Authorize" takes a key and a JWT, and the next call is sent with it.
import { Client, PASSWORD } from "./server.mjs";

const CALL = "get", PATH = "/studentapi/";

export async function authorized(browser, server, username) {
  const key = server.cli("create-token", username);
  const { access } = await new Client(server.base).json("POST", "/api/token/", null, { username, password: PASSWORD });
  const complaints = [];
  const ways = [["Token", `Token ${key}`], ["Bearer", access]];
  for (const [scheme, value] of [["nothing", null], ...ways]) {
    const context = await browser.newContext({ baseURL: server.base, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    try {
      await page.goto("/swagger/");
      const ui = page.locator("#swagger-ui");
      if (value) {
        await ui.locator(".btn.authorize").first().click();
        const form = ui.locator(".auth-container").filter({ has: page.getByRole("heading", { name: new RegExp(`^${scheme}\\b`, "i") }) });
        await form.locator("input").fill(value);
        await form.locator("button.authorize").click();
        await form.locator("button", { hasText: "Logout" }).waitFor();
        await form.locator("button.btn-done").click();
      }
      const call = ui.locator(`.opblock-${CALL}`).filter({ has: page.locator(`[data-path="${PATH}"]`) });
      await call.locator(".opblock-summary-control").click();
      await call.getByRole("button", { name: "Try it out" }).click();
      await call.getByRole("button", { name: "Execute" }).click();
      const status = (await call.locator(".live-responses-table .response-col_status").last().innerText()).trim().slice(0, 3);
      const wanted = value ? "200" : "401";
      if (status !== wanted) complaints.push(`/swagger/ with ${scheme}: ${status} instead of ${wanted}`);
    } catch (e) {
      complaints.push(`/swagger/ with ${scheme}: ${e.message.split("\n").slice(0, 3).join(" ")}`);
    }
    await context.close();
  }
  return complaints;
}
