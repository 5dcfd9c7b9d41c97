"""The API over HTTP: sessions, frames, formats, refusals."""

import http.client
import json
import socket
import ssl
import struct
import subprocess
import time
import unittest
import zlib

from service import BINARIES, MODEL, POSE, SOURCE, TOKEN, Service, form

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"


class APITests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()

    def refused(self, status, code, answer):
        self.assertEqual(answer[0], status, answer[2])
        self.assertEqual(answer[1]["content-type"], "application/problem+json")
        problem = json.loads(answer[2])
        self.assertEqual(problem["code"], code)
        self.assertEqual(problem["status"], status)
        return problem

    def test_a_session_makes_frames_and_ends(self):
        name = self.service.session()
        ask = self.service.ask
        path = f"/v1/{name}/frames?seed=7&nfe=2&solver=euler"
        first = ask("POST", path, POSE.read_bytes(), {"Content-Type": "application/json"})
        self.assertEqual(first[0], 200, first[2])
        self.assertEqual(first[1]["content-type"], "image/png")
        self.assertTrue(first[2].startswith(PNG))
        self.assertEqual(first[1]["x-posed-seed"], "7")
        self.assertEqual(first[1]["x-posed-nfe"], "2")
        self.assertIn("solve;dur=", first[1]["server-timing"])
        again = ask("POST", path, POSE.read_bytes(), {"Content-Type": "application/json"})
        self.assertEqual(first[2], again[2])
        self.assertEqual(json.loads(ask("GET", f"/v1/{name}")[2])["name"], name)
        listed = json.loads(ask("GET", "/v1/sessions")[2])["sessions"]
        self.assertIn(name, [session["name"] for session in listed])
        self.assertEqual(ask("DELETE", f"/v1/{name}")[0], 204)
        self.refused(404, "NOT_FOUND", ask("GET", f"/v1/{name}"))

    def test_picture_and_pose_at_once(self):
        body, kind = form(source=SOURCE.read_bytes(), pose=POSE.read_bytes(),
                          settings=b'{"nfe": 2, "seed": "7"}')
        png = self.service.ask("POST", "/v1/frames", body, {"Content-Type": kind})
        self.assertEqual(png[0], 200, png[2])
        self.assertTrue(png[2].startswith(PNG))
        jpeg = self.service.ask("POST", "/v1/frames", body,
                                {"Content-Type": kind, "Accept": "image/jpeg"})
        self.assertEqual(jpeg[1]["content-type"], "image/jpeg")
        self.assertTrue(jpeg[2].startswith(JPEG))

    def test_the_catalogue(self):
        models = json.loads(self.service.ask("GET", "/v1/models")[2])["models"]
        self.assertTrue(models[0]["name"].startswith("models/"))
        solvers = json.loads(self.service.ask("GET", "/v1/solvers")[2])["solvers"]
        self.assertIn("euler", [solver["name"].split("/")[-1] for solver in solvers])

    def test_who_may_call(self):
        self.refused(401, "UNAUTHENTICATED", self.service.ask("GET", "/v1/sessions", token=None))
        self.refused(401, "UNAUTHENTICATED", self.service.ask("GET", "/v1/sessions", token="wrong"))

    def test_what_is_no_picture(self):
        body, kind = form(source=b"no picture")
        problem = self.refused(
            400, "INVALID_ARGUMENT",
            self.service.ask("POST", "/v1/sessions", body, {"Content-Type": kind}))
        self.assertIn("sources[0]", problem["field"])

    def test_media_types(self):
        ask = self.service.ask
        self.refused(415, "INVALID_ARGUMENT", ask("POST", "/v1/sessions", b"x", {"Content-Type": "text/html"}))
        body, kind = form(source=SOURCE.read_bytes(), pose=POSE.read_bytes())
        self.refused(406, "INVALID_ARGUMENT", ask(
            "POST", "/v1/frames", body, {"Content-Type": kind, "Accept": "image/gif"}))

    def test_forms_that_are_broken(self):
        for body, kind in [
            (b"", "multipart/form-data"),
            (b"no boundary", "multipart/form-data; boundary=x"),
            (b"--x\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\nabc", "multipart/form-data; boundary=x"),
            (b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--", "multipart/form-data; boundary=x"),
            (form(stranger=b"x")),
            (form(source=[b"x"] * 40)),
        ]:
            self.refused(400, "INVALID_ARGUMENT",
                         self.service.ask("POST", "/v1/sessions", body, {"Content-Type": kind}))

    def test_settings_that_do_not_exist(self):
        name = self.service.session()
        problem = self.refused(400, "INVALID_ARGUMENT", self.service.ask(
            "POST", f"/v1/{name}/frames?nfes=3", POSE.read_bytes(), {"Content-Type": "application/json"}))
        self.assertIn("nfes", problem["detail"])

    def test_bodies_that_are_too_large_or_never_end(self):
        small = Service({"rpc.maxReceiveBytes": "64KiB"})
        try:
            body, kind = form(source=b"x" * (1 << 20))
            self.refused(413, "RESOURCE_EXHAUSTED",
                         small.ask("POST", "/v1/sessions", body, {"Content-Type": kind}))
            with socket.create_connection(("127.0.0.1", small.api), timeout=30) as endless:
                endless.sendall(b"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer "
                                b"a-token-that-nobody-guesses\r\nContent-Type: image/png\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n" % small.api)
                chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
                answer = b""
                try:
                    for _ in range(200):
                        endless.sendall(chunk)
                    answer = endless.recv(4096)
                except OSError:
                    pass
                self.assertIn(answer[:12], (b"HTTP/1.1 413", b""))
        finally:
            small.stop()

    def test_other_sites_and_other_hosts(self):
        ask = self.service.ask
        body, kind = form(source=SOURCE.read_bytes())
        for headers in [
            {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"},
        ]:
            status, _, text = ask("POST", "/v1/sessions", body, {"Content-Type": kind, **headers}, token=None)
            self.assertIn(status, (403, 421), text)

    def test_the_cookie_is_of_no_use_to_other_sites(self):
        address = self.service.ticket()
        cookie = self.service.ask("GET", address[address.index("/studio"):], token=None)[1]["set-cookie"]
        kept = {"Cookie": cookie.split(";")[0], "Content-Type": "image/png"}
        for headers, status in [
            ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Host": "evil.example"}, 421),
            ({"Origin": f"http://127.0.0.1:{self.service.api}", "Sec-Fetch-Site": "same-origin"}, 201),
        ]:
            answer = self.service.ask("POST", "/v1/sessions", SOURCE.read_bytes(), {**kept, **headers}, token=None)
            self.assertEqual(answer[0], status, (headers, answer[2]))

    def test_a_picture_of_too_many_pixels(self):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        # 60,000 × 60,000 black pixels in a few hundred bytes.
        picture = PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) \
            + chunk(b"IDAT", zlib.compress(bytes(100000))) + chunk(b"IEND", b"")
        problem = self.refused(400, "INVALID_ARGUMENT", self.service.ask(
            "POST", "/v1/sessions", picture, {"Content-Type": "image/png"}))
        self.assertIn("60000", problem["detail"])

    def test_a_path_that_is_none(self):
        self.refused(404, "NOT_FOUND", self.service.ask("GET", "/v2/sessions"))

    def test_a_watcher_sees_what_is_made(self):
        name = self.service.session()
        watcher = http.client.HTTPConnection("127.0.0.1", self.service.api, timeout=60)
        watcher.request("GET", f"/v1/{name}/frames.mjpeg",
                        headers={"Authorization": "Bearer a-token-that-nobody-guesses"})
        answer = watcher.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.getheader("Content-Type").startswith("multipart/x-mixed-replace"))
        frame = self.service.ask("POST", f"/v1/{name}/frames?nfe=1&solver=euler", POSE.read_bytes(),
                                 {"Content-Type": "application/json"})
        length = len(frame[2])
        seen = answer.fp.read(length)
        self.assertIn(PNG, seen)
        watcher.close()

    def test_the_page_guards_itself(self):
        status, headers, page = self.service.ask("GET", "/studio", token=None)
        self.assertEqual(status, 200)
        self.assertIn(b"posed", page)
        self.assertIn("script-src 'self'", headers["content-security-policy"])
        self.assertNotIn(b"http://", page.replace(b"http://www.w3.org", b""))
        self.assertNotIn(b"https://", page)
        for path in ["/studio/../../etc/passwd", "/studio/samples/../x/source.png", "/studio/openapi.json"]:
            self.assertEqual(self.service.ask("GET", path, token=None)[0], 404)

    def test_a_ticket_is_used_once(self):
        address = self.service.ticket()
        path = address[address.index("/studio"):]
        status, headers, _ = self.service.ask("GET", path, token=None)
        self.assertEqual(status, 303)
        cookie = headers["set-cookie"]
        for guard in ["HttpOnly", "SameSite=Strict", "Path=/"]:
            self.assertIn(guard, cookie)
        kept = {"Cookie": cookie.split(";")[0]}
        self.assertEqual(self.service.ask("GET", "/v1/sessions", headers=kept, token=None)[0], 200)
        self.assertEqual(self.service.ask("GET", path, token=None)[0], 403)

    def test_tls_is_that_of_grpc(self):
        secure = Service(secure=True)
        try:
            trust = ssl.create_default_context(cafile=secure.authority.roots)
            trust.load_cert_chain(*secure.authority.issue("studio"))
            connection = http.client.HTTPSConnection("localhost", secure.api, timeout=60, context=trust)
            # A client certificate says who calls, as over gRPC.
            body, kind = form(source=SOURCE.read_bytes(), pose=POSE.read_bytes(), settings=b'{"nfe": 1}')
            for _ in range(2):
                connection.request("POST", "/v1/frames", body=body, headers={"Content-Type": kind})
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertTrue(answer.read().startswith(PNG))
            connection.close()
            plain = http.client.HTTPConnection("127.0.0.1", secure.api, timeout=60)
            with self.assertRaises((http.client.HTTPException, OSError)):
                plain.request("GET", "/v1/models")
                plain.getresponse()
        finally:
            secure.stop()

    def test_an_address_for_others_needs_tls(self):
        done = subprocess.run(
            [str(BINARIES / "posed"), "--model", str(MODEL), "--check-config",
             "--set", "http.api.address=0.0.0.0:8080"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 78)
        self.assertIn("http.api.address", done.stdout + done.stderr)

    def test_a_client_that_leaves_holds_nothing(self):
        body, kind = form(source=SOURCE.read_bytes(), pose=POSE.read_bytes(), settings=b'{"nfe": 200}')
        for _ in range(5):
            gone = http.client.HTTPConnection("127.0.0.1", self.service.api, timeout=60)
            gone.request("POST", "/v1/frames", body=body,
                         headers={"Content-Type": kind, "Authorization": f"Bearer {TOKEN}"})
            gone.sock.close()
        self.assertEqual(self.service.ask("GET", "/v1/models")[0], 200)

    def test_a_slow_head_is_given_up(self):
        brief = Service({"http.api.idleTimeout": "1s"})
        try:
            with socket.create_connection(("127.0.0.1", brief.api), timeout=30) as slow:
                slow.sendall(b"GET /v1/models HT")
                began = time.monotonic()
                self.assertEqual(slow.recv(1), b"")
                self.assertGreater(time.monotonic() - began, 0.5)
        finally:
            brief.stop()


if __name__ == "__main__":
    unittest.main()
