"""What Kubeflow's Trainer 2 refuses, or leaves without a word, though its kinds' fields allow it."""

from collections.abc import Iterator, Mapping, Sequence

from app.manifests.pods import TRAINER_SETS, job_templates, listed, mapped
from app.manifests.reading import Document, Finding, by_name, name_of, of_kind

GROUP = "trainer.kubeflow.org/v1alpha1"
STEP = "trainer.kubeflow.org/trainjob-ancestor-step"


def trainer_findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """Of every TrainJob and TrainingRuntime; kubeflow/trainer, pkg/runtime/framework/plugins/torch."""
    known = by_name(documents)
    for kind in ("TrainJob", "TrainingRuntime"):
        for document in of_kind(documents, kind):
            if document["apiVersion"] != GROUP:
                yield Finding(name_of(document), f"is of {document['apiVersion']!r}; {GROUP} is accepted")
    for runtime in of_kind(documents, "TrainingRuntime"):
        yield from _runtime(runtime)
    for job in of_kind(documents, "TrainJob"):
        yield from _job(job, known)


def _runtime(runtime: Document) -> Iterator[Finding]:
    """What a TrainJob says is for the container `node` of the pods with this label, and lost without them."""
    steps = [mapped(job, "metadata", "labels").get(STEP) for job in job_templates(runtime)]
    if steps.count("trainer") != 1:
        yield Finding(name_of(runtime), f"one of its jobs has to have the label {STEP}: trainer; they have {steps}")
    for job in job_templates(runtime):
        names = [each.get("name") for each in listed(mapped(job, "spec", "template", "spec"), "containers")]
        if "node" not in names:
            yield Finding(name_of(runtime), f"the Trainer looks for a container 'node'; there are {names}")


def _job(job: Document, known: Mapping[str, Document]) -> Iterator[Finding]:
    chosen = mapped(job, "spec", "runtimeRef")
    target = f"{chosen.get('kind', 'ClusterTrainingRuntime')}/{chosen.get('name')}"
    if target not in known:
        yield Finding(name_of(job), f"{target} is not in the manifests")
    for variable in listed(mapped(job, "spec", "trainer"), "env"):
        if variable.get("name") in TRAINER_SETS:
            yield Finding(name_of(job), f"the Trainer sets {variable['name']} itself, and refuses it here")
