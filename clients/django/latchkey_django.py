"""A Django project that believes Latchkey's access tokens. Needs `PyJWT[crypto]`; copy this file into the project.

    LATCHKEY = {
        "ISSUER": "https://auth.example.org",  # as `jwt_issuer` there
        "AUDIENCE": "students",                # as `jwt_audience` there, where that is set
    }
    MIDDLEWARE = [..., "latchkey_django.middleware"]  # after AuthenticationMiddleware, where there is one

No request asks Latchkey: the public keys are fetched once in five minutes, and when a token names one that is not
among them. So a token is believed until it expires, however its sign-in ended meanwhile; with `"STATUS_LIST": True` (and
`jwt_status_list` there) only half a minute longer. For Django REST framework there is latchkey_drf.py beside this.
"""

import asyncio
import http.client
import json
import threading
import time
import urllib.request
import zlib

import jwt
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import JsonResponse
from django.utils.decorators import sync_and_async_middleware

DEFAULTS = {
    "AUDIENCE": None,
    "JWKS_URL": None,  # ISSUER and /.well-known/jwks.json
    "ALGORITHMS": ("EdDSA", "ES256", "RS256"),  # never one with a shared secret: the public key would be that secret
    "LEEWAY": 5,  # seconds that clocks may differ
    "STATUS_LIST": False,
    "KEEP_KEYS": 300,  # seconds; Latchkey publishes a key five minutes before it signs
    "KEEP_LIST": 30,  # seconds, as Latchkey says itself
    "KEEP_STALE": 3600,  # for so long copies of keys and lists count while Latchkey cannot be asked
    "ASK_AGAIN": 5,  # seconds; tokens with invented key ids must not make us ask all the time
    "TIMEOUT": 3,
}
LONGEST = 8192  # bytes of a token
LARGEST = 16 * 1024 * 1024  # bytes of a status list, unpacked: 128 million sign-ins


class Refused(Exception):
    """Why a token is not believed."""


class Unavailable(Refused):
    """It cannot be told now: Latchkey does not answer, and nothing of it is at hand."""


class LatchkeyUser:
    """Who the token speaks for. `id` is all that it tells: names and rights are yours to keep, under that id."""

    is_authenticated, is_active, is_anonymous = True, True, False
    is_staff = is_superuser = False

    def __init__(self, claims):
        self.claims = claims
        self.id = self.pk = str(claims["user_id"])

    def get_username(self):
        return self.id

    def __str__(self):
        return f"Latchkey user {self.id}"

    def __eq__(self, other):
        return isinstance(other, LatchkeyUser) and other.id == self.id

    def __hash__(self):
        return hash(self.id)


def setting(name):
    ours = getattr(settings, "LATCHKEY", {})
    return ours[name] if name == "ISSUER" else ours.get(name, DEFAULTS[name])


class Copy:
    """Something of Latchkey's that is kept for a while. One thread fetches, the others go on with what there is."""

    def __init__(self, url):
        self.url = url
        self.value, self.fetched, self.asked = None, 0.0, float("-inf")
        self.lock = threading.Lock()

    def read(self, keep, parse, *, anew=False):
        """`anew`: something is missing in it, so it is fetched unless that was tried a moment ago."""
        now = time.monotonic()
        if self.value is None or now - self.fetched > keep or anew:
            # Who can go on with what there is does not wait for the one who fetches.
            if self.lock.acquire(blocking=self.value is None or anew):
                try:
                    now = time.monotonic()
                    old = self.value is None or now - self.fetched > keep
                    if now - self.asked >= setting("ASK_AGAIN") and (anew or old):
                        self.asked = now
                        self._fetch(parse)
                finally:
                    self.lock.release()
        if self.value is None or now - self.fetched > keep + setting("KEEP_STALE"):
            raise Unavailable("Tokens cannot be judged at the moment")
        return self.value

    def _fetch(self, parse):
        try:
            with urllib.request.urlopen(self.url, timeout=setting("TIMEOUT")) as answer:
                self.value = parse(answer.read(LARGEST))
            self.fetched = time.monotonic()
        except (OSError, http.client.HTTPException, jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError):
            pass  # what was fetched before counts on, for KEEP_STALE


_copies = {}


def _copy(url):
    return _copies.setdefault(url, Copy(url))


