"""How the parts of this process fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.contents.v1 import (
    contents_pb2,
    contents_pb2_grpc,
    conversion_pb2,
    conversion_pb2_grpc,
    documents_pb2,
    documents_pb2_grpc,
)
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.permissions import FREE, WRITE, any_of, to
from perijove_chassis.server import Service

from perijove_contents.backends.codec import NbformatCodec
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebook_process import NotebookProcess
from perijove_contents.backends.recent import RecentNotebooks
from perijove_contents.backends.save_hooks import (
    HookedCodec,
    SaveHooks,
    installed_hooks,
    teller,
)
from perijove_contents.backends.trash import move_to_trash
from perijove_contents.backends.tree import Tree
from perijove_contents.backends.watch import FilesystemWatch
from perijove_contents.conversion.backends.pool import Limits, WorkerPool
from perijove_contents.conversion.manager import ConversionManager
from perijove_contents.conversion.servicer import ConversionServicer
from perijove_contents.documents.backends.filesystem import FilesystemDocuments
from perijove_contents.documents.backends.layout import Layout
from perijove_contents.documents.manager import DocumentsManager
from perijove_contents.documents.servicer import DocumentsServicer
from perijove_contents.manager import ContentsManager, Rules
from perijove_contents.reporting import ReportingManager
from perijove_contents.servicer import PIECES, ContentsServicer
from perijove_contents.watching import WatchManager

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_chassis.happening import Happening

    from perijove_contents.backends.threads import Threads
    from perijove_contents.settings import Settings
    from perijove_contents.store import NotebookCodec

_READING = {
    **dict.fromkeys(("ListEntries", "ReadContent", "ListCheckpoints"), any_of("contents")),
    "WatchEntries": any_of("contents"),
    "GetEntry": any_of("contents", "nbconvert"),
    # It says nothing of documents; whatever is started for a user has to know it.
    "GetKernelPath": FREE,
}
"""What users may ask for who may not change anything."""

_PEOPLE = frozenset({PrincipalKind.SERVICE, PrincipalKind.USER})
_SERVICES = frozenset({PrincipalKind.SERVICE})


def services(
    settings: Settings,
    threads: Threads,
    notebook_threads: Threads,
    workers: WorkerPool,
    watch: FilesystemWatch,
    tell: Callable[[Happening], None],
) -> list[Service]:
    """Return the services of this process."""
    store = _store(settings, threads)
    manager = _contents(settings, store, notebook_threads, tell)
    contents = ContentsServicer(manager, WatchManager(store, watch, settings.seen()))
    conversion = ConversionServicer(
        ConversionManager(manager, workers, max_content_bytes=settings.max_content_bytes)
    )
    documents = DocumentsServicer(_documents(settings, threads))
    return [
        Service(
            contents_pb2.DESCRIPTOR.services_by_name["ContentsService"].full_name,
            lambda server: contents_pb2_grpc.add_ContentsServiceServicer_to_server(
                contents, server
            ),
            _PEOPLE,
            {"GetKernelPath": _SERVICES},
            PIECES,
            to(WRITE, "contents"),
            _READING,
        ),
        Service(
            conversion_pb2.DESCRIPTOR.services_by_name["ConversionService"].full_name,
            lambda server: conversion_pb2_grpc.add_ConversionServiceServicer_to_server(
                conversion, server
            ),
            _PEOPLE,
            permissions=any_of("nbconvert"),
        ),
        Service(
            documents_pb2.DESCRIPTOR.services_by_name["DocumentsService"].full_name,
            lambda server: documents_pb2_grpc.add_DocumentsServiceServicer_to_server(
                documents, server
            ),
            _PEOPLE,
            permissions=to(WRITE, "config"),
            # Front ends are for everybody, and they are nothing without their settings.
            permissions_by_method={"GetDocument": FREE, "ListDocuments": FREE},
        ),
    ]


def worker_pool(settings: Settings, threads: Threads) -> WorkerPool:
    """Return what converts notebooks."""
    return WorkerPool(
        threads,
        settings.places().config,
        Limits(
            workers=settings.conversion_workers,
            timeout_s=settings.conversion_timeout_s,
            max_memory_bytes=settings.conversion_memory_bytes,
            max_output_bytes=settings.conversion_output_bytes,
            idle_s=settings.conversion_idle_s,
        ),
    )


def tree_watch(settings: Settings) -> FilesystemWatch:
    """Return what tells the changes of the tree."""
    return FilesystemWatch(
        settings.root,
        seen=settings.seen(),
        poll_s=settings.watch_poll_s,
        most_entries=settings.watch_entries,
    )


def _store(settings: Settings, threads: Threads) -> FilesystemStore:
    umask = int(settings.umask, 8)
    tree = Tree(
        settings.root,
        file_mode=0o666 & ~umask,
        directory_mode=0o777 & ~umask,
        links_leave=settings.links_leave_root,
        seen=settings.seen(),
        checkpoints=settings.checkpoint_dir,
    )
    return FilesystemStore(tree, threads, move_to_trash)


def _contents(
    settings: Settings,
    store: FilesystemStore,
    notebook_threads: Threads,
    tell: Callable[[Happening], None],
) -> ContentsManager:
    data_directory = settings.places().data
    codec: NotebookCodec = NbformatCodec(
        notebook_threads,
        Notary(data_directory),
        NotebookProcess(data_directory),
        RecentNotebooks(settings.recent_notebook_bytes),
    )
    saved = None
    if installed := installed_hooks():
        hooks = SaveHooks(installed, settings.save_hook_timeout_s)
        saved = teller(hooks, store)
        if hooks.has_pre_save:
            codec = HookedCodec(codec, hooks)
    return ReportingManager(
        store,
        codec,
        Rules(
            max_content_bytes=settings.max_content_bytes,
            max_copy_bytes=settings.max_copy_bytes,
            delete_to_trash=settings.delete_to_trash,
            always_delete_directories=settings.always_delete_directories,
            seen=settings.seen(),
            untitled=settings.untitled(),
        ),
        saved,
        tell,
    )


def _documents(settings: Settings, threads: Threads) -> DocumentsManager:
    places = settings.places()
    layout = Layout(places.config, places.config_path, places.settings, places.workspaces)
    return DocumentsManager(FilesystemDocuments(layout, threads))
