"""Every command, option, metric, setting, file, module and heading that a page names exists."""

from pathlib import Path

import pytest

from tests.docs.commands import command_findings
from tests.docs.names import link_findings, name_findings, stale_foreign
from tests.docs.pages import ROOT, Page, pages
from tests.docs.settings import setting_findings, stage_settings

CHECKS = (command_findings, setting_findings, name_findings, link_findings)
PAGES = list(pages())


def findings(page: Page) -> list[str]:
    return [finding for check in CHECKS for finding in check(page)]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_a_page_names_exists(page: Page) -> None:
    assert findings(page) == []


PLANTED = {
    "a verb": ("`lookalike indx`", "no verb 'indx'"),
    "a verb within a group": ("`lookalike keys newer`", "no verb 'newer'"),
    "a verb in a block": ("```sh\nlookalike relase --hold\n```", "no verb 'relase'"),
    "an option": ("`lookalike serve --prot 9000`", "no option --prot"),
    "an option of another verb": ("`lookalike prune --latency-ms 4`", "no option --latency-ms"),
    "an option alone": ("`--latency-sm`", "no option of any verb"),
    "an option behind a verb alone": ("`mine --vektors`", "no option --vektors"),
    "an option without its value": ("```sh\nlookalike serve --port\n```", "--port"),
    "a value of the wrong kind": ("```sh\nlookalike serve --port many\n```", "many"),
    "an argument that is missing": ("```sh\nlookalike erase\n```", "Missing argument"),
    "a command behind another one": ("```\ncd shop && lookalike wach >> watch.log 2>&1\n```", "no verb 'wach'"),
    "a continued line": ("```bash\nlookalike index select \\\n  --latency 4\n```", "no option --latency"),
    "a stage in --set": ("`lookalike split --set splits.seed=7`", "no stage"),
    "a setting in --set": ("`lookalike split --set split.sede=7`", "sede"),
    "a service's setting in --set": ("`lookalike serve --set overload.thread=7`", "thread"),
    "a metric": ("`lookalike_requests_totals`", "nothing exports"),
    "a metric in a query": ("`rate(lookalike_reqests_total[5m])`", "nothing exports"),
    "a target of make": ("`make demos`", "no such target"),
    "a variable of make": ("`make demo CATALOGUE=shop`", "does not read CATALOGUE"),
    "a module": ("`python -m benchmarks.nothing`", "no such module"),
    "an option of a module": ("`python -m benchmarks.scale_out --slow`", "no option --slow"),
    "a setting of a stage": ("`decide.lost_shares`", "no setting lost_shares"),
    "a setting of the service": ("`limits.breaker.failure`", "no setting breaker.failure"),
    "a block of settings": ("```yaml\noverload: {thread: 4}\n```", "thread"),
    "a file": ("`lookalike/index/planers.py`", "is not there"),
    "a folder in a block": ("```sh\nkubectl apply --kustomize deploy/overlays/nowhere\n```", "is not there"),
    "an artifact": ("`releases.json` and `lives.json`", "`lives.json` is a file that nothing"),
    "a name in a module": ("`lookalike.catalog.images.decode_foto`", "cannot be imported"),
    "a figure": ("`scale_out_embeded_per_second`", "in no code"),
    "a variable": ("`LOOKALIKE_CHROMIUMS`", "in no code"),
    "a link": ("[here](nowhere.md)", "not there"),
    "an anchor": ("[here](security.md#signed-relases)", "no such heading"),
    "an anchor of the page itself": ("# Top\n\n[here](#bottom)", "no such heading"),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_found(mistake: str) -> None:
    text, said = PLANTED[mistake]
    assert any(said in finding for finding in findings(Page(ROOT / "docs" / "planted.md", text)))


SOUND = """# Top

`lookalike`, `lookalike --help`,
`lookalike index select --latency-ms 5`, `keys new`, `--again`, `lookalike_requests_total{status="429"}`, `make demo`,
`lookalike rollback 3f9c…`, `limits.breaker.failures`, `decide.*`, `lookalike/index/planner.py`, `live.json`,
[top](#top)

```sh
REDIS=env:X lookalike serve --set overload.threads=2 --port 9000 | tee log   # a comment
python -m benchmarks.scale_out --workspace shop --quick
```
"""


def test_what_is_right_is_left_alone() -> None:
    assert findings(Page(ROOT / "docs" / "sound.md", SOUND)) == []


def test_every_stage_with_settings_is_known() -> None:
    assert {"validate", "split", "mine", "evaluate", "export", "index", "features", "drift", "decide"} <= set(
        stage_settings()
    )


def test_no_allowance_outlives_the_name_it_was_made_for() -> None:
    assert stale_foreign("\n".join(Path(page.path).read_text(encoding="utf-8") for page in PAGES)) == set()