def _key(header, *, anew=False):
    url = setting("JWKS_URL") or setting("ISSUER").rstrip("/") + "/.well-known/jwks.json"
    keys = _copy(url).read(setting("KEEP_KEYS"), _parse_keys, anew=anew)
    key = keys.get(header.get("kid"))
    if key is None and not anew:
        return _key(header, anew=True)
    if key is None:
        raise Refused("The token was signed with an unknown key")
    return key


def _parse_keys(body):
    found = jwt.PyJWKSet.from_dict(json.loads(body)).keys if json.loads(body)["keys"] else []
    return {key.key_id: key for key in found if key.algorithm_name in setting("ALGORITHMS")}


def _decode(token, kinds, **checks):
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ", kinds[0]) not in kinds or "crit" in header:
            raise Refused("The token is of another kind")
        if header.get("alg") not in setting("ALGORITHMS"):
            raise Refused("The token is signed in a way that is not taken")
        key = _key(header)
        # One algorithm, the key's own.
        return jwt.decode(token, key, algorithms=[key.algorithm_name], leeway=setting("LEEWAY"), **checks)
    except jwt.ExpiredSignatureError:
        raise Refused("The token has expired") from None
    except (jwt.PyJWTError, ValueError):
        raise Refused("The token is not valid") from None


def verify(token):
    """The claims of an access token; `Refused` where it is none or does not count."""
    if len(token) > LONGEST:
        raise Refused("The token is too long")
    audience = setting("AUDIENCE")
    claims = _decode(
        token,
        ("JWT",),
        issuer=setting("ISSUER"),
        audience=audience,
        options={"require": ["exp", "iat", "iss", "jti"] + ["aud"] * bool(audience), "verify_aud": bool(audience)},
    )
    if claims.get("token_type") != "access" or "user_id" not in claims:
        raise Refused("The token is no access token")
    if setting("STATUS_LIST") and _is_revoked(claims):
        raise Refused("The token was revoked")
    return claims


def _is_revoked(claims):
    try:
        place = claims["status"]["status_list"]
        uri, index = place["uri"], place["idx"]
    except (KeyError, TypeError):
        raise Refused("The token names no status list") from None
    if not uri.startswith(setting("ISSUER").rstrip("/") + "/") or not isinstance(index, int) or index < 0:
        raise Refused("The token names a status list of elsewhere")

    def parse(body):
        return _parse_list(body.decode(), uri)

    bits = _copy(uri).read(setting("KEEP_LIST"), parse)
    if index >= len(bits) * 8:
        # Handed out since.
        bits = _copy(uri).read(setting("KEEP_LIST"), parse, anew=True)
    return index < len(bits) * 8 and bool(bits[index // 8] >> (index % 8) & 1)


def _parse_list(token, uri):
    try:
        claims = _decode(token, ("statuslist+jwt",), options={"require": ["sub", "iat"], "verify_aud": False})
        packed = claims["status_list"]
        if claims["sub"] != uri or packed["bits"] != 1:
            raise ValueError("another list")
        return zlib.decompressobj().decompress(jwt.utils.base64url_decode(packed["lst"]), LARGEST)
    except (Refused, zlib.error) as e:
        raise ValueError("no status list") from e


def bearer(request):
    """The token of `Authorization: Bearer …`; none where there is no such header."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _refuse(why):
    if isinstance(why, Unavailable):
        return JsonResponse({"detail": f"{why}."}, status=503)
    answer = JsonResponse({"detail": f"{why}.", "code": "token_not_valid"}, status=401)
    answer["WWW-Authenticate"] = 'Bearer realm="api", error="invalid_token"'
    return answer


def _enter(request, claims):
    user = LatchkeyUser(claims)

    async def auser():
        return user

    # Each way in which Django looks for the user: none may lead to that of a session cookie.
    request.user = request._cached_user = request._acached_user = user
    request.auser, request.auth = auser, claims
    # No page of elsewhere can make a browser send this header.
    request._dont_enforce_csrf_checks = True


@sync_and_async_middleware
def middleware(get_response):
    """`request.user` from the token. Without a token the request goes on as it is, with a bad one it ends: 401."""
    if iscoroutinefunction(get_response):

        async def handle(request):
            token = bearer(request)
            if token is not None:
                try:
                    # Keys may have to be fetched.
                    _enter(request, await asyncio.to_thread(verify, token))
                except Refused as why:
                    return _refuse(why)
            return await get_response(request)

    else:

        def handle(request):
            token = bearer(request)
            if token is not None:
                try:
                    _enter(request, verify(token))
                except Refused as why:
                    return _refuse(why)
            return get_response(request)

    return handle
