"""Every error Lookalike raises on purpose.

LookalikeError                 a person can put this right; the command line exits with 2
├── ConfigError                a setting contradicts another, or is unknown
├── StorageError               a file cannot be read or written (full disk, missing folder)
│   └── ArtifactError          a stage's output is missing, incomplete or was changed
├── CatalogueError             the catalogue or its mapping is wrong
│   ├── ImageError             a photo cannot be decoded
│   │   └── PhotoTooLarge      a photo would cost more than the limits allow
│   └── ValidationFailed       the catalogue breaks a threshold
├── MiningError                no triplets can be drawn
├── TrainingError              training cannot start, or its loss is no longer a number
├── EvaluationError            a figure cannot be computed from what was given
├── ExportError                the model cannot be exported
│   └── ParityError            the exported model answers differently from the trained one
├── ReleaseError               a release is incomplete or cannot be switched to
│   ├── ReleaseMismatch        two parts belong to different releases or vector spaces
│   └── UntrustedRelease       a signature is missing or wrong, or a file is not the one that was signed
├── VectorIndexError           a collection is missing or refuses the vectors
├── QueryError                 a search request is malformed (HTTP 400)
│   └── NotFound               the product or photo asked for is not in the release (HTTP 404)
├── BackendUnavailable         Triton, Milvus or Feast does not answer (HTTP 503)
│   └── DeadlineExceeded       the answer would come later than anybody waits for it (HTTP 504)
├── AccessDenied               the request has no API key, or an unknown one (HTTP 401)
├── Overloaded                 more is asked at once than this server takes (HTTP 429)
│   └── QuotaSpent             more than the caller's API key allows (HTTP 429)
└── PipelineError              a pipeline run failed, or its arguments are wrong
"""


class LookalikeError(Exception):
    """Base of every deliberate error; its message names the value and what is accepted."""


class ConfigError(LookalikeError):
    pass


class StorageError(LookalikeError):
    pass


class ArtifactError(StorageError):
    pass


class CatalogueError(LookalikeError):
    pass


class ImageError(CatalogueError):
    pass


class PhotoTooLarge(ImageError):
    pass


class ValidationFailed(CatalogueError):
    pass


class MiningError(LookalikeError):
    pass


class TrainingError(LookalikeError):
    pass


class EvaluationError(LookalikeError):
    pass


class ExportError(LookalikeError):
    pass


class ParityError(ExportError):
    pass


class ReleaseError(LookalikeError):
    pass


class ReleaseMismatch(ReleaseError):
    pass


class UntrustedRelease(ReleaseError):
    pass


class VectorIndexError(LookalikeError):
    pass


class QueryError(LookalikeError):
    pass


class NotFound(QueryError):
    pass


class BackendUnavailable(LookalikeError):
    """The message is for whoever runs the service and may name addresses; `told` is what a stranger is told."""

    def __init__(
        self,
        message: str,
        told: str = "a part that this search needs does not answer; try again later",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.told = told
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(BackendUnavailable):
    def __init__(self, message: str, told: str = "the answer was not there in time") -> None:
        super().__init__(message, told)


class Overloaded(LookalikeError):
    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QuotaSpent(Overloaded):
    pass


class AccessDenied(LookalikeError):
    pass


class PipelineError(LookalikeError):
    pass
