"""A service that believes Latchkey, with the files of clients/django: real Django and Django REST framework.

next_door.py <settings as JSON>      serves on a free port of the loopback, which it prints
next_door.py <settings> <token>      prints what the middleware makes of a token in an asynchronous Django
"""

import asyncio
import json
import pathlib
import socketserver
import sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients" / "django"))

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="of the service next door",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "latchkey_django.middleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    AUTHENTICATION_BACKENDS=[f"{__name__}.Bobs"],
    LATCHKEY=json.loads(sys.argv[1]),
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "latchkey_drf.LatchkeyJWTAuthentication",
            "latchkey_drf.LatchkeyTokenAuthentication",
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.contrib import auth  # noqa: E402
from django.contrib.auth.backends import BaseBackend  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.middleware import auser  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.signed_cookies import SessionStore  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.test import AsyncClient  # noqa: E402
from django.urls import path  # noqa: E402
from latchkey_drf import HasScope  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Bobs(BaseBackend):
    """Sessions of the service's own users. There is one."""

    def get_user(self, user_id):
        return User(pk=user_id, username="bob")


class Who(APIView):
    def get(self, request):
        return Response({"id": request.user.id, "by": type(request.successful_authenticator).__name__})


class Students(Who):
    permission_classes = [HasScope.of("students:read")]


class Metrics(Who):
    permission_classes = [HasScope.of("metrics:read")]


def plain(request):
    """Django without the framework."""
    user = getattr(request, "user", None)
    return JsonResponse({"id": user and user.id})


async def plain_async(request):
    return plain(request)


@login_required
async def guarded(request):
    """Each way in which Django knows the user."""
    users = [request.user, await request.auser(), await auser(request)]
    return JsonResponse({"ids": [user.id for user in users]})


urlpatterns = [
    path("drf/", Who.as_view()),
    path("students/", Students.as_view()),
    path("metrics/", Metrics.as_view()),
    path("plain/", plain),
    path("async/", plain_async),
    path("guarded/", guarded),
]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def session_of_bob():
    session = SessionStore()
    session[auth.SESSION_KEY] = "700"
    session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[auth.HASH_SESSION_KEY] = User(pk=700).get_session_auth_hash()
    session.save()
    return session.session_key


async def asynchronously(token):
    client = AsyncClient()
    bearer = {"Authorization": f"Bearer {token}"}
    with_token = await client.get("/async/", headers=bearer)
    bad = await client.get("/async/", headers={"Authorization": "Bearer nonsense"})
    without = await client.get("/async/")
    nobody = await client.get("/guarded/")
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of_bob()
    bob = await client.get("/guarded/")
    both = await client.get("/guarded/", headers=bearer)
    return {
        "good": with_token.json(),
        "bad": bad.status_code,
        "without": without.json(),
        "guarded": {"nobody": nobody.status_code, "session": bob.json(), "session and token": both.json()},
    }


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(asyncio.run(asynchronously(sys.argv[2]))))
    else:
        from django.core.wsgi import get_wsgi_application

        server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=Server, handler_class=Quiet)
        print(server.server_port, flush=True)
        server.serve_forever()
