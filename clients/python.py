"""Latchkey from Python, with requests. Import it, or run it:

LATCHKEY_URL=http://127.0.0.1:8000 LATCHKEY_TOKEN=<of somebody who may register> python clients/python.py ann 'correct horse 9'
"""

import os
import sys
import threading

import requests


class Latchkey:
    """One person's sign-in. May be shared between threads."""

    def __init__(self, url, *, token=None, timeout=30):
        self.url = url.rstrip("/")
        self.token = token  # an API token; without one, the pair of a sign-in
        self.access = self.refresh = None
        self.timeout = timeout
        self.http = requests.Session()
        self._lock = threading.Lock()

    def sign_up(self, username, password, *, token):
        """Makes an account; `token` is of somebody who may. Then this one is signed in."""
        fields = {"username": username, "password": password, "confirm_password": password}
        self._keep(self._send("POST", "/registerapi/", f"Token {token}", json=fields))

    def sign_in(self, username, password):
        fields = {"username": username, "password": password}
        self._keep(self._send("POST", "/api/token/", None, json=fields))

    def get(self, path):
        return self.call("GET", path)

    def call(self, method, path, **arguments):
        """With the credential; where the access token has ended, once more with a new one."""
        if self.token:
            return self._send(method, path, f"Token {self.token}", **arguments)
        used = self.access
        try:
            return self._send(method, path, f"Bearer {used}", **arguments)
        except requests.HTTPError as e:
            if e.response.status_code != 401 or self.refresh is None:
                raise
        self.renew(used)
        return self._send(method, path, f"Bearer {self.access}", **arguments)

    def renew(self, used=None):
        """A new pair. Both are replaced: the refresh token that was used counts no longer."""
        with self._lock:
            if used is not None and used != self.access:
                return  # another thread was quicker
            self._keep(self._send("POST", "/api/token/refresh/", None, json={"refresh": self.refresh}))

    def sign_out(self):
        """Ends this sign-in, with everything it was given."""
        self._send("POST", "/api/token/blacklist/", None, json={"refresh": self.refresh})
        self.access = self.refresh = None

    def revoke(self, token):
        """Ends an API token, or a sign-in by one of its two tokens."""
        self.call("POST", "/api/revoke/", json={"token": token})

    def _keep(self, pair):
        self.access, self.refresh = pair["access"], pair.get("refresh", self.refresh)

    def _send(self, method, path, credential, **arguments):
        headers = {"Accept": "application/json"}
        if credential:
            headers["Authorization"] = credential
        answer = self.http.request(
            method, self.url + path, headers=headers, timeout=self.timeout, allow_redirects=False, **arguments
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


if __name__ == "__main__":
    url, token = os.environ.get("LATCHKEY_URL", "http://127.0.0.1:8000"), os.environ["LATCHKEY_TOKEN"]
    program = Latchkey(url, token=token)
    print(program.get("/studentapi/"))
    person = Latchkey(url)
    person.sign_up(sys.argv[1], sys.argv[2], token=token)
    print(person.get("/studentapi/"))
    person.sign_out()
