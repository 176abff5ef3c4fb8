# syntax=docker/dockerfile:1
# The search service; the model runs in Triton, or in here where none is named. Build it from the repository's root:
#   docker build --file images/transformer.Dockerfile --tag lookalike/transformer:0.1.0-python3.11 .
ARG PYTHON=python:3.11.13-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.lock images/transformer.txt ./
# --no-deps: transformer.txt names all that is imported; what its members ask for beyond would double the image.
RUN python -m venv /opt/lookalike && \
    /opt/lookalike/bin/python -m pip install --no-deps --no-compile --constraint requirements.lock --requirement transformer.txt
COPY . .
RUN /opt/lookalike/bin/python -m pip install --no-deps --no-compile . && \
    /opt/lookalike/bin/python -m pip uninstall --yes pip

FROM ${PYTHON}
RUN groupadd --gid 10001 lookalike && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin lookalike
COPY --from=build /opt/lookalike /opt/lookalike
ENV PATH=/opt/lookalike/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /workspace
USER 10001:10001
EXPOSE 8080 8081
ENTRYPOINT ["lookalike", "serve"]
CMD ["--help"]
