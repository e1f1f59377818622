"""Web frameworks on one database: Flask and Django through the twins, in threads; FastAPI through the awaitables."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django  # type: ignore[import-untyped]
import fastapi
import flask
import httpx
import pytest
import turso_jobs
import uvicorn
from django.conf import settings  # type: ignore[import-untyped]
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]
from django.http import HttpRequest, JsonResponse  # type: ignore[import-untyped]
from django.urls import path as django_path  # type: ignore[import-untyped]
from turso_jobs import Client

THREADS = 6
REQUESTS = 60
"""Of each framework."""


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each request, as a server of WSGI has it."""

    daemon_threads = False
    request_queue_size = 64


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def served(application: Callable[..., Any]) -> Generator[str]:
    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def flask_application(client: Client) -> flask.Flask:
    application = flask.Flask("jobs")

    @application.post("/jobs/<kind>")
    def insert(kind: str) -> dict[str, int]:
        with client.transaction_sync() as transaction:
            number = transaction.insert(kind, flask.request.get_data(as_text=True))
            transaction.execute("INSERT INTO seen VALUES (?)", (kind,))
        return {"id": number}

    @application.post("/failing")
    def fail() -> str:
        with client.transaction_sync() as transaction:
            transaction.insert("never")
            flask.abort(409)

    return application


def django_application(client: Client) -> Callable[..., Any]:
    def insert(request: HttpRequest, kind: str) -> JsonResponse:
        body = str(request.body, "utf-8")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return JsonResponse({"id": client.insert_sync(kind, body)})

    urls = type("urls", (), {"urlpatterns": [django_path("jobs/<str:kind>", insert)]})
    if not settings.configured:
        settings.configure(  # pyright: ignore[reportUnknownMemberType]
            ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, SECRET_KEY="of the tests", MIDDLEWARE=[], DEBUG=False
        )
        django.setup()
    settings.ROOT_URLCONF = urls
    application: Callable[..., Any] = get_wsgi_application()
    return application


def fastapi_application(path: str) -> fastapi.FastAPI:
    @asynccontextmanager
    async def lifespan(application: fastapi.FastAPI) -> AsyncGenerator[None]:
        async with turso_jobs.connect(path) as client:
            application.state.client = client
            yield

    application = fastapi.FastAPI(lifespan=lifespan)

    @application.post("/jobs/{kind}")
    async def insert(kind: str, request: fastapi.Request) -> dict[str, int]:
        client: Client = request.app.state.client
        async with client.transaction() as transaction:
            return {"id": await transaction.insert(kind, (await request.body()).decode())}

    @application.get("/stats")
    async def stats(request: fastapi.Request) -> dict[str, int]:
        client: Client = request.app.state.client
        return {queue.queue: queue.available for queue in await client.queue_stats()}

    return application


@contextmanager
def served_by_uvicorn(application: fastapi.FastAPI) -> Generator[str]:
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", loop="asyncio", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def post(url: str, kind: str) -> int:
    with httpx.Client(timeout=60) as http:
        answer = http.post(f"{url}/jobs/{kind}", content=f"of {kind}")
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_three_frameworks_put_jobs_into_one_database(path: str) -> None:
    with turso_jobs.connect_sync(path) as client:
        client.migrate_sync()
        with client.transaction_sync() as transaction:
            transaction.execute("CREATE TABLE seen (kind TEXT)")
        with (
            served(flask_application(client)) as of_flask,
            served(django_application(client)) as of_django,
            served_by_uvicorn(fastapi_application(path)) as of_fastapi,
            ThreadPoolExecutor(THREADS * 3) as pool,
        ):
            urls = {"flask": of_flask, "django": of_django, "fastapi": of_fastapi}
            posts = [pool.submit(post, urls[kind], kind) for _ in range(REQUESTS) for kind in urls]
            refused = [pool.submit(httpx.post, f"{of_flask}/failing", timeout=60) for _ in range(10)]
            numbers = [done.result() for done in posts]
            assert {done.result().status_code for done in refused} == {409}
            assert httpx.get(f"{of_fastapi}/stats").json() == {"default": 3 * REQUESTS}
        assert sorted(numbers) == sorted(set(numbers)), "each job has a number of its own"
        jobs = {job.id: job for job in client.list_jobs_sync(limit=1000)}
        assert sorted(jobs) == sorted(numbers), "what Flask gave up was rolled back"
        assert all(job.payload == f"of {job.kind}" for job in jobs.values())
        with client.transaction_sync() as transaction:
            assert transaction.fetch_one("SELECT COUNT(*) FROM seen") == (REQUESTS,)


def test_workers_in_threads_and_in_a_loop_do_each_job_once(path: str) -> None:
    """While every lease holds, no two of them have one job."""
    with turso_jobs.connect_sync(path, poll=0.02) as client:
        client.migrate_sync()
        expected = client.insert_many_sync("a", [str(number) for number in range(120)])
        done: list[int] = []

        def work() -> None:
            while jobs := client.claim_sync(limit=3):
                for job in jobs:
                    client.complete_sync(job.id, job.attempt)
                    done.append(job.id)

        async def work_in_loop() -> None:
            async def one() -> None:
                while jobs := await client.claim(limit=2):
                    for job in jobs:
                        await client.complete(job.id, job.attempt)
                        done.append(job.id)

            await asyncio.gather(*(one() for _ in range(4)))

        threads = [threading.Thread(target=work) for _ in range(4)]
        threads.append(threading.Thread(target=asyncio.run, args=(work_in_loop(),)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == expected
