"""The installed front ends with all that they share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from perijove_gateway_http.lab.config import ConfigFiles
from perijove_gateway_http.lab.extensions import Extensions
from perijove_gateway_http.lab.licenses import Licenses
from perijove_gateway_http.lab.page import Pages
from perijove_gateway_http.lab.page_config import PageConfig
from perijove_gateway_http.lab.schemas import Schemas
from perijove_gateway_http.lab.themes import Themes
from perijove_gateway_http.lab.translations import LanguagePacks
from perijove_gateway_http.lab.user_settings import SettingsChecker

if TYPE_CHECKING:
    from perijove_gateway_http.lab.installation import Installation


class Frontend:
    """Gives access to the parts. Making one reads nothing yet."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.config = ConfigFiles(installation.config_path)
        self.extensions = Extensions(installation.labextensions_path)
        self.page_config = PageConfig(installation, self.config, self.extensions)
        self.pages = Pages()
        self.schemas = Schemas(installation, self.config, self.extensions)
        self.settings = SettingsChecker()
        self.themes = Themes(installation, self.extensions)
        self.licenses = Licenses(installation, self.config, self.extensions)

    @cached_property
    def packs(self) -> LanguagePacks:
        """The language packs that were installed when they were first asked for."""
        return LanguagePacks.installed()
