"""Django REST framework for a project that believes Latchkey. Copy it beside latchkey_django.py, where the settings are told.

    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["latchkey_drf.LatchkeyJWTAuthentication"]}

API tokens say nothing themselves; `LatchkeyTokenAuthentication` asks Latchkey about each. It needs a token of its own
with the scope `tokens:introspect`: `LATCHKEY = {..., "TOKEN": "lk_..."}`.
"""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission

from latchkey_django import LatchkeyUser, Refused, Unavailable, setting, verify


class NotNow(APIException):
    status_code, default_code = 503, "unavailable"
    default_detail = "Tokens cannot be judged at the moment."


class _FromHeader(BaseAuthentication):
    keyword = ""

    def authenticate(self, request):
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        claims = self.judge(token.strip())
        return LatchkeyUser(claims), claims

    def authenticate_header(self, request):
        return f'{self.keyword} realm="api"'


class LatchkeyJWTAuthentication(_FromHeader):
    """`Authorization: Bearer <access token>`. `request.user` has the id, `request.auth` the claims."""

    keyword = "Bearer"

    def judge(self, token):
        try:
            return verify(token)
        except Unavailable:
            raise NotNow from None
        except Refused as why:
            raise AuthenticationFailed(f"{why}.", code="token_not_valid") from None


class LatchkeyTokenAuthentication(_FromHeader):
    """`Authorization: Token <key>`. A call to Latchkey for each request, so a revocation counts at once."""

    keyword = "Token"

    def judge(self, token):
        if not token:
            raise AuthenticationFailed("Invalid token.")
        facts = introspect(token)
        if not facts.get("active") or facts.get("token_type") != "Token":
            raise AuthenticationFailed("Invalid token.")
        return {**facts, "user_id": facts["sub"]}


def introspect(token):
    """What Latchkey says of a token (RFC 7662). Not kept: what is kept is believed after it was revoked."""
    request = urllib.request.Request(
        setting("ISSUER").rstrip("/") + "/api/introspect/",
        data=urllib.parse.urlencode({"token": token}).encode(),
        headers={"Authorization": f"Token {settings.LATCHKEY['TOKEN']}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=setting("TIMEOUT")) as answer:
            facts = json.load(answer)
    except urllib.error.HTTPError as e:
        # Nothing that Latchkey could look up, or too long for it: asking again would not help.
        raise AuthenticationFailed("Invalid token.") if e.code in (400, 413) else NotNow from None
    except (OSError, http.client.HTTPException, ValueError):
        raise NotNow from None
    if not isinstance(facts, dict):
        raise NotNow
    return facts


class HasScope(BasePermission):
    """`permission_classes = [HasScope.of("students:read")]`.

    JWTs do not say what they may be used for, so Latchkey is asked about them, here and only here.
    """

    scope = None

    @classmethod
    def of(cls, scope):
        return type("HasScope", (cls,), {"scope": scope, "message": f"The credential lacks the scope {scope}."})

    def has_permission(self, request, view):
        facts = request.auth
        if not isinstance(facts, dict):
            return False
        if "scope" not in facts:
            facts = introspect(get_authorization_header(request).decode("latin-1").partition(" ")[2].strip())
        return self.scope in facts.get("scope", "").split()
