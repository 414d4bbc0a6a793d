"""Writes tests/vectors/django/hashes.json: password strings made by Django itself.

Run with the interpreter of scripts/django-venv.sh:  python tests/django/hashes.py > tests/vectors/django/hashes.json
"""

import json
import sys

import argon2
import django
from django.conf import settings

settings.configure()
django.setup()

from django.contrib.auth import hashers  # noqa: E402

ALL = [
    hashers.PBKDF2PasswordHasher,
    hashers.PBKDF2SHA1PasswordHasher,
    hashers.Argon2PasswordHasher,
    hashers.BCryptSHA256PasswordHasher,
    hashers.BCryptPasswordHasher,
    hashers.ScryptPasswordHasher,
]
PASSWORDS = ["S3cure-pass-1", "pässwörd-中文-🔑", " spaces around ", "x" * 72]


class Cheap:
    """The same formats at other costs, as SETTINGS of real projects have them."""

    class Pbkdf2(hashers.PBKDF2PasswordHasher):
        iterations = 1

    class OldPbkdf2(hashers.PBKDF2PasswordHasher):
        iterations = 600_000  # Django 4.2

    class OldScrypt(hashers.ScryptPasswordHasher):
        parallelism = 1  # Django 4.2

    class Argon2i(hashers.Argon2PasswordHasher):
        time_cost, memory_cost, parallelism = 2, 512, 2  # Django 2

        def params(self):
            return argon2.Parameters(
                type=argon2.low_level.Type.I, version=19, salt_len=16, hash_len=16,
                time_cost=self.time_cost, memory_cost=self.memory_cost, parallelism=self.parallelism,
            )

    class Bcrypt(hashers.BCryptPasswordHasher):
        rounds = 4


def entry(hasher, password):
    salt = hasher.salt()
    return {"algorithm": hasher.algorithm, "password": password, "encoded": hasher.encode(password, salt)}


vectors = [entry(hasher(), PASSWORDS[0]) for hasher in ALL]
vectors += [entry(getattr(Cheap, name)(), PASSWORDS[0]) for name in vars(Cheap) if name[0].isupper()]
vectors += [entry(hasher(), password) for hasher in (Cheap.Pbkdf2, Cheap.Argon2i, Cheap.Bcrypt) for password in PASSWORDS[1:]]
vectors += [entry(hashers.BCryptSHA256PasswordHasher(), "x" * 100)]
for vector in vectors:
    assert hashers.check_password(vector["password"], vector["encoded"]) or vector["algorithm"] in ("argon2", "bcrypt")
json.dump({"django": django.get_version(), "vectors": vectors}, sys.stdout, ensure_ascii=False, indent=1)
print()
