"""Send generated and mutated requests to a real server in this process and say what it answered.

`python -m tests.hostile.request_fuzz SEED COUNT [PATIENCE]`. Half of the requests are generated from the server's own
OpenAPI document, valid and invalid by turns; a third are valid requests of REST with their bytes damaged, the head
included; the rest are damaged messages of gRPC. In a process of its own, for the same reasons as `photo_fuzz`.
"""

import json
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import requests
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2

from tests.hostile.cost import megabytes
from tests.hostile.mutations import mutated
from tests.search.shop import Shop, photo
from tests.serving.running import Client, bytes_tensor, engines_of, instance, put_live, running, settings

HANDLED = frozenset({501, 503, 504})
"""Server statuses that are meant: not offered here, a part is down, too late."""
INFER = "/inference.GRPCInferenceService/ModelInfer"
UNHANDLED = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)
SECONDS, PATIENCE = 60.0, 0.5
"""For any answer; and for an answer to a damaged message, which may have promised more than it holds."""


@dataclass
class Answers:
    """What became of mutated requests."""

    requests: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """Unhandled statuses, and requests after which no healthy server was left."""
    peak_megabytes: float = 0.0
    """Resident memory at its highest, beyond what the process held once the server had started."""

    def count(self, status: object, failed: bool, what: str) -> None:
        """Note one answer."""
        self.requests += 1
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1
        if failed:
            self.failures.append(f"{what[:300]} -> {status}")


