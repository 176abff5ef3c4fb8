import subprocess
import sys

HEAVY = ("torch", "transformers", "lightning")
MODULES = (
    "lookalike.embedders.onnx",
    "lookalike.embedders.triton",
    "lookalike.embedders.memory",
    "lookalike.embedders.choose",
    "serving.triton.launcher",
)


def test_embedding_needs_no_torch() -> None:
    program = f"import sys, {', '.join(MODULES)}; print([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_onnxruntime_alone_needs_no_kserve() -> None:
    program = "import sys, lookalike.embedders.onnx, lookalike.embedders.choose; print('kserve' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
