"""The examples of docs/api.md run against a real server."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from lookalike.workspace import Workspace
from serving.settings import ServingSettings
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, put_live, running, settings
from tests.serving.test_openapi import DOCUMENT

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
SHOP = Shop()


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    put_live(folder / "releases", SHOP)
    with running(settings(folder), engines_of(SHOP)) as client:
        yield client


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples' photo, where they run."""
    (tmp_path / "shoe.jpg").write_bytes(photo(1, side=64))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def addressed(example: str, client: Client) -> str:
    """The example, asking the test's server."""
    return example.replace("localhost:8080", client.http.base_url.netloc.decode()).replace(
        "localhost:8081", f"127.0.0.1:{client.grpc_port}"
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("example", examples("bash"))
def test_every_command_is_answered(client: Client, here: Path, example: str) -> None:
    for command in re.sub(r"\n(?=curl)", "\0", addressed(example, client).strip()).split("\0"):
        shell = ["bash", "-c", command.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)]
        done = subprocess.run(shell, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert SHOP.release.release_id in done.stdout


@pytest.mark.parametrize("example", examples("python"))
def test_every_program_runs(client: Client, here: Path, example: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(addressed(example, client), "docs/api.md", "exec"), {})
    assert "p0" in capsys.readouterr().out


def test_the_answer_shown_and_the_settings_shown_are_such() -> None:
    (answer,) = examples("json")
    schema = {"$ref": "#/components/schemas/Answer", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(yaml.safe_load(answer))
    (chosen,) = examples("yaml")
    served = ServingSettings.of_workspace(Workspace(Path()), "m.db", **yaml.safe_load(chosen))
    assert served.photos.url == "https://cdn.example/{photo_id}.jpg"


def test_the_page_names_every_field_route_and_status() -> None:
    form = DOCUMENT["paths"]["/search"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert all(f"| `{name}` |" in PAGE for name in form["properties"])
    plain = [path for path in DOCUMENT["paths"] if not path.startswith(("/v1", "/v2"))]
    named = PAGE.replace("{id}", "{product_id}")
    assert all(path in named for path in plain)
    statuses = {status for paths in DOCUMENT["paths"].values() for one in paths.values() for status in one["responses"]}
    assert all(f"| {status} |" in PAGE for status in statuses if status >= "4")
