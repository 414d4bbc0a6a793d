// Representative data, made as people and programs make it: by the command line, the API and the panel's forms.
// Whoever adds a kind of record adds some here and gives pages.json a name for its id.
import { CODE, Client, PASSWORD } from "./server.mjs";

const NAMES = `amara.okafor Amara Okafor; ben.suzuki Ben Suzuki; chiara.lombardi Chiara Lombardi; daniel.brandt Daniel Brandt; elif.demir Elif Demir;
farah.haddad Farah Haddad; gustavo.pereira Gustavo Pereira; hana.novak Hana Novák; ivan.petrov Ivan Petrov; julia.meyer Julia Meyer;
kofi.mensah Kofi Mensah; lena.fischer Lena Fischer; mateo.garcia Mateo García; nadia.rahman Nadia Rahman; oscar.lindqvist Oscar Lindqvist;
priya.natarajan Priya Natarajan; quentin.dubois Quentin Dubois; rosa.jimenez Rosa Jiménez; sana.iqbal Sana Iqbal; tomasz.zielinski Tomasz Zieliński;
uma.krishnan Uma Krishnan; viktor.horvath Viktor Horváth; wen.zhang Wen Zhang; ximena.torres Ximena Torres; yusuf.aydin Yusuf Aydın; zoe.papadopoulou Zoe Papadopoulou`
  .split(/;\s*/).map((line) => line.trim().split(/\s+/));
const STUDENTS = `Anil Kumar,Pune; Asha Rao,Mysuru; Bao Nguyen,Hanoi; Carla Rossi,Bologna; Dmitri Ivanov,Kazan; Elena Popescu,Cluj; Femi Adeyemi,Lagos;
Greta Olsen,Bergen; Hiro Tanaka,Osaka; Ines Moreau,Lyon; Jonas Weber,Kassel; Kavya Iyer,Chennai; Leila Farsi,Shiraz; Maya Cohen,Haifa; Nils Berg,Malmö;
Olga Kowalska,Łódź; Pedro Alves,Porto; Ravi Shankar,Pune; Sofia Costa,Braga; Tariq Aziz,Lahore; Ursula Graf,Graz; Vera Klein,Trier; Wanda Maas,Utrecht;
Xu Li,Chengdu; Yara Salem,Amman; Zeynep Kaya,İzmir; A student whose name is so long that it has to go on to a second line somewhere,Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch`
  .split(/;\s*/).map((line) => line.trim().split(","));

/** As long as they may be, and nowhere to break. */
export const LONG = { username: "aaron.wolfeschlegelsteinhausenbergerdorff.".repeat(4).slice(0, 149) + "a", token: "import_job_of_the_accounts_department_".repeat(3).slice(0, 100) };

const idIn = (path) => /\/(\d+)\//.exec(path ?? "")?.[1];

/** The first administrator, through the set-up form. */
export async function setUp(server) {
  const root = new Client(server.base);
  await root.submit("/setup/", "/setup/", { code: CODE, username: "ada.lovelace", email: "ada@example.org", password: PASSWORD, confirm_password: PASSWORD });
  return root;
}

