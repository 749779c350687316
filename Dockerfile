# docker build -t adserver .
# docker compose up, or alone:
# docker run --init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges -p 8080:8080 \
#     -v adserver-data:/var/lib/adserver -e ADSERVER_PUBLIC_URL=https://sponsors.example adserver

FROM python:3.11-slim AS build

WORKDIR /src
RUN python -m venv /opt/adserver
COPY requirements.lock ./
RUN /opt/adserver/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY adserver adserver
RUN /opt/adserver/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/adserver/bin/pip uninstall --yes setuptools pip


FROM python:3.11-slim

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin adserver \
    && install --directory --owner adserver --mode 0700 /var/lib/adserver
COPY --from=build /opt/adserver /opt/adserver
WORKDIR /srv/adserver
COPY campaigns campaigns

ENV PATH=/opt/adserver/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ADSERVER_DATA_DIR=/var/lib/adserver \
    ADSERVER_LOG_FORMAT=json

# By number: an orchestrator can see that it is not root.
USER 10001
# Spools, keys and the last good catalog: counts survive a new container only on a volume.
VOLUME /var/lib/adserver
EXPOSE 8080
# Ready, not only alive: without anything published the container is not healthy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
# Drains on SIGTERM within 10 s.
STOPSIGNAL SIGTERM
CMD ["adserver", "serve", "--host", "0.0.0.0"]
