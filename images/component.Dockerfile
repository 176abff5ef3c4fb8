# syntax=docker/dockerfile:1
# What pipeline tasks run in, as two images from the repository's root: --target light, and --target train with PyTorch,
# whose wheels bring CUDA; the node brings the driver.
#   docker build --file images/component.Dockerfile --target light --tag lookalike/components:0.1.0-python3.11 .
#   docker build --file images/component.Dockerfile --target train --tag lookalike/train:0.1.0-python3.11 .
ARG PYTHON=python:3.11.13-slim-bookworm

FROM ${PYTHON} AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN groupadd --gid 10001 lookalike && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin lookalike
WORKDIR /build
COPY . .
RUN python -m venv /opt/lookalike && \
    /opt/lookalike/bin/python -m pip install --no-compile --constraint requirements.lock ".[index,features,monitor,pipelines,serve]"
ENV PATH=/opt/lookalike/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

FROM base AS train
RUN /opt/lookalike/bin/python -m pip install --no-compile --constraint requirements.lock ".[train,s3,export]"
WORKDIR /workspace
USER 10001:10001
ENTRYPOINT ["python"]

FROM base AS light
WORKDIR /workspace
USER 10001:10001
ENTRYPOINT ["python"]
