"""The way to the hub: https with certificates that are right or wrong, and proxies. The certificates are in
tls/, which no system trusts."""

import pathlib
import shutil
import subprocess
import sys

import case
from case import BIG, SANITIZED, Case
from playing_hub import TLS, Hub, Proxy, Trick

AUTHORITY = str(TLS / "authority.pem")


class Tls(Case):
    def setUp(self):
        super().setUp()
        self.play(Hub(token="hf_secret", tls="right", store_tls="right"))

    def env(self, **more):
        return super().env(**{"HF_TOKEN": "hf_secret", **more})

    def test_authorities(self):
        """Who names the authority: what httpx reads, then what requests read, as a file or a folder of them."""
        folder = self.home / "authorities"
        folder.mkdir()
        shutil.copy(AUTHORITY, folder / "774b5dcc.0")  # openssl x509 -hash: OpenSSL looks for that name
        nothing = str(self.home / "nothing.pem")
        for i, env in enumerate(({"SSL_CERT_FILE": AUTHORITY}, {"SSL_CERT_DIR": str(folder)},
                                 {"REQUESTS_CA_BUNDLE": AUTHORITY}, {"REQUESTS_CA_BUNDLE": str(folder)},
                                 {"CURL_CA_BUNDLE": AUTHORITY},
                                 {"SSL_CERT_FILE": AUTHORITY, "SSL_CERT_DIR": nothing, "REQUESTS_CA_BUNDLE": nothing},
                                 {"SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": AUTHORITY, "CURL_CA_BUNDLE": nothing})):
            self.hub.add(f"a/w{i}", {"x": b"x"})
            self.pull("x", name=f"a/w{i}", env=env)
        self.pull(env={"SSL_CERT_FILE": AUTHORITY})
        self.check_whole()
        heard = {(r.where, r.headers.get("Authorization")) for r in self.hub.requests("GET")}
        self.assertEqual(heard, {("hub", "Bearer hf_secret"), ("store", None)})

    def refused(self, *phrases, **env):
        err = self.fails("cannot fetch", "127.0.0.1", *phrases, env=env)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertEqual(self.hub.requests(), [], "nothing is sent, and no token")

    def test_unknown_authority(self):
        self.refused("certificate", "SSL_CERT_FILE names the file")

    def test_in_place_of_the_systems(self):
        """An authority that is named is the only one."""
        self.refused("certificate", SSL_CERT_FILE=str(TLS / "other.pem"))
        self.refused("certificate", SSL_CERT_DIR=str(self.home))

    def test_no_certificates(self):
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            self.refused(f"{variable} is /no/such.pem: it must be a file", **{variable: "/no/such.pem"})
        (self.home / "empty.pem").write_text("")
        self.refused("it must be a file of certificates (PEM)", SSL_CERT_FILE=str(self.home / "empty.pem"))

    def test_expired(self):
        self.play(Hub(tls="expired"))
        self.refused("is this machine's clock right?", SSL_CERT_FILE=AUTHORITY)

    def test_another_host(self):
        self.play(Hub(tls="other"))
        self.refused("another server answers in its place", SSL_CERT_FILE=AUTHORITY)

    def test_no_tls_there(self):
        self.play(Hub())
        self.hub.url = self.hub.url.replace("http:", "https:")
        self.refused("does it speak https?", SSL_CERT_FILE=AUTHORITY)

    def test_store_with_a_wrong_certificate(self):
        self.play(Hub(tls="right", store_tls="other"))
        self.fails("cannot fetch model.safetensors", "another server answers", env={"SSL_CERT_FILE": AUTHORITY})
        self.assertEqual(self.gets(), [])

    def test_down_to_http(self):
        """No redirect leads from https to http: neither to the files' host nor anywhere else."""
        self.play(Hub(token="hf_secret", tls="right"))
        self.fails("sends on to a place that is no https URL", env={"SSL_CERT_FILE": AUTHORITY})
        self.assertEqual(self.hub.requests(None, "store"), [])
        other = Hub()
        self.addCleanup(other.close)
        self.hub.tricks["config.json"] = [Trick("foreign", other.url, on="head")]
        self.fails("no https URL", env={"SSL_CERT_FILE": AUTHORITY})
        self.assertEqual(other.requests(), [])

    def test_up_to_https(self):
        """From http to https on another port: another place, so no token."""
        self.play(Hub(token="hf_secret", store_tls="right"))
        self.pull(env={"SSL_CERT_FILE": AUTHORITY})
        self.check_whole()
        self.assertEqual([r.headers.get("Authorization") for r in self.gets()], [None])

    def test_resume(self):
        self.hub.tricks["model.safetensors"] = [Trick("drop", 700_001, times=2)]
        self.pull(env={"SSL_CERT_FILE": AUTHORITY})
        self.check_whole()
        self.assertEqual([r.headers.get("Range") for r in self.gets()], [None, "bytes=700001-", "bytes=1400002-"])

    def test_libcurl_without_tls(self):
        """A libcurl in front of the real one that says what one without TLS says."""
        if SANITIZED:
            self.skipTest("the sanitizers' library cannot be put in between")
        lib = self.home / "lib"
        lib.mkdir()
        found = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
        real = [line.split("=> ")[1] for line in found.splitlines() if line.strip().startswith("libcurl.so.4 ")]
        if not real:
            self.skipTest("libcurl with OpenSSL is not installed")
        # under another name, so that both can be loaded
        (lib / "libcurl.so.5").write_bytes(pathlib.Path(real[0]).read_bytes().replace(b"libcurl.so.4\0", b"libcurl.so.5\0"))
        (lib / "in_front.c").write_text("""
            struct message { int what; void *easy; union { void *any; int code; } data; };
            #include <dlfcn.h>
            struct message *curl_multi_info_read(void *multi, int *left) {
                static struct message mine;
                struct message *(*next)(void *, int *) = dlsym(RTLD_NEXT, "curl_multi_info_read"), *m;
                if (!(m = next(multi, left))) return m;
                mine = *m;
                mine.data.code = 1;
                return &mine;
            }""")
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", lib / "libcurl.so.4", lib / "in_front.c",
                        "-Wl,--no-as-needed", lib / "libcurl.so.5", "-ldl"], check=True)
        self.fails("built without TLS", env={"LD_LIBRARY_PATH": str(lib), "SSL_CERT_FILE": AUTHORITY})


