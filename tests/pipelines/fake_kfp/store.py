"""What the fake keeps, and what each operation of the API does to it."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.pipelines.fake_kfp.swagger import Refused

Record = dict[str, Any]
Query = Mapping[str, str]
START = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """Things of one kind by id, in the order they were made; times are made up, a minute apart."""

    def __init__(self, kind: str, listed: str) -> None:
        self.kind, self.listed = kind, listed
        self.things: dict[str, Record] = {}
        self.made = 0

    def add(self, thing: Mapping[str, Any], **more: Any) -> Record:
        self.made += 1
        name = f"{self.kind}-{self.made}"
        self.things[name] = {**thing, f"{self.kind}_id": name, "created_at": stamp(self.made), **more}
        return self.things[name]

    def get(self, name: str) -> Record:
        if name not in self.things:
            raise Refused(404, f"{self.kind} {name} not found.")
        return self.things[name]

    def page(self, query: Query, **wanted: str) -> Record:
        """As `List...` answers: filtered, sorted, a page at a time."""
        matching = [thing for thing in self.things.values() if _fits(thing, query, wanted)]
        if query.get("sort_by", "").endswith(" desc"):
            matching.reverse()
        first, size = int(query.get("page_token") or 0), int(query.get("page_size") or 10)
        answer: Record = {self.listed: matching[first : first + size], "total_size": len(matching)}
        return {**answer, "next_page_token": str(first + size)} if len(matching) > first + size else answer


class Store:
    """Everything on the server, and its operations by their names in the swagger."""

    def __init__(self) -> None:
        self.experiments = Shelf("experiment", "experiments")
        self.runs = Shelf("run", "runs")
        self.schedules = Shelf("recurring_run", "recurringRuns")
        self.pipelines = Shelf("pipeline", "pipelines")
        self.operations: dict[str, Callable[[Query, Query, Any], Record]] = {
            "HealthzService_GetHealthz": lambda path, query, body: {"multi_user": False},
            "ExperimentService_CreateExperiment": self._create_experiment,
            "ExperimentService_GetExperiment": lambda path, query, body: self.experiments.get(path["experiment_id"]),
            "ExperimentService_ListExperiments": lambda path, query, body: self.experiments.page(query),
            "RunService_CreateRun": self._create_run,
            "RunService_GetRun": lambda path, query, body: self.runs.get(path["run_id"]),
            "RunService_ListRuns": lambda path, query, body: self.runs.page(query, **_experiment(query)),
            "RunService_TerminateRun": lambda path, query, body: self._end(path["run_id"], "CANCELED"),
            "RecurringRunService_CreateRecurringRun": self._create_schedule,
            "RecurringRunService_ListRecurringRuns": lambda path, query, body: self.schedules.page(
                query, **_experiment(query)
            ),
            "RecurringRunService_GetRecurringRun": lambda path, query, body: self.schedules.get(
                path["recurring_run_id"]
            ),
            "RecurringRunService_DeleteRecurringRun": self._delete_schedule,
            "UploadPipeline": lambda path, query, body: self.pipelines.add(dict(query)),
            "PipelineService_ListPipelines": lambda path, query, body: self.pipelines.page(query),
            "PipelineService_GetPipeline": lambda path, query, body: self.pipelines.get(path["pipeline_id"]),
        }

    def end_run(self, name: str, state: str, error: str = "", minutes: int = 30) -> None:
        """Let the run of a name come to its end after so many minutes."""
        run = next(run for run in self.runs.things.values() if run["display_name"] == name)
        self._end(run["run_id"], state)
        run["finished_at"] = _later(run["created_at"], minutes)
        if error:
            run["state_history"] = [{"state": state, "error": {"code": 13, "message": error}}]

    def _create_experiment(self, path: Query, query: Query, body: Record) -> Record:
        if any(one["display_name"] == body["display_name"] for one in self.experiments.things.values()):
            raise Refused(409, f"experiment {body['display_name']} exists.")
        return self.experiments.add(body)

    def _create_run(self, path: Query, query: Query, body: Record) -> Record:
        self.experiments.get(body["experiment_id"])
        return self.runs.add(body, state="PENDING")

    def _create_schedule(self, path: Query, query: Query, body: Record) -> Record:
        self.experiments.get(body["experiment_id"])
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise Refused(400, "max_concurrency must be 1 to 10.")
        return self.schedules.add(body, status="ENABLED")

    def _delete_schedule(self, path: Query, query: Query, body: Any) -> Record:
        self.schedules.get(path["recurring_run_id"])
        del self.schedules.things[path["recurring_run_id"]]
        return {}

    def _end(self, run_id: str, state: str) -> Record:
        run = self.runs.get(run_id)
        run |= {"state": state, "finished_at": _later(run["created_at"], 1)}
        return {}


def stamp(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


def _later(time: str, minutes: int) -> str:
    return (datetime.fromisoformat(time) + timedelta(minutes=minutes)).isoformat()


def _experiment(query: Query) -> dict[str, str]:
    return {"experiment_id": query["experiment_id"]} if query.get("experiment_id") else {}


def _fits(thing: Record, query: Query, wanted: Mapping[str, str]) -> bool:
    predicates = json.loads(query["filter"])["predicates"] if query.get("filter") else []
    for one in predicates:
        if one["operation"] not in ("EQUALS", 1):
            raise Refused(400, f"the fake does not know the operation {one['operation']}")
        if thing.get(one["key"]) != one["stringValue"]:
            return False
    return all(thing.get(name) == value for name, value in wanted.items())
