from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.metrics import Snapshot
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from conftest import MakeEdge


def read(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_what_runs_has_the_names_of_jupyter_server() -> None:
    snapshot = Snapshot("1.2", ["notebook"], {"python3": 2, "ir": 1}, 3, 4, 100.0, 160.0)
    found = read(snapshot.text().decode())
    assert found["jupyter_server_info"] == [({"version": "1.2"}, 1.0)]
    assert found["jupyter_server_extension_info"][0][0]["name"] == "notebook"
    assert found["kernel_currently_running_total"] == [
        ({"type": "python3"}, 2.0),
        ({"type": "ir"}, 1.0),
    ]
    assert found["terminal_currently_running_total"] == [({}, 3.0)]
    assert found["perijove_websockets_open"] == [({}, 4.0)]
    assert found["jupyter_server_started_timestamp_seconds"] == [({}, 100.0)]
    assert found["jupyter_server_last_activity_timestamp_seconds"] == [({}, 160.0)]
    assert found["jupyter_server_active_duration_seconds"] == [({}, 60.0)]


async def test_requests_are_counted_by_route_and_services_that_are_away_cost_their_rows_only(
    make_edge: MakeEdge,
) -> None:
    edge = await make_edge()
    await edge.ask("GET", "/api")
    await edge.ask("GET", "/no/such?token=CANARY")
    response, body = await edge.ask("GET", "/metrics")
    assert response.status == 200
    assert b"CANARY" not in body
    found = read(body.decode())
    counted = {
        (labels["method"], labels["handler"], labels["status_code"]): value
        for labels, value in found["http_request_duration_seconds_count"]
    }
    assert counted == {("GET", "api", "200"): 1.0, ("GET", "unknown", "404"): 1.0}
    assert "kernel_currently_running_total" not in found
    assert "process_resident_memory_bytes" in found


async def test_metrics_are_public_only_where_that_is_said(make_edge: MakeEdge) -> None:
    for needed, status in ((True, 403), (False, 200)):
        edge = await make_edge(authenticate_metrics=needed)
        response, _ = await edge.ask("GET", "/metrics", token=None)
        assert response.status == status
