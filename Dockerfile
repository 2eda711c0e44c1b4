# The dashboard and the command line in one image; how to use it is in docs/deployment.md.
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
# Of CPU builds, on which nothing here gains by a GPU; what has no such build comes from where pip finds everything.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt requirements-cluster.txt /tmp/
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -r /tmp/requirements-cluster.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl && rm -r /wheels
# For processors of the last ten years and for those with long vectors; on others kernels are compiled at the first start.
RUN if [ "$(uname -m)" = x86_64 ]; then gradient-highway compile x86-64-v3 x86-64-v4; fi
# Hugging Face runs every image as this number.
RUN useradd --create-home --uid 1000 highway && install -d -o highway /data
USER 1000
WORKDIR /home/highway
ENV XDG_DATA_HOME=/data XDG_CACHE_HOME=/data/cache PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["gradient-highway"]
CMD ["dash", "--server.address", "0.0.0.0", "--server.headless", "true"]
