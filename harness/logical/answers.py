"""How the control plane answers its callers: with the result of a job, or with an error of the contract, never another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from storcert.harness.contract import DeviceUnavailable, Outcome, StorageError
from storcert.harness.contract.errors import ERRORS
from storcert.harness.logical.ports import CatalogueLost
from storcert.harness.logical.records import JobRecord, JobState

P = ParamSpec("P")
R = TypeVar("R")


def answered(method: Callable[P, R]) -> Callable[P, R]:
    """A method whose caller hears of a lost catalogue in the contract's words: unavailable, and nobody knows whether it was
    done. The job, if there is one by now, is taken over."""

    @wraps(method)
    def body(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return method(*arguments, **keywords)
        except CatalogueLost as lost:
            raise DeviceUnavailable(f"the catalogue did not answer ({lost})", None, Outcome.UNKNOWN) from lost

    return body


def result_of(job: JobRecord) -> Mapping[str, Any]:
    """The result of a job that has ended. Raises the error it ended with."""
    if job.state is JobState.SUCCEEDED:
        return job.result
    kind = ERRORS.get(str(job.result.get("error")), StorageError)
    raise kind(job.result["message"], job.result["uri"], job.result["outcome"], job.result["retryable"])
