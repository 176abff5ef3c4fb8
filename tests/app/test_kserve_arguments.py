"""What KServe appends is used where nothing else is said, and never contradicted in silence."""

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.kserve_arguments import KServeArguments, with_kserve
from lookalike.errors import ConfigError

APPENDED = KServeArguments(model_name="shop", predictor_host="shop-predictor.shops", http_port=8080)


def test_a_service_without_settings_is_as_kserve_says() -> None:
    assert with_kserve({}, APPENDED) == {
        "model_name": "shop",
        "http_port": 8080,
        "triton_url": "shop-predictor.shops:80",
    }


def test_triton_s_own_address_comes_before_kserve_s() -> None:
    made = with_kserve({"triton_url": "lookalike-triton:8001"}, APPENDED)
    assert made["triton_url"] == "lookalike-triton:8001"
    assert with_kserve({}, KServeArguments(predictor_host="triton:9000"))["triton_url"] == "triton:9000"


def test_without_kserve_nothing_changes() -> None:
    assert with_kserve({"http_port": 0}, KServeArguments("", "", "", None, None)) == {"http_port": 0}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"http_port": 9090}, "KServe says --http_port 8080, the service's settings say 9090"),
        ({"model_name": "bags"}, "KServe says --model_name shop, the service's settings say bags"),
    ],
)
def test_settings_that_contradict_kserve_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_kserve(settings, APPENDED)


def test_the_same_said_twice_is_no_contradiction() -> None:
    assert with_kserve({"http_port": "8080"}, APPENDED)["http_port"] == "8080"


def test_triton_is_asked_by_grpc_only() -> None:
    with_kserve({}, KServeArguments(predictor_protocol="grpc-v2"))
    with pytest.raises(ConfigError, match="--predictor_protocol is 'v1'; Triton is asked by grpc-v2 only"):
        with_kserve({}, KServeArguments(predictor_protocol="v1"))


def test_workers_are_said_not_to_be_used(caplog: pytest.LogCaptureFixture) -> None:
    assert with_kserve({}, KServeArguments(workers=4)) == {}
    assert "--workers 4 is not used" in caplog.text


def test_the_verb_refuses_a_contradiction_before_it_starts_anything() -> None:
    answer = CliRunner().invoke(app, ["serve", "--port", "9090", "--http_port", "8080"])
    assert isinstance(answer.exception, ConfigError)


def test_the_verb_refuses_what_neither_it_nor_kserve_knows() -> None:
    answer = CliRunner().invoke(app, ["serve", "--predictor_hots", "x"])
    assert answer.exit_code == 2
    assert "No such option: --predictor_hots" in answer.output
