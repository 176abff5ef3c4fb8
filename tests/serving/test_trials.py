"""A release on trial answers its share, is asked in the shadow, and goes when it is worse."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from lookalike.errors import BackendUnavailable
from lookalike.release.manifest import Release, save_release
from lookalike.release.trial import Mode, Trial, ended_trials, running_trial, start_trial
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from serving.live import Engine
from serving.live_comparison import LiveGuardrails
from serving.trial_settings import TrialSettings
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, put_live, running, settings, until

LIVE, NEXT = Shop(), Shop(seed=1)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
QUICK = TrialSettings(guardrails=LiveGuardrails(errors=0.01, similarity=2))
IDS = [f"request-{number}" for number in range(120)]


class Failing(SearchEngine):
    def search(self, request: SearchRequest, deadline: Any = None) -> SearchAnswer:
        raise BackendUnavailable("its model is gone")


def with_failing(release: Release) -> Engine:
    """Engines of both shops; the challenger's fails."""
    if release.release_id == LIVE.release.release_id:
        return engines_of(LIVE)(release)
    return Failing(NEXT.embedder, NEXT.index, NEXT.features, release)


def begun(folder: Path, mode: Mode, share: float) -> Trial:
    put_live(folder / "releases", LIVE)
    save_release(folder / "releases", NEXT.release)
    return start_trial(folder / "releases", NEXT.release, mode, share, NOW)


def ask(client: Client, request_id: str, **more: str) -> httpx.Response:
    address = httpx.URL("/search", params={"k": 3, **more})
    return client.http.post(address, content=photo(7), headers={"X-Request-ID": request_id})


def shares(client: Client) -> dict[str, str]:
    """Request ids by the release that answered."""
    return {name: ask(client, name).json()["release_id"] for name in IDS}


def figures(client: Client, name: str) -> dict[str, float]:
    lines = [line for line in client.http.get("/metrics").text.splitlines() if line.startswith(name)]
    return {line.rsplit(" ", 1)[0].removeprefix(name): float(line.rsplit(" ", 1)[1]) for line in lines}


def on_trial(client: Client) -> None:
    until(lambda: NEXT.release.release_id in client.http.get("/metrics").text)


def test_a_canary_answers_its_share_and_the_same_requests_every_time(tmp_path: Path) -> None:
    begun(tmp_path, "canary", 0.3)
    with running(settings(tmp_path), engines_of(LIVE, NEXT)) as client:
        on_trial(client)
        first = shares(client)
        assert shares(client) == first
        theirs = sum(release == NEXT.release.release_id for release in first.values())
        assert set(first.values()) == {LIVE.release.release_id, NEXT.release.release_id}
        assert theirs / len(IDS) == pytest.approx(0.3, abs=0.15)
        told = figures(client, "lookalike_trial_requests")
        assert told == {'{arm="challenger"}': 2.0 * theirs, '{arm="champion"}': 2.0 * (len(IDS) - theirs)}
        for name in IDS[:20]:  # a next page comes from the release of the first, whatever its own id
            page = ask(client, name).json()
            assert ask(client, "another", cursor=page["next_cursor"]).json()["release_id"] == page["release_id"]


def test_a_shadow_is_asked_and_answers_nobody(tmp_path: Path) -> None:
    begun(tmp_path, "shadow", 1.0)
    with running(settings(tmp_path), engines_of(LIVE, NEXT)) as client:
        on_trial(client)
        assert set(shares(client).values()) == {LIVE.release.release_id}
        until(lambda: figures(client, "lookalike_trial_requests")['{arm="challenger"}'] > 0)


@pytest.mark.parametrize("mode", ["canary", "shadow"])
def test_a_failing_challenger_fails_no_request_and_is_rolled_back(tmp_path: Path, mode: Mode) -> None:
    trial, releases = begun(tmp_path, mode, 0.5), tmp_path / "releases"
    with running(settings(tmp_path, trials=QUICK), with_failing) as client:
        on_trial(client)
        for number in range(3_000):
            answer = ask(client, f"request-{number}")
            assert (answer.status_code, answer.json()["release_id"]) == (200, LIVE.release.release_id)
            if running_trial(releases) is None:
                break
        until(lambda: NEXT.release.release_id not in client.http.get("/metrics").text)
    (ended,) = ended_trials(releases, NEXT.release)
    assert (ended.trial, ended.outcome) == (trial, "rolled back")
    assert ended.reasons[0].startswith("share of failed requests is 1.000 over ")


def test_a_challenger_that_is_no_worse_stays_and_callers_mistakes_do_not_count(tmp_path: Path) -> None:
    begun(tmp_path, "canary", 0.5)
    with running(settings(tmp_path, trials=QUICK), engines_of(LIVE, NEXT)) as client:
        on_trial(client)
        for name in IDS:
            assert ask(client, name, k="0").status_code == 400
            assert ask(client, name).status_code == 200
    assert running_trial(tmp_path / "releases") is not None


def test_a_trial_that_ends_is_over_for_every_request_after(tmp_path: Path) -> None:
    begun(tmp_path, "canary", 1.0)
    with running(settings(tmp_path), engines_of(LIVE, NEXT)) as client:
        on_trial(client)
        assert ask(client, "one").json()["release_id"] == NEXT.release.release_id
        (tmp_path / "releases" / "trial.json").unlink()
        until(lambda: ask(client, "one").json()["release_id"] == LIVE.release.release_id)
