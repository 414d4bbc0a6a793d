// Latchkey from JavaScript, with fetch: a browser, Node 18 and later, Deno, Bun. Import it, or run it:
// LATCHKEY_URL=http://127.0.0.1:8000 LATCHKEY_TOKEN=<of somebody who may register> node clients/javascript.mjs ann 'correct horse 9'

export class Refused extends Error {
    constructor(status, body) {
        super(body?.detail ?? `HTTP ${status}`);
        this.status = status;
        this.body = body;
    }
}

/** One person's sign-in, or with `token` a program's. */
export class Latchkey {
    #renewing = null;

    constructor(url, { token = null } = {}) {
        this.url = url.replace(/\/+$/, '');
        this.token = token;
        this.access = null;
        this.refresh = null;
    }

    /** Makes an account; `token` is of somebody who may. Then this one is signed in. */
    async signUp(username, password, token) {
        const fields = { username, password, confirm_password: password };
        this.#keep(await this.#send('POST', '/registerapi/', `Token ${token}`, fields));
    }

    async signIn(username, password) {
        this.#keep(await this.#send('POST', '/api/token/', null, { username, password }));
    }

    get(path) {
        return this.call('GET', path);
    }

    /** With the credential; where the access token has ended, once more with a new one. */
    async call(method, path, fields) {
        if (this.token) return this.#send(method, path, `Token ${this.token}`, fields);
        const used = this.access;
        try {
            return await this.#send(method, path, `Bearer ${used}`, fields);
        } catch (e) {
            if (e.status !== 401 || !this.refresh) throw e;
        }
        if (used === this.access) await this.renew();
        return this.#send(method, path, `Bearer ${this.access}`, fields);
    }

    /** A new pair; calls at the same moment share one. The refresh token that was used counts no longer. */
    renew() {
        this.#renewing ??= this.#send('POST', '/api/token/refresh/', null, { refresh: this.refresh })
            .then((pair) => this.#keep(pair))
            .finally(() => { this.#renewing = null; });
        return this.#renewing;
    }

    /** Ends this sign-in, with everything it was given. */
    async signOut() {
        await this.#send('POST', '/api/token/blacklist/', null, { refresh: this.refresh });
        this.access = this.refresh = null;
    }

    /** Ends an API token, or a sign-in by one of its two tokens. */
    async revoke(token) {
        await this.call('POST', '/api/revoke/', { token });
    }

    #keep({ access, refresh = this.refresh }) {
        this.access = access;
        this.refresh = refresh;
    }

    async #send(method, path, credential, fields) {
        const headers = { Accept: 'application/json' };
        if (credential) headers.Authorization = credential;
        if (fields) headers['Content-Type'] = 'application/json';
        const answer = await fetch(this.url + path, {
            method,
            headers,
            body: fields && JSON.stringify(fields),
            redirect: 'error',
            credentials: 'omit', // a browser's session would be asked for a CSRF token
            signal: AbortSignal.timeout(30_000),
        });
        const text = await answer.text();
        const body = text && (answer.headers.get('Content-Type') ?? '').includes('json') ? JSON.parse(text) : null;
        if (!answer.ok) throw new Refused(answer.status, body);
        return body;
    }
}

if (globalThis.process?.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
    const url = process.env.LATCHKEY_URL ?? 'http://127.0.0.1:8000';
    const token = process.env.LATCHKEY_TOKEN;
    console.log(JSON.stringify(await new Latchkey(url, { token }).get('/studentapi/')));
    const person = new Latchkey(url);
    await person.signUp(process.argv[2], process.argv[3], token);
    console.log(JSON.stringify(await person.get('/studentapi/')));
    await person.signOut();
}
