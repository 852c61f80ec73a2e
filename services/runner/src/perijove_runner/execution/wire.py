"""Between the messages of `ExecutionService` and the values of runs."""

from __future__ import annotations

from perijove.kernels.v1 import execution_pb2 as pb

from perijove_runner.execution.model import (
    ClearOutput,
    DisplayData,
    ExecuteResult,
    Execution,
    ExecutionError,
    Finished,
    Gap,
    MimeBundle,
    MimeData,
    OutcomeKind,
    Placed,
    Question,
    Started,
    StreamOutput,
    Truncated,
    parse_request_id,
    parse_subshell_id,
)
from perijove_runner.model import parse_kernel_id
from perijove_runner.wire import exit_to_proto

_OUTCOMES = {
    OutcomeKind.OK: pb.OUTCOME_OK,
    OutcomeKind.ERROR: pb.OUTCOME_ERROR,
    OutcomeKind.ABORTED: pb.OUTCOME_ABORTED,
    OutcomeKind.KERNEL_ENDED: pb.OUTCOME_KERNEL_ENDED,
    OutcomeKind.REPLY_LOST: pb.OUTCOME_REPLY_LOST,
}
_STREAMS = {"stdout": pb.STREAM_NAME_STDOUT, "stderr": pb.STREAM_NAME_STDERR}


def execution(request: pb.Execution) -> Execution:
    """Parse what a client asks to be run.

    Raises:
        InvalidArgument: if it cannot be run.
    """
    has = request.HasField
    return Execution(
        kernel_id=parse_kernel_id(request.kernel_id),
        request_id=parse_request_id(request.request_id),
        code=request.code,
        silent=request.silent,
        store_history=request.store_history if has("store_history") else None,
        stop_on_error=request.stop_on_error if has("stop_on_error") else True,
        allow_stdin=request.allow_stdin,
        user_expressions=dict(request.user_expressions),
        subshell_id=parse_subshell_id(request.subshell_id),
        time_limit_s=request.time_limit.ToNanoseconds() / 1e9 if has("time_limit") else None,
    )


def response(placed: Placed) -> pb.ExecuteResponse:
    """Return the message that carries an output."""
    found = pb.ExecuteResponse(position=placed.position)
    match placed.output:
        case StreamOutput(name, text):
            found.stream.CopyFrom(pb.StreamOutput(name=_STREAMS.get(name), text=text))
        case DisplayData(bundle, display_id, is_update):
            shown = pb.DisplayData(bundle=bundle_to_proto(bundle), display_id=display_id)
            (found.update_display_data if is_update else found.display_data).CopyFrom(shown)
        case ExecuteResult(count, bundle):
            result = pb.ExecuteResult(execution_count=count, bundle=bundle_to_proto(bundle))
            found.result.CopyFrom(result)
        case ExecutionError() as error:
            found.error.CopyFrom(_error(error))
        case ClearOutput(wait):
            found.clear_output.CopyFrom(pb.ClearOutput(wait=wait))
        case Started(count):
            found.started.CopyFrom(pb.Started(execution_count=count))
        case notice:
            _notice(found, notice)
    return found


def bundle_to_proto(bundle: MimeBundle) -> pb.MimeBundle:
    """Return a bundle's message."""
    return pb.MimeBundle(data=map(_data, bundle.data), metadata_json=bundle.metadata_json)


def _notice(found: pb.ExecuteResponse, notice: Question | Truncated | Gap | Finished) -> None:
    match notice:
        case Question(input_id, prompt, is_password):
            asked = pb.InputRequest(input_id=input_id, prompt=prompt, password=is_password)
            found.input_request.CopyFrom(asked)
        case Truncated(limit):
            found.truncated.CopyFrom(pb.Truncated(max_output_bytes=limit))
        case Gap(message):
            found.gap.CopyFrom(pb.OutputGap(message=message))
        case Finished() as finished:
            found.finished.CopyFrom(_finished(finished))


def _data(data: MimeData) -> pb.MimeData:
    if isinstance(data.value, bytes):
        return pb.MimeData(mime_type=data.mime_type, binary=data.value)
    if data.is_json:
        return pb.MimeData(mime_type=data.mime_type, json=data.value)
    return pb.MimeData(mime_type=data.mime_type, text=data.value)


def _error(error: ExecutionError) -> pb.ExecutionError:
    return pb.ExecutionError(name=error.name, value=error.value, traceback=error.traceback)


def _finished(output: Finished) -> pb.Finished:
    outcome = output.outcome
    return pb.Finished(
        outcome=_OUTCOMES[outcome.kind],
        execution_count=outcome.execution_count,
        error=_error(outcome.error) if outcome.error else None,
        kernel_exit=exit_to_proto(outcome.exit) if outcome.exit else None,
        user_expressions={
            name: _expression(value) for name, value in outcome.user_expressions.items()
        },
        timed_out=output.is_timed_out,
        output_bytes=output.output_bytes,
        incomplete=output.is_incomplete,
        payloads_json=outcome.payloads_json,
    )


def _expression(value: MimeBundle | ExecutionError) -> pb.ExpressionResult:
    if isinstance(value, MimeBundle):
        return pb.ExpressionResult(bundle=bundle_to_proto(value))
    return pb.ExpressionResult(error=_error(value))
