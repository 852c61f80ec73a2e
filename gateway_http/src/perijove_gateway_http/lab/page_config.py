"""What the page tells the front end: `jupyter-config-data`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perijove_gateway_http.lab.config import merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_gateway_http.lab.apps import FrontEndApp
    from perijove_gateway_http.lab.config import ConfigFiles, JsonObject
    from perijove_gateway_http.lab.extensions import Extension, Extensions
    from perijove_gateway_http.lab.installation import Installation

DISABLED = "disabledExtensions"

_ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"
"""Plug-in that asks whether to fetch news; there are none to fetch here."""

_URLS = {
    "appUrl": "/lab",
    "labextensionsUrl": "/lab/extensions",
    "licensesUrl": "/lab/api/licenses",
    "listingsUrl": "/lab/api/listings",
    "settingsUrl": "/lab/api/settings",
    "themesUrl": "/lab/api/themes",
    "translationsApiUrl": "/lab/api/translations",
    "treeUrl": "/lab/tree",
    "workspacesApiUrl": "/lab/api/workspaces",
}

_OF_THE_EDGE = (
    *("token", "serverRoot", "appNamespace", "appVersion", "notebookVersion"),
    *("staticDir", "labextensionsPath", "federated_extensions", "extensionManager"),
)
"""What pages are told by the edge alone, besides addresses."""

# A reply to these does not mean that the kernel has worked for somebody.
_UNTRACKED_MESSAGE_TYPES = (
    "comm_info_request",
    "comm_info_reply",
    "kernel_info_request",
    "kernel_info_reply",
    "shutdown_request",
    "shutdown_reply",
    "interrupt_request",
    "interrupt_reply",
    "debug_request",
    "debug_reply",
    "stream",
    "display_data",
    "update_display_data",
    "execute_input",
    "execute_result",
    "error",
    "status",
    "clear_output",
    "debug_event",
    "input_request",
    "input_reply",
)


@dataclass(frozen=True, slots=True)
class Site:
    """What the front end is told about the server."""

    base_url: str
    """Begins and ends with a slash."""
    server_root: str
    """Directory that the documents are in, for people to read; may be empty."""
    server_version: tuple[int, ...]
    """Version of Jupyter Server whose API is spoken."""
    terminals_available: bool
    allow_hidden: bool = False
    """Whether hidden entries may be shown."""
    delete_to_trash: bool = True
    """Whether what is deleted can be got back."""
    expose_app: bool = False
    """Whether scripts of the page can reach the application."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """What extensions tell pages besides."""
    untracked_message_types: tuple[str, ...] = ()
    """Types of messages that are no activity, if they are not the usual ones."""
    can_be_ended: bool = False
    """Whether people may end the whole server."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a page's address asks for."""

    single_document: bool = False
    workspace: str = "default"
    tree_path: str = ""
    not_found_url: str | None = None
    """Address that there is no page for; the front end says so."""
    notebook_page: str = ""
    """Which page of Jupyter Notebook it is; empty in JupyterLab, which has but one."""


class PageConfig:
    """Assembles the configuration of pages. Calls read the disk: they belong in a thread."""

    def __init__(
        self, installation: Installation, config: ConfigFiles, extensions: Extensions
    ) -> None:
        self._installation = installation
        self._config = config
        self._extensions = extensions

    def assemble(self, app: FrontEndApp, site: Site, place: Place) -> JsonObject:
        """Return the configuration for one page of an application."""
        config = self.from_disk()
        of_owners = {
            key: _as_list(value) for key, value in config.items() if not _is_of_the_edge(key)
        }
        return {
            **site.further,
            **_defaults(),
            **self._of_installation(),
            **_of_app(app, site),
            **_of_site(site),
            **of_owners,
            **_of_place(place),
            "federated_extensions": [
                _federated(extension) for extension in self._extensions.scan() if extension.build
            ],
        }

    def from_disk(self) -> JsonObject:
        """Return what administrators, users and extensions configured, merged."""
        settings_dir = self._installation.settings_dir
        config: JsonObject = {DISABLED: {_ANNOUNCEMENTS: True}}
        for name in ("page_config.json5", "page_config.json"):
            layer = self._config.read(settings_dir / name)
            if layer:
                merge(config, _lists_as_objects(layer))
                break
        merge(config, _lists_as_objects(self._config.section("page_config")))
        disabled = dict.fromkeys(self._disabled_by_extensions(config.get(DISABLED, {})), True)
        config[DISABLED] = {**disabled, **config.get(DISABLED, {})}
        return config

    def disabled(self) -> set[str]:
        """Return the extensions and plug-ins that are switched off."""
        return set(_as_list(self.from_disk()[DISABLED]))

    def locked(self) -> list[str]:
        """Return the extensions and plug-ins that may not be switched off or on."""
        return list(_as_list(self.from_disk().get("lockedExtensions", {})))

    def _disabled_by_extensions(self, disabled: JsonObject) -> list[str]:
        items: list[str] = []
        for extension in sorted(self._extensions.scan(), key=lambda one: one.name):
            # One that is itself switched off decides nothing.
            if disabled.get(extension.name) is not True:
                items += extension.lab.get(DISABLED) or []
        built = self._config.read(self._installation.static_dir / "package.json")
        metadata = built.get("jupyterlab", {}).get("extensionMetadata", {})
        for name in sorted(metadata):
            if disabled.get(name) is not True:
                items += metadata[name].get(DISABLED) or []
        return items

    def _of_installation(self) -> JsonObject:
        installation = self._installation
        return {
            "appSettingsDir": str(installation.settings_dir),
            "schemasDir": str(installation.schemas_dir),
            "themesDir": str(installation.themes_dir),
            # Known to the service that keeps them alone.
            "userSettingsDir": "",
            "workspacesDir": "",
            "labextensionsPath": [str(path) for path in installation.labextensions_path],
            "extraLabextensionsPath": [],
            "extensionManager": {
                "name": "read-only",
                "can_install": False,
                "install_path": str(installation.prefix),
            },
        }


