"""One task of a compiled pipeline, run like its container: the YAML's own command, in an image's environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp import dsl
from kfp.local.executor_input_utils import construct_executor_input
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentSpec

from pipelines.compiled import COMPILED

TRAINING = COMPILED / "training.yaml"


def run_task(name: str, environment: Path, root: Path, **arguments: Any) -> dict[str, Any]:
    """Run `name` with parameters and input artifacts in a new folder for everything it writes.

    Returns its outputs, parameters and artifacts, to be passed on by their names. Nothing of this checkout can be
    imported.
    """
    spec = next(yaml.safe_load_all(TRAINING.read_text(encoding="utf-8")))
    component = json_format.ParseDict(spec["components"][f"comp-{name}"], ComponentSpec())
    asked = construct_executor_input(component, arguments, str(root), block_input_artifact=False)
    container = spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    message = json_format.MessageToJson(asked)
    command = [part.replace("{{$}}", message) for part in (*container["command"], *container["args"])]
    root.mkdir(parents=True)
    ran = subprocess.run(command, cwd=root, env=_as_in_image(environment), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-4_000:]
    produced = json.loads(Path(asked.outputs.output_file).read_text(encoding="utf-8"))
    artifacts = {name: _artifact(value["artifacts"][0]) for name, value in produced.get("artifacts", {}).items()}
    return artifacts | produced.get("parameterValues", {})


def _as_in_image(environment: Path) -> dict[str, str]:
    seen = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "GX_ANALYTICS_ENABLED": "False", "DO_NOT_TRACK": "1"}
    return seen | quiet | {"PATH": f"{environment / 'bin'}:/usr/bin:/bin"}


def _artifact(produced: dict[str, Any]) -> dsl.Artifact:
    return dsl.Artifact(name=produced["name"], uri=produced["uri"], metadata=produced.get("metadata", {}))
