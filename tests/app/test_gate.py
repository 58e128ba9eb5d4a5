"""Who may ask: every way in that another page, another name or another program could try."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="needs the extra app")
pytest.importorskip("uvicorn", reason="needs the extra app")
pytest.importorskip("httpx2", reason="needs httpx2")

from starlette.testclient import TestClient

from clearhead.app import Server
from clearhead.app.gate import Gate, Keys, is_loopback
from clearhead.errors import InputError

ALL = ["/", "/api/app.json", "/api/state", "/api/notes", "/api/edits", "/api/jobs", "/api/events"]


@pytest.fixture
def stranger(server: Server) -> TestClient:
    return TestClient(
        server.app,  # type: ignore[arg-type]
        base_url=f"http://127.0.0.1:{server.port}",
        follow_redirects=False,
    )


@pytest.mark.parametrize("address", [*ALL, "/app.js", "/nothing"])
def test_without_the_token_nothing_is_told(stranger: TestClient, address: str) -> None:
    answer = stranger.get(address)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "token"
    assert stranger.get(address, headers={"Authorization": b"Bearer \xe4"}).status_code == 401
    assert stranger.get(address, headers={"Cookie": "a=b; clearhead-1=x"}).status_code == 401


def test_token_moves_from_the_address_into_a_cookie(stranger: TestClient, server: Server) -> None:
    answer = stranger.get(f"/?token={server.keys.token}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"clearhead-{server.port}=" in cookie
    assert stranger.get("/api/state").status_code == 200  # the client kept the cookie
    assert stranger.get("/?token=wrong").status_code == 401
    # Only the first address takes it: nowhere else it could end in a history or a log.
    stranger.cookies.clear()
    assert stranger.get(f"/api/run?token={server.keys.token}").status_code == 401


def test_ticket_opens_once(stranger: TestClient, server: Server) -> None:
    ticket = server.keys.ticket()
    assert stranger.get(f"/?ticket={ticket}").status_code == 303
    stranger.cookies.clear()
    assert stranger.get(f"/?ticket={ticket}").status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "192.168.0.7:{port}",
        "[",
        "",
    ],
)
def test_other_names_of_this_server_are_refused(
    client: TestClient, server: Server, host: str
) -> None:
    answer = client.get("/api/app.json", headers={"Host": host.format(port=server.port)})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "host"


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST", "127.0.0.1:9999", "[::1]:80"])
def test_own_names_are_taken_also_through_a_tunnel(
    client: TestClient, server: Server, host: str
) -> None:
    answer = client.get("/api/state", headers={"Host": host.format(port=server.port)})
    assert answer.status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "x"])
def test_other_origins_are_refused(client: TestClient, origin: str) -> None:
    for answer in (
        client.get("/api/app.json", headers={"Origin": origin}),
        client.post("/api/jobs", json={"kind": "debug"}, headers={"Origin": origin}),
        client.options("/api/jobs", headers={"Origin": origin}),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_change_with_a_cookie_alone_needs_an_origin(stranger: TestClient, server: Server) -> None:
    stranger.get(f"/?token={server.keys.token}")
    asked = {"json": {"class_name": "calm", "mark": None}}
    assert stranger.put("/api/notes/1/mark", **asked).status_code == 403
    own = {"Origin": f"http://127.0.0.1:{server.port}"}
    assert stranger.put("/api/notes/1/mark", headers=own, **asked).status_code == 428


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_other_sites_may_link_and_nothing_else(client: TestClient, site: str) -> None:
    fetched = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    linked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert client.get("/api/app.json", headers=fetched).status_code == 403
    assert client.get("/api/app.json", headers=linked).status_code == 403
    assert client.get("/", headers=fetched).status_code == 403
    assert client.get("/", headers=linked).status_code == 200


@pytest.mark.parametrize("address", [*ALL[:-1], "/nothing"])
def test_every_answer_has_the_strict_headers(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_loopback_is_told_from_the_rest() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.1.2.3", "::1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.168.1.2", "evil.localhost", ""]))


def test_server_open_to_all_is_asked_by_address(client: TestClient, server: Server) -> None:
    gate = Gate(server.app.app, Keys("k" * 16), "0.0.0.0", 80)
    outside = TestClient(gate, headers={"Authorization": f"Bearer {'k' * 16}"})  # type: ignore[arg-type]
    assert outside.get("/api/state", headers={"Host": "192.168.1.2:80"}).status_code == 200
    assert outside.get("/api/state", headers={"Host": "evil.example"}).status_code == 400


def test_other_machines_need_a_token_that_a_person_chose(made_small) -> None:
    with pytest.raises(InputError, match="--token"):
        Server(made_small, host="0.0.0.0")
    with pytest.raises(InputError, match="at least 16"):
        Server(made_small, host="0.0.0.0", token="short")
    with pytest.raises(InputError, match="letters, digits"):
        Server(made_small, token="a;b c\r\nd" * 4)
    with pytest.warns(UserWarning, match="not encrypted"):
        Server(made_small, host="0.0.0.0", token="k" * 20).close()


def test_port_in_use_is_said(made_small, server: Server) -> None:
    with pytest.raises(InputError, match=f"{server.port} is in use on 127.0.0.1"):
        Server(made_small, port=server.port)
    with (
        pytest.warns(UserWarning, match="not encrypted"),
        pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1"),
    ):
        Server(made_small, host="192.0.2.1", token="k" * 20)
