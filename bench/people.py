"""Made-up rows for every large table: names as they are spread in the world, all states, always the same for one
seed. How they get into a database is in `fill`; columns that are not named here get what their type has for nothing."""

import hashlib
import json
import random
from bisect import bisect
from itertools import accumulate

DAY = 86_400
FIRST = """william mary james olivia john emma robert sophia michael ava david mia richard amelia joseph isabella thomas
charlotte daniel grace paul anna mark laura peter julia george alice simon nina oscar ruth felix clara hugo ida leon
vera max edith noah iris adam zoe""".split()
LAST = """johnson brown jones miller davis garcia wilson anderson taylor moore martin lee walker hall young king wright
hill green baker adams nelson carter mitchell roberts turner phillips campbell parker evans edwards collins stewart
morris rogers reed cook morgan bell murphy bailey cooper richardson cox howard ward peterson gray watson brooks kelly
sanders price bennett wood barnes ross henderson coleman jenkins perry powell long patterson hughes flores""".split()
STEMS = "kal mor ten vis har ost bel dun fer gal hol jan lin nor per rav sol tur ulm wes yar zim".split()
ENDS = "berg dahl ez ford gren holm ic kov lund mann nen ova quist rup sen ski son stad ton vik".split()
FAR = [("Mesut", "Özil"), ("Łukasz", "Wójcik"), ("Søren", "Kjær"), ("Иван", "Петров"), ("Ольга", "Смирнова"), ("伟", "王")]
FAR += [("娜", "李"), ("지민", "한"), ("José", "Muñoz"), ("Ebru", "Ağaoğlu"), ("Zoë", "Müller"), ("さくら", "佐藤")]
SMITH, RARE = "smith", "Quetzalcoatlus"
DOMAINS = ["example.com"] * 12 + ["example.org"] * 5 + ["mail.example", "school.example", "bigcorp.example"]
SPLIT = ["CI", "laptop", "deploy", "backup", "grafana", "mobile app", "cron on web-1", "staging", "report"]
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/604.1",
]
# Action, share, door.
ACTIONS = [("session.started", 22, "web"), ("jwt.issued", 30, "api"), ("user.login_failed", 12, "api")]
ACTIONS += [("token.created", 8, "api"), ("user.registered", 8, "api"), ("session.ended", 6, "web"), ("user.changed", 3, "web")]
ACTIONS += [("student.created", 3, "api"), ("student.changed", 2, "web"), ("token.revoked", 2, "web"), ("jwt.family_ended", 1.4, "api")]
ACTIONS += [("user.created", 1, "web"), ("user.password_changed", 1, "web"), ("student.deleted", 0.2, "web"), ("user.deleted", 0.1, "web")]
ACTIONS += [("user.disabled", 0.1, "web"), ("token.renamed", 0.1, "web"), ("token.burned", 0.05, "api"), ("jwt.replayed", 0.05, "api")]


class Skewed:
    """Draws, the first ones more often: the n-th about 1/n as often as the first."""

    def __init__(self, values):
        self.values, self.sums = values, list(accumulate(1 / (3 + n) for n in range(len(values))))

    def draw(self, rng):
        return self.values[bisect(self.sums, rng.random() * self.sums[-1])]


