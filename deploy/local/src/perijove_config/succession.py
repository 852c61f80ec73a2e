"""What becomes of traits of others, whatever their class is called: docs/configuration.md, too."""

from __future__ import annotations

from typing import Final

from perijove_config.kernel_gateway import OF_KERNEL_GATEWAY
from perijove_config.successors import Successor
from perijove_config.traits import OF_SERVER

TRAITS: Final = {**OF_SERVER, **OF_KERNEL_GATEWAY}
"""By class and trait."""

SAME: Final = {
    "NotebookApp": "ServerApp",
    "JupyterApp": "ServerApp",
    "Application": "ServerApp",
    "IdentityProvider": "PasswordIdentityProvider",
    "GatewayIdentityProvider": "PasswordIdentityProvider",
    "LabServerApp": "LabApp",
    "JupyterNotebookApp": "LabApp",
    "MultiKernelManager": "MappingKernelManager",
    "SeedingMappingKernelManager": "MappingKernelManager",
    "KernelGatewayIOLoopKernelManager": "KernelManager",
    "ContentsManager": "FileContentsManager",
    "LargeFileManager": "FileContentsManager",
    "Checkpoints": "FileCheckpoints",
    "BaseKernelWebsocketConnection": "ZMQChannelsWebsocketConnection",
    "IOLoopKernelRestarter": "KernelRestarter",
    "IOLoopKernelManager": "KernelManager",
    "ServerKernelManager": "KernelManager",
    "ConnectionFileMixin": "KernelManager",
}
"""Classes that have the traits of others."""


def successor(section: str, trait: str) -> Successor:
    """Return what becomes of a trait."""
    name = section.removeprefix("Async")
    known = TRAITS.get(SAME.get(name, name))
    if known is None:
        return Successor(why="a part of another package, or one that Perijove has none of")
    return known.get(trait, Successor(why="there is no such trait, or none that servers have"))
