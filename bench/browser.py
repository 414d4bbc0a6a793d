"""A person at the panel: signed in, over one connection that stays open."""

import html
import re
import sys
import urllib.parse

from filling import PASSWORD, USER


def hidden(page):
    """What the forms of a page send without being asked."""
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))


class Browser:
    def __init__(self, server):
        self.connection, self.cookies = server.connect(), {}

    def ask(self, method, path, body=None):
        headers = {"Accept": "text/html", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.http.request(method, path, body, headers)
        answer = self.connection.http.getresponse()
        self.location = answer.getheader("Location")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                name, value = value.split(";")[0].split("=", 1)
                self.cookies[name] = value
        return answer.status, answer.read().decode()

    def raw(self, path):
        """A file that pages load, as it is."""
        self.connection.http.request("GET", path, headers={"Accept": "*/*"})
        answer = self.connection.http.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"GET {path}: {answer.status}")
        return body

    def get(self, path):
        status, text = self.ask("GET", path)
        if status != 200:
            sys.exit(f"GET {path}: {status}")
        return html.unescape(text)

    def send(self, path, fields):
        """A form; and where that leads, the page it leads to."""
        status, text = self.ask("POST", path, urllib.parse.urlencode(fields))
        if status in (302, 303):
            return self.get(self.location)
        if status != 200:
            sys.exit(f"POST {path}: {status}: {text[:500]}")
        return html.unescape(text)

    def sign_in(self):
        page = self.get("/admin/login/")
        fields = hidden(page) | {"username": USER, "password": PASSWORD}
        status, text = self.ask("POST", "/admin/login/", urllib.parse.urlencode(fields))
        if status not in (302, 303):
            sys.exit(f"cannot sign in: {status}: {text[:500]}")
