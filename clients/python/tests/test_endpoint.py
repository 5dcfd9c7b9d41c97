"""Addresses, TLS and tokens."""

import pytest

import daemon as daemons
from conftest import POSE, SOURCE
from posed_client import Client, Unauthenticated, Unavailable
from posed_client.endpoint import Endpoint

TOKEN = daemons.TOKEN


def endpoint(address=None, **given):
    names = ("token", "token_file", "tls", "ca", "cert", "key", "server_name")
    return Endpoint.make(address, **{name: given.get(name) for name in names})


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("POSED_ADDRESS", "POSED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("address, target", [
    (None, "unix:/run/posed/posed.sock"), ("/tmp/a.sock", "unix:/tmp/a.sock"), ("unix:a.sock", "unix:a.sock"),
    ("host:1", "host:1"), ("[::1]:65535", "[::1]:65535")])
def test_addresses(address, target):
    assert endpoint(address).target == target


@pytest.mark.parametrize("address", [
    "host", "host:", ":7443", "host:0", "host:65536", "host:port", "::1:7443", "http://host:1", "unix:", "unix:///"])
def test_what_is_no_address(address):
    with pytest.raises(ValueError, match="expected unix:/path"):
        endpoint(address)


def test_the_environment_says_where(monkeypatch):
    monkeypatch.setenv("POSED_ADDRESS", "127.0.0.1:1")
    assert endpoint().target == "127.0.0.1:1"
    assert endpoint("host:2").target == "host:2"


@pytest.mark.parametrize("address", [
    "host:1", "192.0.2.1:1", "[2001:db8::1]:1", "localhost.example:1", "127.example:1"])
def test_a_token_is_never_sent_in_clear(address, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="clear text"):
        endpoint(address, token=TOKEN)
    with pytest.raises(ValueError, match="clear text"):
        endpoint(address, token_file=tmp_path / "any")
    monkeypatch.setenv("POSED_TOKEN_FILE", str(tmp_path / "any"))
    with pytest.raises(ValueError, match="clear text"):
        endpoint(address)


@pytest.mark.parametrize("address", ["unix:/a", "localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"])
def test_a_token_may_stay_on_this_machine(address):
    made = endpoint(address, token=TOKEN)
    assert made.metadata() == (("authorization", f"Bearer {TOKEN}"),)
    # Nor does a proxy of the environment see it.
    assert ("grpc.enable_http_proxy", 0) in made.options


def test_a_token_over_tls():
    assert endpoint("host:1", token=TOKEN, tls=True).metadata("sessions/a") == (
        ("authorization", f"Bearer {TOKEN}"), ("x-posed-session", "sessions/a"))


def test_a_token_is_not_told():
    with Client("unix:/a", token=TOKEN) as client:
        assert TOKEN not in repr(endpoint("unix:/a", token=TOKEN)) + repr(client)


@pytest.mark.parametrize("token", ["", "two words", "line\n", "ä"])
def test_what_is_no_token(token, tmp_path):
    with pytest.raises(ValueError, match="printable ASCII"):
        endpoint("unix:/a", token=token)
    if token.strip() == token:
        (tmp_path / "token").write_text(token, encoding="utf-8")
        with pytest.raises(ValueError, match="printable ASCII"):
            endpoint("unix:/a", token_file=tmp_path / "token").metadata()


def test_a_token_file_is_read_for_each_call(tmp_path):
    file = tmp_path / "token"
    made = endpoint("unix:/a", token_file=file)
    for token in ("first-token", "second-token"):
        file.write_text(token + "\n", encoding="utf-8")
        assert made.metadata() == (("authorization", f"Bearer {token}"),)


@pytest.mark.parametrize("given, words", [
    ({"cert": "a"}, "expected both or neither"), ({"key": "a"}, "expected both or neither"),
    ({"token": "a", "token_file": "b"}, "expected one of them"), ({"tls": False, "ca": "a"}, "got False")])
def test_what_does_not_go_together(given, words):
    with pytest.raises(ValueError, match=words):
        endpoint("host:1", **given)


def test_a_unix_socket_has_no_tls():
    with pytest.raises(ValueError, match="no TLS"):
        endpoint("unix:/a", tls=True)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(OSError):
        Client("host:1", ca=tmp_path / "nowhere")


def test_tls_with_a_token(daemon, tmp_path):
    address = f"localhost:{daemon.port}"
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    with Client(address, ca=daemon.authority.roots, token_file=tmp_path / "token") as posed:
        assert posed.info().identity == "token:studio"
        with posed.session(SOURCE, nfe=1) as person:
            assert [answer.sequence for answer in person.stream([POSE, POSE])] == [1, 2]
    with Client(f"127.0.0.1:{daemon.port}", ca=daemon.authority.roots, token=TOKEN,
                server_name="localhost") as posed:
        assert posed.info().identity == "token:studio"
    with Client(address, ca=daemon.authority.roots, token="wrong" * 4) as posed:
        with pytest.raises(Unauthenticated) as caught:
            posed.info()
        assert "wrong" not in str(caught.value)


def test_mutual_tls(daemon):
    certificate, key = daemon.authority.issue("camera-1")
    with Client(f"localhost:{daemon.port}", ca=daemon.authority.roots, cert=certificate, key=key) as posed:
        assert posed.info().identity == "mtls:camera-1"


def test_a_daemon_that_nobody_vouches_for(daemon):
    with Client(f"localhost:{daemon.port}", tls=True, token=TOKEN, reconnect=0.3) as posed:
        with pytest.raises(Unavailable):
            posed.info()
