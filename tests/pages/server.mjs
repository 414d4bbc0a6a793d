// The built program on an empty SQLite database, and an HTTP client with cookies for filling it.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const CODE = "one-time-code-of-the-page-check";
export const PASSWORD = "Quiet-Harbour-4711";

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

export async function start(binary) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-pages-"));
  const port = await freePort();
  const kept = Object.entries(process.env).filter(([name]) => !/^(LATCHKEY_|ROCKET_|DATABASE_URL)/.test(name));
  const env = {
    ...Object.fromEntries(kept),
    // As strict as in production, save the throttles: one machine is everybody here.
    ROCKET_PROFILE: "release", ROCKET_ADDRESS: "127.0.0.1", ROCKET_PORT: String(port),
    LATCHKEY_DATA_DIR: join(folder, "data"), LATCHKEY_SETUP_CODE: CODE, LATCHKEY_THROTTLES_ENABLED: "false",
    LATCHKEY_SECRET_KEY: "a secret for the check of the pages, and nothing else",
  };
  const log = join(folder, "log");
  const out = openSync(log, "w");
  const child = spawn(binary, [], { cwd: folder, env, stdio: ["ignore", out, out] });
  const base = `http://127.0.0.1:${port}`;
  const stop = () => { child.kill(); rmSync(folder, { recursive: true, force: true }); };
  for (let i = 0; ; i++) {
    try { if ((await fetch(`${base}/readyz`)).ok) break; } catch { /* not yet */ }
    if (i > 300 || child.exitCode !== null) throw new Error(`the server does not start:\n${readFileSync(log, "utf8")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const cli = (...args) => {
    const done = spawnSync(binary, args, { cwd: folder, env, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`${args.join(" ")}: ${done.stderr}`);
    return done.stdout.trim();
  };
  return { base, cli, stop, complaints: () => readFileSync(log, "utf8").split("\n").filter((l) => /"?level"?[":= ]+"?ERROR|^.{0,40} ERROR |panicked/.test(l)) };
}

/** One browser's worth of cookies, without a browser. */
export class Client {
  constructor(base, agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36") {
    this.base = base; this.agent = agent; this.cookies = new Map();
  }

  async send(method, path, body, headers = {}) {
    const answer = await fetch(this.base + path, {
      method, body, redirect: "manual",
      headers: { Accept: "text/html", "User-Agent": this.agent, Cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join("; "), ...headers },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0/i.test(line)) this.cookies.delete(name); else this.cookies.set(name, value);
    }
    // As a browser reads it, as far as addresses go.
    return { status: answer.status, to: answer.headers.get("location"), text: (await answer.text()).replaceAll("&#x2F;", "/") };
  }

  get(path) { return this.send("GET", path); }

  /** Opens the page for its CSRF token, then posts the form. Anything but a redirect is a failure. */
  async submit(page, action, fields) {
    const { text } = await this.get(page);
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(text)?.[1] ?? "";
    const body = new URLSearchParams([["csrfmiddlewaretoken", token], ...Object.entries(fields).flatMap(([k, v]) => [v].flat().map((one) => [k, one]))]);
    const answer = await this.send("POST", action, body);
    if (answer.status !== 303) throw new Error(`POST ${action} from ${page}: ${answer.status}\n${/<main[\s\S]*<\/main>/.exec(answer.text)?.[0].replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").slice(0, 600)}`);
    return answer;
  }

  async upload(page, field, name, text) {
    const { text: html } = await this.get(page);
    const body = new FormData();
    body.append("csrfmiddlewaretoken", /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(html)[1]);
    body.append(field, new Blob([text], { type: "text/csv" }), name);
    return this.send("POST", page, body);
  }

  async signIn(username, password = PASSWORD) {
    await this.submit("/login/", "/login/", { username, password });
    return this;
  }

  async json(method, path, token, body) {
    const answer = await fetch(this.base + path, {
      method, body: body && JSON.stringify(body),
      headers: { "Content-Type": "application/json", Accept: "application/json", ...(token && { Authorization: `Token ${token}` }) },
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }
}