def fuzz(seed: int, count: int, patience: float = PATIENCE) -> Answers:
    """Start a server over parts in memory and send it `count` requests, one after another."""
    answers, shop = Answers(), Shop()
    with tempfile.TemporaryDirectory() as folder:
        put_live(Path(folder) / "releases", shop)
        with running(settings(Path(folder), request_bytes=300_000), engines_of(shop)) as client:
            client.v1(instance(photo(1)))
            before = megabytes("VmRSS")
            send_generated(client, count // 2, seed, answers, patience)
            send_damaged(client, count // 3, seed, answers, patience)
            send_damaged_calls(client, count - answers.requests, seed, answers)
            if client.v1(instance(photo(1))).status_code != 200:
                answers.failures.append("the server no longer answers")
            answers.peak_megabytes = megabytes("VmHWM") - before
    return answers


# ---- generated from the OpenAPI document


def send_generated(client: Client, count: int, seed: int, answers: Answers, patience: float) -> None:
    """Requests by schemathesis, spread over the operations that have something to vary."""
    import hypothesis
    import schemathesis

    document = client.http.get("/openapi.json").json()
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    varied = [(one, mode) for one in found for mode in schemathesis.GenerationMode if _varies(one)]
    share, until = -(-count // len(varied)), answers.requests + count
    with requests.Session() as session:
        for number, (operation, mode) in enumerate(varied):
            chosen = hypothesis.settings(
                max_examples=max(1, min(share, until - answers.requests)),
                database=None,
                deadline=None,
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            )

            @hypothesis.seed(seed * 1000 + number)
            @chosen
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Any) -> None:
                _send_case(case, session, str(client.http.base_url), answers)

            if answers.requests < until:
                with _unsupported_left_out():
                    send()
        rest = until - answers.requests  # an operation may have fewer examples than its share
    if rest > 0:
        send_damaged(client, rest, seed + 1, answers, patience)


@contextmanager
def _unsupported_left_out() -> Iterator[None]:
    """Schemathesis cannot turn every binary body into an invalid one; damaged messages then take the rest's place."""
    try:
        yield
    except ValueError as error:
        if "Unsupported type" not in str(error):
            raise


def _varies(operation: Any) -> bool:
    return bool(operation.body or any(one.definition["in"] != "header" for one in operation.iter_parameters()))


def _send_case(case: Any, session: requests.Session, base: str, answers: Answers) -> None:
    """Every other request gets past what only a known name or enough time lets through."""
    if answers.requests % 2:
        known = {"model_name": "lookalike", "product_id": "p003", "photo_id": "p003/0"}
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        case.headers = {k: v for k, v in (case.headers or {}).items() if k.lower() != "x-request-timeout-ms"}
    try:
        status = case.call(base_url=base, session=session, timeout=SECONDS).status_code
    except (requests.exceptions.InvalidHeader, UnicodeError):
        status = 0  # the client refuses to send it
    except requests.ConnectionError:
        status = 1  # uvicorn closes the connection on what is no HTTP
    answers.count(status, status >= 500 and status not in HANDLED, f"{case.method} {case.path} {case.query}")


# ---- valid requests, damaged


def send_damaged(client: Client, count: int, seed: int, answers: Answers, patience: float) -> None:
    """HTTP messages with mutated bytes over bare sockets."""
    originals, rng = list(messages(client)), np.random.default_rng(seed)
    for _ in range(count):
        sent = mutated(originals, rng)
        status = raw_status(client.http.base_url.port or 0, sent, patience)
        answers.count(status, status >= 500 and status not in HANDLED, repr(sent))


def messages(client: Client) -> Iterator[bytes]:
    """Whole HTTP messages of every way to ask."""
    small, binary = photo(3), {"Content-Type": "application/octet-stream"}
    fields = {"k": "5", "filters": '{"colour": ["red", "blue"]}', "crop": "0,0,0.5,0.5", "explain": "true"}
    tensor = bytes_tensor("image", 1) | {"parameters": {"binary_data_size": len(small) + 4}}
    head = json.dumps({"inputs": [tensor], "parameters": {"k": 3}}).encode()
    build = client.http.build_request
    asked: Sequence[httpx.Request] = (
        build("POST", "/search", files={"photo": ("a.png", small)}, data=fields),
        build("POST", "/search?k=3&colour=red&group=design&narrow=true", content=small, headers=binary),
        build("POST", "/search", data={"product_id": "p003"}, files={}),
        build("GET", "/products/p003/similar", params={"k": 5, "filters": '{"size": {"missing": true}}'}),
        build("GET", "/products/p003"),
        build("POST", "/v1/models/lookalike:predict", json={"instances": [instance(small, k=4, narrow=True)]}),
        build(
            "POST", "/v2/models/lookalike/infer", json={"inputs": [bytes_tensor("product_id", 1) | {"data": ["p003"]}]}
        ),
        build(
            "POST",
            "/v2/models/lookalike/infer",
            content=head + (len(small)).to_bytes(4, "little") + small,
            headers={**binary, "Inference-Header-Content-Length": str(len(head))},
        ),
    )
    for request in asked:
        lines = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in {**request.headers, "connection": "close"}.items()]
        yield "\r\n".join(lines).encode() + b"\r\n\r\n" + request.read()


def raw_status(port: int, message: bytes, patience: float) -> int:
    """The status of the first answer; 0 where the server waits for more or closes without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        answer = b""
        try:
            connection.sendall(message)
            answer = connection.recv(16)
        except TimeoutError:  # it waits for the rest of a message that promised more
            connection.settimeout(SECONDS)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(16)
        except OSError:
            pass
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") and answer[9:12].isdigit() else 0


# ---- gRPC


def send_damaged_calls(client: Client, count: int, seed: int, answers: Answers) -> None:
    """Messages of ModelInfer with mutated bytes."""
    call = client.channel.unary_unary(INFER)  # bytes as they are
    originals, rng = list(calls()), np.random.default_rng(seed)
    for _ in range(count):
        sent = mutated(originals, rng)
        try:
            call(sent, timeout=SECONDS)
            answers.count("gRPC OK", False, "")
        except grpc.RpcError as error:
            answers.count(f"gRPC {error.code().name}", error.code() in UNHANDLED, f"{error.details()} {sent!r}")


def calls() -> Iterator[bytes]:
    """Valid messages."""
    for raw in (False, True):
        asked = v2.ModelInferRequest(model_name="lookalike", id="7")
        tensor = asked.inputs.add(name="image", datatype="BYTES", shape=[1])
        if raw:
            asked.raw_input_contents.append(len(photo(3)).to_bytes(4, "little") + photo(3))
        else:
            tensor.contents.bytes_contents.append(photo(3))
        asked.parameters["k"].int64_param = 4
        asked.parameters["filters"].string_param = '{"colour": ["red"]}'
        yield asked.SerializeToString()


def fuzz_aside(seed: int, count: int) -> Answers:
    """Fuzz a server in another process; a crash of it is a failure."""
    command = [sys.executable, "-m", "tests.hostile.request_fuzz", str(seed), str(count)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        return Answers(count, failures=[f"seed {seed}: exit {answer.returncode}: {answer.stderr[-500:]}"])
    return Answers(**json.loads(answer.stdout.splitlines()[-1]))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(asdict(fuzz(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:])))) + "\n")
