"""A JupyterHub whose users' servers are Perijove's."""

import os
from pathlib import Path

from traitlets.config import get_config

c = get_config()
told = os.environ
home = Path(told["TEST_HOME"])
inside = told["TEST_SCHEME_INSIDE"]

c.JupyterHub.bind_url = f"http://127.0.0.1:{told['TEST_PORT']}/base/"
c.JupyterHub.hub_bind_url = f"{inside}://127.0.0.1:{told['TEST_HUB_PORT']}"
c.JupyterHub.internal_ssl = inside == "https"
c.JupyterHub.internal_certs_location = str(home / "certificates")
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret_file = str(home / "cookie_secret")
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = [
    "node",
    str(Path(__file__).with_name("node_modules") / ".bin" / "configurable-http-proxy"),
]
c.ConfigurableHTTPProxy.api_url = f"{inside}://127.0.0.1:{told['TEST_PROXY_PORT']}"
c.ConfigurableHTTPProxy.pid_file = str(home / "proxy.pid")
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [told["TEST_PERIJOVE"], "hub-user", "--runtime-dir", told["TEST_RUNTIME"]]
c.SimpleLocalProcessSpawner.home_dir_template = str(home / "{username}")
c.Spawner.start_timeout = 90
c.Spawner.http_timeout = 90
c.Spawner.environment = {
    "JUPYTERHUB_ACTIVITY_INTERVAL": "1",
    "JUPYTERHUB_CACHE_MAX_AGE": "1",
    "JUPYTERHUB_DEFAULT_URL": "/tree",
}
c.JupyterHub.services = [{"name": "test", "api_token": told["TEST_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "test",
        "scopes": ["admin:users", "admin:servers", "access:servers"],
        "services": ["test"],
    }
]