/** Everything else. Returns the ids that pages.json speaks of. */
export async function fill(server, root) {
  const ids = {};
  const key = server.cli("create-token", "ada.lovelace");
  for (const [username] of NAMES) {
    await root.json("POST", "/registerapi/", key, { username, password: PASSWORD, confirm_password: PASSWORD });
  }
  await root.json("POST", "/registerapi/", key, { username: LONG.username, password: PASSWORD, confirm_password: PASSWORD });
  for (const [i, [name, city]] of STUDENTS.entries()) {
    const student = await root.json("POST", "/studentapi/", key, { name, roll: 101 + i, city });
    ids.student ??= student.id;
  }
  const users = await usersByName(root);
  ids.user = users.get("amara.okafor");
  ids.disabled = users.get("viktor.horvath");
  ids.person = users.get("ben.suzuki");
  ids.staff = users.get("chiara.lombardi");
  ids.root = users.get("ada.lovelace");
  ids.long = users.get(LONG.username);
  // What staff may do: much, little, nothing.
  for (const [name, ...permission] of [
    ["Support", "view_users", "change_users", "view_sessions", "delete_sessions", "view_students", "add_students", "change_students", "delete_students"],
    ["Readers of the log", "view_audit"],
    ["Waiting for a decision"],
  ]) await root.submit("/admin/groups/new/", "/admin/groups/new/", { name, permission });
  ids.group = /\/admin\/groups\/(\d+)\/"[^>]*>Support</.exec((await root.get("/admin/groups/")).text)?.[1];
  for (const [username, first_name, last_name] of NAMES.slice(0, 12)) {
    const path = `/admin/users/${users.get(username)}/`;
    const staff = ["amara.okafor", "chiara.lombardi"].includes(username) ? { is_staff: "on", ...(username === "chiara.lombardi" && { group: ids.group }) } : {};
    const { text } = await root.get(path);
    const hidden = Object.fromEntries([...text.matchAll(/<input type="hidden" name="(?!csrf|next)([^"]+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    await root.submit(path, path, { ...hidden, username, first_name, last_name, email: `${username}@example.org`, is_active: "on", ...staff });
  }
  await root.submit(`/admin/users/${ids.disabled}/`, `/admin/users/${ids.disabled}/disable/`, {});
  const agents = ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "curl/8.14.1"];
  for (const [i, [username]] of NAMES.slice(0, 6).entries()) await new Client(server.base, agents[i % 3]).signIn(username);
  const guess = new Client(server.base);
  for (let i = 0; i < 3; i++) {
    await guess.submit("/login/", "/login/", { username: "nobody.here", password: "not-it-at-all" }).catch(() => {});
  }

  // A link to set a password, and one that never was: the page that confirms an address needs mail.
  await root.submit(`/admin/users/${ids.person}/`, `/admin/users/${ids.person}/link/`, { how: "show" });
  const shown = (await root.get(`/admin/users/${ids.person}/link/`)).text.replaceAll("&#x2F;", "/");
  ids.link = /password-reset\/([\w-]{40,})/.exec(shown)?.[1];
  ids.nolink = "no-such-link";

  const token = async (owner, name, more = {}) => {
    const made = await root.submit("/admin/tokens/new/", "/admin/tokens/new/", { owner, kind: "named", name, expires: "90", access: "full", ...more });
    return idIn(made.to);
  };
  ids.token = await token("amara.okafor", "CI import job");
  ids.revoked = await token("ben.suzuki", "Old laptop");
  ids.mine = await token("ben.suzuki", "Nightly export with a name that says everything about what it is for", { expires: "", access: "some", scope: "students:read" });
  for (const [username] of NAMES.slice(3, 14)) await token(username, "Dashboard sync", { expires: "30" });
  ids.longtoken = await token(LONG.username, LONG.token);
  await root.submit(`/admin/tokens/${ids.revoked}/revoke/`, `/admin/tokens/${ids.revoked}/revoke/`, {});
  const list = await root.get("/admin/tokens/");
  ids.default = /\/admin\/tokens\/(\d+)\/[^>]*>\s*default\s*</.exec(list.text)?.[1] ?? await fromCreate(root);
  for (let i = 0; i < 5; i++) await root.json("GET", "/studentapi/", key);

  const edits = await root.get("/admin/audit/?act=user.changed");
  ids.event = /\/admin\/audit\/(\d+)\//.exec(edits.text)?.[1];
  for (const header of ["", "Token lk_nonsense", "Basic YTpi"]) await fetch(`${server.base}/studentapi/`, { headers: header ? { Authorization: header } : {} });
  ids.refusal = /\/admin\/refusals\/(\d+)\//.exec((await root.get("/admin/refusals/")).text)?.[1];
  const sheet = "name;roll;city\n" + STUDENTS.slice(0, 6).map(([name, city], i) => `${name};${i < 2 ? 101 + i : 900 + i};${city}`).join("\n") + "\nNobody;x;Nowhere\n;7;Nowhere\n";
  ids.upload = idIn((await root.upload("/admin/students/import/", "file", "class.csv", sheet)).to);

  const keys = await root.get("/admin/keys/");
  ids.key = /\/admin\/keys\/(\d+)\//.exec(keys.text)?.[1];
  return ids;
}

/** Asking for a default token that is there already leads to the page that says so. */
async function fromCreate(root) {
  const made = await root.submit("/admin/tokens/new/", "/admin/tokens/new/", { owner: "ada.lovelace", kind: "default" });
  return idIn(made.to);
}

async function usersByName(root) {
  const { text } = await root.get("/admin/users/?per=100");
  return new Map([...text.matchAll(/<a href="\/admin\/users\/(\d+)\/"[^>]*>([^<]+)<\/a>/g)].map((m) => [m[2].trim(), m[1]]));
}
