# Two stages: the first installs the locked dependencies and the project, the second holds only the result.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/usher
WORKDIR /build
# Alone and first, so that a change of the code does not install everything anew.
COPY requirements-serve.lock ./
RUN /opt/usher/bin/pip install --require-hashes --requirement requirements-serve.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY adapters adapters
COPY storage storage
COPY manifest manifest
# hatchling is in the lock file: nothing is fetched here.
RUN /opt/usher/bin/pip install --no-index --no-deps --no-build-isolation . \
    && /opt/usher/bin/pip uninstall --yes --quiet hatchling pip

FROM python:3.12-slim
RUN groupadd --gid 10001 usher \
    && useradd --system --uid 10001 --gid usher --home-dir /data --create-home --shell /usr/sbin/nologin usher
COPY --from=build /opt/usher /opt/usher
# The container's file system may be read-only: only /data, where a SQLite database lies, is written to.
ENV MPLCONFIGDIR=/tmp/matplotlib \
    PATH=/opt/usher/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    USHER_HOST=0.0.0.0 \
    USHER_PORT=3978 \
    USHER_DATABASE_URL=sqlite:////data/usher.db
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3978
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['USHER_PORT']}/healthz\", timeout=4)"]
CMD ["usher", "serve"]
