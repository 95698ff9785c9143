# One image for all services; the command chooses.
FROM debian:bookworm AS dashboard
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /dashboard
COPY dashboard/package.json dashboard/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY dashboard ./
RUN npm run build

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 redis-server valgrind && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=dashboard /dashboard/dist dashboard/dist
RUN scripts/release.sh

FROM debian:bookworm AS model
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/ragtrain /usr/local/bin/
RUN RAGTRAIN_MODEL=/model ragtrain model fetch

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
      tesseract-ocr tesseract-ocr-rus tesseract-ocr-eng tesseract-ocr-osd poppler-utils \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home ragtrain && mkdir /data && chown ragtrain /data
COPY --from=build /src/target/release/ragtrain /src/target/release/ragtrain-api \
     /src/target/release/ragtrain-worker /src/target/release/ragtrain-extractor /usr/local/bin/
COPY --from=model /model /model
USER ragtrain
VOLUME /data
EXPOSE 8000
CMD ["ragtrain-api"]
