"""Converters between the wire and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.contents.v1 import conversion_pb2 as pb

from perijove_contents.wire import timestamp

if TYPE_CHECKING:
    from perijove_contents.conversion.model import Exporter, Output


def exporter_to_proto(exporter: Exporter) -> pb.Exporter:
    """Return the message for an exporter."""
    return pb.Exporter(name=exporter.name, output_mime_type=exporter.mime_type)


def output_to_proto(output: Output, update_time_ns: int | None = None) -> pb.Conversion:
    """Return the message for what a conversion made."""
    return pb.Conversion(
        mime_type=output.mime_type,
        file_name=output.file_name,
        is_archive=output.is_archive,
        size_bytes=output.size_bytes,
        update_time=None if update_time_ns is None else timestamp(update_time_ns),
    )
