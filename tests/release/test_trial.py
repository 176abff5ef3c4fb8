"""One release at a time is tried beside the live one, and what became of it is remembered."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lookalike.errors import ReleaseError
from lookalike.release.manifest import Release, save_release, switch_live
from lookalike.release.trial import end_trial, ended_trials, running_trial, start_trial, tried_release

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LIVE, NEXT, OTHER = (Release.of(letter * 64, "catalogue", NOW) for letter in "abc")


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    for release in (LIVE, NEXT, OTHER):
        save_release(tmp_path, release)
    switch_live(tmp_path, LIVE)
    return tmp_path


def test_a_trial_is_seen_until_it_is_ended_and_only_one_can_end_it(releases: Path) -> None:
    trial = start_trial(releases, NEXT, "canary", 0.05, NOW)
    assert (running_trial(releases), tried_release(releases)) == (trial, NEXT)
    assert end_trial(releases, trial, "ended", ("enough",), NOW)
    assert not end_trial(releases, trial, "rolled back", ("too late",), NOW)
    assert (running_trial(releases), tried_release(releases)) == (None, None)
    assert [(ended.outcome, ended.reasons) for ended in ended_trials(releases, NEXT)] == [("ended", ("enough",))]


def test_who_ends_a_trial_that_was_begun_anew_ends_nothing(releases: Path) -> None:
    first = start_trial(releases, NEXT, "canary", 0.05, NOW)
    wider = start_trial(releases, NEXT, "canary", 0.5, NOW + timedelta(hours=1))
    assert not end_trial(releases, first, "rolled back", ("of the smaller share",), NOW)
    assert running_trial(releases) == wider


def test_a_release_that_was_rolled_back_is_tried_again_only_when_asked_for(releases: Path) -> None:
    end_trial(releases, start_trial(releases, NEXT, "shadow", 1.0, NOW), "rolled back", ("more errors",), NOW)
    with pytest.raises(ReleaseError, match=r"was rolled back on 2026-11-21.*: more errors"):
        start_trial(releases, NEXT, "canary", 0.05, NOW)
    assert start_trial(releases, NEXT, "canary", 0.05, NOW, again=True).release_id == NEXT.release_id


def test_what_cannot_be_tried_is_said(releases: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="it is in service already"):
        start_trial(releases, LIVE, "canary", 0.05, NOW)
    start_trial(releases, NEXT, "canary", 0.05, NOW)
    with pytest.raises(ReleaseError, match=f"release {NEXT.release_id[:12]} is on trial"):
        start_trial(releases, OTHER, "canary", 0.05, NOW)
    save_release(tmp_path / "empty", NEXT)
    with pytest.raises(ReleaseError, match="nothing is in service beside it"):
        start_trial(tmp_path / "empty", NEXT, "canary", 0.05, NOW)