class Proxies(Case):
    def setUp(self):
        super().setUp()
        self.hub.token = "hf_secret"
        self.proxy = self.new_proxy()

    def new_proxy(self, **how):
        proxy = Proxy(**how)
        self.addCleanup(proxy.close)
        return proxy

    def env(self, **more):
        return super().env(**{"HF_TOKEN": "hf_secret", **more})

    def went(self, proxy, name, **env):
        """Whether the requests of a download went through the proxy."""
        self.hub.add(name, {"x": b"x"})
        before = len(proxy.log), len(self.hub.log)
        self.pull("x", name=name, env=env)
        through, there = len(proxy.log) - before[0], len(self.hub.log) - before[1]
        self.assertIn(through, (0, there))
        return through > 0

    def test_variables(self):
        """As Python's programs read them: small letters before large ones, all_proxy last."""
        url, dead = self.proxy.server.url, "http://127.0.0.1:9"
        for i, (through, env) in enumerate([
                (True, {"http_proxy": url}), (True, {"HTTP_PROXY": url}), (True, {"http_proxy": self.proxy.host}),
                (True, {"all_proxy": url}), (True, {"ALL_PROXY": url}), (True, {"http_proxy": url, "HTTP_PROXY": dead}),
                (True, {"HTTP_PROXY": url, "all_proxy": dead}), (False, {"https_proxy": dead, "HTTPS_PROXY": dead}),
                (False, {"HTTP_PROXY": dead, "REQUEST_METHOD": "GET"}),
                (False, {"http_proxy": dead, "no_proxy": "127.0.0.1"}), (False, {"http_proxy": dead, "NO_PROXY": "*"}),
                (False, {"http_proxy": dead, "no_proxy": "localhost, 127.0.0.1"}),
                (False, {"http_proxy": dead, "no_proxy": "a.example,*"}),
                (False, {"http_proxy": dead, "no_proxy": "127.0.0.0/8"}),
                (True, {"http_proxy": url, "no_proxy": "128.0.0.0/8,27.0.0.1,localhost,.0.0.2"})]):
            with self.subTest(env=env):
                self.assertEqual(self.went(self.proxy, f"a/p{i}", **env), through)

    def test_exceptions_by_name(self):
        self.hub.url = self.hub.url.replace("127.0.0.1", "localhost")
        for i, (through, exceptions) in enumerate([
                (False, "localhost"), (False, "*.localhost"), (False, ".localhost"), (False, "x,LOCALHOST"),
                (True, "ocalhost,host"), (True, "a.localhost")]):
            env = {"http_proxy": self.proxy.server.url, "no_proxy": exceptions}
            self.assertEqual(self.went(self.proxy, f"a/n{i}", **env), through, exceptions)

    def test_plain(self):
        self.pull(env={"http_proxy": self.proxy.server.url})
        self.check_whole()
        self.assertEqual(len(self.proxy.log), len(self.hub.log))

    def test_account(self):
        """User and password go to the proxy, and no further."""
        proxy = self.new_proxy(account="ann:p w@1")
        self.pull(env={"http_proxy": f"http://ann:p%20w%401@{proxy.host}"})
        self.check_whole()
        self.assertFalse([r for r in self.hub.requests() if "Proxy-Authorization" in r.headers])

    def test_account_wanted(self):
        proxy = self.new_proxy(account="ann:secret-word")
        for account in ("", "ann:another-word@"):
            err = self.fails("the proxy that http_proxy names wants a user and a password",
                             env={"http_proxy": f"http://{account}{proxy.host}"})
            self.assertNotIn("word@", err)
        self.assertEqual(self.hub.requests(), [])

    def test_way(self):
        """Through a proxy to https: it sees the host's name and no token."""
        self.play(Hub(token="hf_secret", tls="right", store_tls="right"))
        for i, account in enumerate((None, "ann:word")):
            proxy = self.new_proxy(account=account)
            before = len(self.hub.log)
            shutil.rmtree(self.cache, ignore_errors=True)
            name = ("https_proxy", "HTTPS_PROXY")[i]
            self.pull(env={name: f"http://{account + '@' if account else ''}{proxy.host}", "SSL_CERT_FILE": AUTHORITY})
            self.check_whole()
            self.assertGreater(len(self.hub.log), before)
            self.assertEqual({r.method for r in proxy.log}, {"CONNECT"})
            self.assertFalse([r for r in proxy.log if "Authorization" in r.headers])
            self.assertFalse([r for r in self.hub.log if "Proxy-Authorization" in r.headers])

    def test_way_refused(self):
        self.play(Hub(tls="right"))
        for proxy, phrase in ((self.new_proxy(account="a:b"), "the proxy that https_proxy names wants a user"),
                              (self.new_proxy(refuse=403), "is the proxy that https_proxy names the right one?")):
            err = self.fails("cannot fetch config.json", phrase,
                             env={"https_proxy": f"http://x:hidden@{proxy.host}", "SSL_CERT_FILE": AUTHORITY})
            self.assertEqual(err.count("\n"), 1, err)
            self.assertNotIn("hidden", err)
            self.assertLess(len(proxy.log), 3, "no other try would end otherwise")
        self.assertEqual(self.hub.requests(), [])

    def test_dead(self):
        for name in ("http_proxy", "ALL_PROXY"):
            self.fails(f"is the proxy that {name} names the right one? no_proxy names hosts that need none",
                       env={name: "http://ann:hidden@127.0.0.1:9"})
        self.fails("is the proxy that http_proxy names", env={"http_proxy": "http://no-such-host.invalid:3128"})
        self.assertEqual(self.hub.requests(), [])

    def test_nonsense(self):
        for url in ("http://ann:hidden@127.0.0.1:99999999", "nonsense://x:hidden@y", "http://[::1:hidden@"):
            err = self.fails("cannot fetch", env={"http_proxy": url})
            self.assertNotIn("hidden", err)
        self.assertEqual(self.hub.requests(), [])

    def test_drops(self):
        """A download through a proxy goes on where it ended, too."""
        self.hub.tricks["model.safetensors"] = [Trick("drop", len(BIG) // 2, times=1)]
        self.pull(env={"http_proxy": self.proxy.server.url})
        self.check_whole()
        self.assertEqual([r.headers.get("Range") for r in self.gets()], [None, f"bytes={len(BIG) // 2}-"])


if __name__ == "__main__":
    sys.exit(case.main())
