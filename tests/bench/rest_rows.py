"""The rows about documents and small requests."""

from collections.abc import Callable

from tests.bench import memory_measures, rest_measures, tls_measures
from tests.bench.measure import Effort, Measure
from tests.bench.rest_measures import LARGE, SMALL
from tests.bench.servers import HttpServer
from tests.bench.targets import Limit, Target


def rows(effort: Effort) -> list[Measure]:
    """Return them in the order of the table."""
    return [
        *_documents(effort),
        *_large_files(effort),
        *_small_requests(effort),
        *_over_tls(effort),
    ]


def _documents(effort: Effort) -> list[Measure]:
    def rest(
        name: str, ready: Callable[[HttpServer], bytes], target: float, *, fresh: bool = False
    ) -> Measure:
        return Measure(
            name,
            "requests/s",
            lambda server: rest_measures.rate(server, [ready(server)], effort.seconds),
            (Target(target),),
            fresh=fresh,
        )

    def large(server: HttpServer) -> bytes:
        return rest_measures.get(server, "api/contents/large.ipynb")

    def listing(number: int) -> Measure:
        path = f"api/contents/{rest_measures.directory(number)}"
        return rest(f"GET directory of {number} files", lambda s: rest_measures.get(s, path), 10)

    return [
        listing(200),
        listing(10_000),
        rest("GET 5 MB notebook", large, 3, fresh=True),
        Measure(
            "GET 5 MB notebook that has just changed",
            "requests/s",
            lambda server: rest_measures.rate_of_changed(server, effort.seconds),
        ),
        rest("PUT 5 MB notebook", lambda s: rest_measures.put_notebook(s, "new.ipynb", LARGE), 3),
        Measure(
            "longest GET of a small notebook during PUT of 50 MB",
            "ms",
            rest_measures.longest_wait_ms,
            (Limit(50, "ms"),),
        ),
    ]


def _large_files(effort: Effort) -> list[Measure]:
    limit = Limit(64, "MB")
    return [
        Measure(
            f"growth of any process during download of {effort.file_mib} MiB",
            "MB",
            lambda server: memory_measures.download_mb(server, effort.file_mib),
            (limit,),
            most_rounds=1,
        ),
        Measure(
            f"growth of any process during upload of {effort.file_mib} MiB in chunks",
            "MB",
            lambda server: memory_measures.upload_mb(server, effort.file_mib),
            (limit,),
            most_rounds=1,
        ),
    ]


def _small_requests(effort: Effort) -> list[Measure]:
    def small(
        name: str, ready: Callable[[HttpServer, int], bytes], connections: int, target: float
    ) -> Measure:
        return Measure(
            f"{name}, {connections} connection{'s' if connections > 1 else ''}",
            "requests/s",
            lambda server: rest_measures.rate(
                server, [ready(server, index) for index in range(connections)], effort.seconds
            ),
            (Target(target),),
        )

    def get(path: str) -> Callable[[HttpServer, int], bytes]:
        return lambda server, _: rest_measures.get(server, path)

    def put(server: HttpServer, index: int) -> bytes:
        return rest_measures.put_notebook(server, f"small-{index}.ipynb", SMALL)

    return [
        small(name, ready, connections, target)
        for name, ready, at_1, at_32 in (
            ("GET status", get("api/status"), 7, 7),
            ("GET me", get("api/me"), 7, 7),
            ("GET kernels", get("api/kernels"), 1.3, 3),
            ("GET sessions", get("api/sessions"), 1.3, 3),
            ("GET small notebook", get("api/contents/small.ipynb"), 1, 2),
            ("PUT small notebook", put, 1, 2),
        )
        for connections, target in ((1, at_1), (32, at_32))
    ]


def _over_tls(effort: Effort) -> list[Measure]:
    limit = Limit(1.3, "times as long")
    return [
        Measure(
            "GET status over https, by the time of one over http",
            "times as long",
            lambda server: tls_measures.slower_gets(server, "api/status", effort.seconds),
            (limit,),
            most_rounds=1,
        ),
        Measure(
            "empty cell over https, by the time of one over http",
            "times as long",
            lambda server: tls_measures.slower_cells(server, effort.executions),
            (limit,),
            most_rounds=1,
        ),
    ]
