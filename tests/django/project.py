"""A small Django project, made and asked by the tests of `latchkey import-django`.

    project.py make DATABASE_URL    migrates and fills the database; prints, as JSON, what a client would know
    project.py verify TOKEN         whether SimpleJWT here accepts an access token: prints its claims, as JSON
    project.py blacklist DATABASE_URL TOKEN

DATABASE_URL is `sqlite:<path>` or `postgres:<libpq connection string>`.
"""

import datetime
import json
import sys

import django
from django.conf import settings

SECRET_KEY = "the SECRET_KEY of a Django project that is moving"
PASSWORD = "S3cure-pass-1"
# One hash costs what Django makes it cost; the others are of the same form, and cheaper.
HASHERS = [
    "project.CheapPBKDF2", "project.CheapPBKDF2SHA1", "project.CheapArgon2", "project.CheapBCryptSHA256",
    "project.CheapBCrypt", "project.CheapScrypt",
]


def database(url):
    kind, _, rest = url.partition(":")
    if kind == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": rest}
    parts = dict(part.split("=", 1) for part in rest.split())
    return {"ENGINE": "django.db.backends.postgresql", "NAME": parts["dbname"], "USER": parts["user"], "HOST": parts["host"]}


settings.configure(
    SECRET_KEY=SECRET_KEY,
    USE_TZ=True,
    DATABASES={"default": database(sys.argv[2])} if sys.argv[1] != "verify" else {},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "rest_framework",
        "rest_framework.authtoken", "rest_framework_simplejwt.token_blacklist",
    ],
    PASSWORD_HASHERS=HASHERS,
)
sys.modules["project"] = sys.modules["__main__"]
django.setup()

from django.contrib.auth import hashers  # noqa: E402


class CheapPBKDF2(hashers.PBKDF2PasswordHasher):
    iterations = 1000


class CheapPBKDF2SHA1(hashers.PBKDF2SHA1PasswordHasher):
    iterations = 1000


class CheapArgon2(hashers.Argon2PasswordHasher):
    memory_cost, parallelism = 1024, 2


class CheapBCryptSHA256(hashers.BCryptSHA256PasswordHasher):
    rounds = 4


class CheapBCrypt(hashers.BCryptPasswordHasher):
    rounds = 4


class CheapScrypt(hashers.ScryptPasswordHasher):
    work_factor = 2**10


def make():
    from django.contrib.auth.models import Group, Permission, User
    from django.core.management import call_command
    from django.db import connection
    from rest_framework.authtoken.models import Token
    from rest_framework_simplejwt.tokens import RefreshToken

    call_command("migrate", verbosity=0)
    joined = datetime.datetime(2020, 2, 29, 12, 30, 15, 250000, tzinfo=datetime.timezone.utc)
    users = {}
    for hasher in hashers.get_hashers():
        name = f"by-{hasher.algorithm}"
        users[name] = User.objects.create(
            username=name, password=hashers.make_password(PASSWORD, hasher=hasher.algorithm), date_joined=joined
        )
    users["default"] = User.objects.create(
        username="default",
        password=hashers.PBKDF2PasswordHasher().encode(PASSWORD, "saltsaltsaltsaltsaltsa"),
        date_joined=joined,
        last_login=joined + datetime.timedelta(days=1),
        email="Ann@Example.ORG",
        first_name="Ann",
        last_name="Łoś",
    )
    users["root"] = User.objects.create_superuser("root", "root@example.org", PASSWORD)
    users["clerk"] = User.objects.create_user("clerk", password=PASSWORD, is_staff=True)
    users["gone"] = User.objects.create_user("gone", password=PASSWORD, is_active=False)
    users["nothing"] = User.objects.create_user("nothing")
    users["strange"] = User.objects.create(username="strange", password="md5$salt$5f4dcc3b5aa765d61d8327deb882cf99")
    users["costly"] = User.objects.create(
        username="costly", password="pbkdf2_sha256$1000000000000$salt$5yan7jk3h1lUGiiaGhmoDPBOyznm23U+cmEJbquRTxE="
    )
    users["Upper"] = User.objects.create_user("Upper", password=PASSWORD)
    users["upper"] = User.objects.create_user("upper", password=PASSWORD)
    users["with space"] = User.objects.create_user("with space", password=PASSWORD, email="none")
    readers = Group.objects.create(name="readers")
    readers.permissions.set(Permission.objects.filter(codename__in=["view_user", "change_token", "view_session"]))
    users["clerk"].groups.add(readers)
    users["clerk"].user_permissions.add(Permission.objects.get(codename="add_user"))
    keys = {name: Token.objects.create(user=users[name]).key for name in ("default", "root", "gone", "upper")}
    pairs = {}
    for name in ("default", "root", "by-scrypt", "upper"):
        refresh = RefreshToken.for_user(users[name])
        pairs[name] = {"refresh": str(refresh), "access": str(refresh.access_token)}
    black = RefreshToken.for_user(users["default"])
    black.blacklist()
    expired = RefreshToken()
    expired.set_exp(lifetime=-datetime.timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE school_student (id integer PRIMARY KEY, name varchar(100), roll integer, city varchar(100), "
            "house varchar(20))"
        )
        cursor.execute(
            "INSERT INTO school_student VALUES (7, 'Nikhil Patil', 101, 'Nandurbar', 'red'), "
            "(8, 'Raj Gohel', 102, 'Nandurbar', NULL)"
        )
    return {
        "django": django.get_version(),
        "secret_key": SECRET_KEY,
        "password": PASSWORD,
        "ids": {name: user.id for name, user in users.items()},
        "joined": int(joined.timestamp()),
        "keys": keys,
        "pairs": pairs,
        "blacklisted": str(black),
    }


def verify(token):
    from rest_framework_simplejwt.tokens import AccessToken

    return AccessToken(token).payload


def blacklist(token):
    from rest_framework_simplejwt.tokens import RefreshToken

    RefreshToken(token).blacklist()
    return {}


if sys.argv[1] == "make":
    answer = make()
elif sys.argv[1] == "verify":
    answer = verify(sys.argv[2])
else:
    answer = blacklist(sys.argv[3])
json.dump(answer, sys.stdout)