class People:
    """The rows, a function a table. Ids begin after `first`, the administrator who is there."""

    def __init__(self, seed, now, first, password, sizes):
        self.seed, self.now, self.first, self.password, self.sizes = seed, now, first, password, sizes
        self.names = {}

    def rng(self, table):
        return random.Random(f"{self.seed} {table}")

    def digest(self, table, n):
        return hashlib.sha256(f"{self.seed} {table} {n}".encode()).digest()

    def users(self):
        rng, first, last = self.rng("users"), Skewed(FIRST), Skewed(LAST + [s + e for s in STEMS for e in ENDS])
        total = self.sizes["users"]
        for n in range(total):
            if n % 40 == 39:
                given, family = rng.choice(FAR)
            else:
                # One in a hundred is a Smith, one of all has the rare name.
                family = SMITH if n % 100 == 7 else RARE if n == total // 2 else last.draw(rng)
                given, family = first.draw(rng).title(), family.title()
            username = f"{given}.{family}{n}" if n % 3 else f"{given}.{family}{n}".lower()
            local = username.lower() if username.isascii() else f"user{n}"
            joined = self.now - 1100 * DAY + n * 1000 * DAY // total
            seen = 0 if n % 10 in (1, 4, 8) else rng.randrange(joined, self.now)
            staff = n % 100 == 50
            self.names[n] = username
            yield {
                "id": self.first + 1 + n,
                "username": username,
                "username_key": username.lower(),
                "email": "" if n % 12 == 5 else f"{local}@{rng.choice(DOMAINS)}",
                "first_name": "" if n % 9 == 2 else given,
                "last_name": "" if n % 9 == 2 else family,
                "password": self.password,
                "is_active": n % 50 != 3,
                "is_staff": staff,
                "is_superuser": staff and n % 10_000 == 50,
                "last_login": seen,
                "date_joined": joined,
                "version": 1,
            }

    def somebody(self, rng):
        n = rng.randrange(self.sizes["users"])
        return self.first + 1 + n, self.names[n]

    def tokens(self):
        rng, owners, total = self.rng("tokens"), self.sizes["users"], self.sizes["tokens"]
        for n in range(total):
            default = n % 2 == 0 and n < owners
            owner = self.first + 1 + n if default else self.somebody(rng)[0]
            digest = self.digest("token", n)
            made = self.now - 700 * DAY + n * 699 * DAY // total
            state = n % 20
            yield {
                "user_id": owner,
                "name": "default" if default else f"{rng.choice(SPLIT)} {n}" if n % 7 == 3 else rng.choice(SPLIT),
                "is_default": default,
                "digest": digest,
                "prefix": digest.hex()[:8] if default else f"lk_{digest.hex()[:5]}",
                "scopes": "full" if n % 3 else "students:read",
                "created_at": made,
                "created_by": self.names[owner - self.first - 1],
                "expires_at": {3: self.now - n % 80 * DAY - 1, 5: self.now + (n % 90 + 1) * DAY}.get(state),
                "last_used_at": rng.randrange(made, self.now) if n % 3 else None,
                "last_used_address": address(rng) if n % 3 else None,
                "revoked_at": rng.randrange(made, self.now) if state == 7 else None,
                "revoked_by": "root" if state == 7 else None,
            }

    def sessions(self):
        rng = self.rng("sessions")
        for n in range(self.sizes["sessions"]):
            begun = self.now - rng.randrange(10 * DAY)
            yield {
                "digest": self.digest("session", n),
                "user_id": self.somebody(rng)[0],
                "created_at": begun,
                "last_seen_at": max(begun, self.now - rng.randrange(DAY * 3 // 4)),
                "expires_at": begun + 14 * DAY,
                "confirmed_at": begun,
                "address": address(rng),
                "user_agent": rng.choice(AGENTS),
            }

    def students(self):
        rng, first = self.rng("students"), Skewed(FIRST)
        last = Skewed([SMITH, *LAST, *(s + e for s in STEMS for e in ENDS)])
        cities = Skewed([f"{s}{e}{t}".title() for s in STEMS for e in ENDS for t in ("", " north", " lake")][:1000])
        for n in range(self.sizes["students"]):
            given, family = rng.choice(FAR) if n % 40 == 39 else (first.draw(rng).title(), last.draw(rng).title())
            yield {"name": f"{given} {family}", "roll": 1000 + n * 7 % 900_001, "city": cities.draw(rng)}

    def audit_events(self):
        rng, total = self.rng("audit"), self.sizes["audit_events"]
        sums = list(accumulate(share for _, share, _ in ACTIONS))
        # After the administrator was made, as time and ids go together in a log that grows.
        end = self.now + 60
        for n in range(total):
            action, _, via = ACTIONS[bisect(sums, rng.random() * sums[-1])]
            who, name = self.somebody(rng)
            kind = action.split(".")[0]
            unknown = action in ("user.login_failed", "user.registered")
            yield {
                "at": end - 90 * DAY + n * 90 * DAY // total,
                "actor_id": None if unknown else who,
                "actor": "" if unknown else name,
                "via": via,
                "action": action,
                "object_type": kind,
                "object_id": rng.randrange(1, 1 + self.sizes["tokens"]) if kind in ("token", "student") else who,
                "object": rng.choice(SPLIT) if kind == "token" else name,
                "address": address(rng),
                "request_id": f"{rng.getrandbits(64):016x}",
                "detail": json.dumps({"owner": name} if kind == "token" else {}),
                "failed": action in ("user.login_failed", "jwt.replayed"),
            }

    def refresh_families(self):
        rng = self.rng("families")
        for n in range(self.sizes["sessions"]):
            begun = self.now - rng.randrange(20 * DAY)
            yield {
                "handle": int.from_bytes(self.digest("family", n)[:7]),
                "user_id": self.somebody(rng)[0],
                "counter": n % 5,
                "created_at": begun,
                "issued_at": begun,
                "expires_at": begun + 30 * DAY,
                "address": address(rng),
                "revoked_at": self.now - 60 if n % 9 == 0 else None,
                "revoked_because": "signed out" if n % 9 == 0 else None,
            }


def address(rng):
    return f"{rng.choice((10, 192, 203))}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
