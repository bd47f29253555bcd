# Needs BuildKit, for the cache mounts: Docker 23 or newer has it on.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The caches outlive the layer, so the binary is copied out of target/ in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p taizhang \
    && cp target/release/taizhang /usr/local/bin/taizhang

FROM debian:bookworm-slim
# Authorities, for TLS to the database and to webhooks.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/bin/taizhang /usr/local/bin/taizhang
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin taizhang \
    && install -d -o taizhang -g taizhang -m 0750 /srv/taizhang /srv/taizhang/var
WORKDIR /srv/taizhang
COPY data data
USER 10001:10001
# SQLite's file, where one is used; PostgreSQL needs no volume.
VOLUME /srv/taizhang/var
ENV TAIZHANG_LISTEN=0.0.0.0:8080
EXPOSE 8080
# A stop drains for at most 20 s: give it `docker stop --time 25`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["taizhang", "health"]
ENTRYPOINT ["taizhang"]
CMD ["serve"]