def _is_of_the_edge(key: str) -> bool:
    # Whoever writes another value there breaks the page, or sends what it says elsewhere.
    return key in _OF_THE_EDGE or (key.endswith("Url") and not key.startswith("fullMathjax"))


def _defaults() -> JsonObject:
    return {
        "buildAvailable": False,
        "buildCheck": False,
        "cacheFiles": False,
        "copyAbsolutePath": False,
        "devMode": False,
        "fullMathjaxUrl": "",
        "ignorePlugins": [],
        "mathjaxConfig": "TeX-AMS_HTML-full,Safe",
        "news": {"disabled": True},
        "notebookStartsKernel": True,
        "preferredPath": "/",
        "store_id": 0,
        "wsUrl": "",
    }


def _of_app(app: FrontEndApp, site: Site) -> JsonObject:
    return {
        "appName": app.title,
        "appNamespace": app.name,
        "appVersion": app.version,
        "frontendUrl": site.base_url,
        "fullStaticUrl": f"{site.base_url.rstrip('/')}/static/{app.name}",
        "staticDir": str(app.static_dir),
        "templatesDir": str(app.templates_dir),
    }


def _of_site(site: Site) -> JsonObject:
    base = site.base_url.rstrip("/")
    full = {f"full{key[0].upper()}{key[1:]}": base + url for key, url in _URLS.items()}
    config: JsonObject = {
        **_URLS,
        **full,
        "allow_hidden_files": site.allow_hidden,
        "baseUrl": site.base_url,
        "delete_to_trash": site.delete_to_trash,
        "exposeAppInBrowser": site.expose_app,
        # The front end takes a JSON text, and expects one here.
        "quitButton": site.can_be_ended,
        "notebookVersion": str(list(site.server_version)),
        "serverRoot": site.server_root,
        "terminalsAvailable": site.terminals_available,
        "untracked_message_types": site.untracked_message_types or _UNTRACKED_MESSAGE_TYPES,
        # Pages are for browsers, and those have a cookie.
        "token": "",
    }
    if site.server_root.startswith("/"):
        config["rootUri"] = Path(site.server_root).as_uri()
        config["virtualDocumentsUri"] = Path(site.server_root, ".virtual_documents").as_uri()
    return config


def _of_place(place: Place) -> JsonObject:
    config: JsonObject = {
        "mode": "single-document" if place.single_document else "multiple-document",
        "workspace": place.workspace,
        "treePath": place.tree_path,
    }
    if place.notebook_page:
        config["notebookPage"] = place.notebook_page
    if place.not_found_url is not None:
        config["notFoundUrl"] = place.not_found_url
    return config


def _federated(extension: Extension) -> JsonObject:
    build = extension.build
    optional = ("extension", "mimeExtension", "style")
    return {
        "name": extension.name,
        "load": build.get("load", ""),
        **{key: build[key] for key in optional if key in build},
        "entrypoints": build.get("entrypoints"),
    }


def _lists_as_objects(layer: JsonObject) -> JsonObject:
    # Objects merge; the front end wants lists, and so people write lists.
    for key in (DISABLED, "deferredExtensions", "lockedExtensions"):
        value = layer.get(key, {})
        if isinstance(value, list):
            layer[key] = {item: True for item in value if isinstance(item, str)}
        elif not isinstance(value, dict):
            del layer[key]
    return layer


def _as_list(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return [key for key in value if value[key]] if isinstance(value, dict) else value
