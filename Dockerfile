# Builds realtime-photo with its embedded database. Images are stored in the volume /data.
#
#     docker build -t realtime-photo .
#     docker run -d --name realtime-photo --restart unless-stopped -p 8000:8000 -v realtime-photo:/data realtime-photo

FROM rust:1-slim-bookworm AS build
# For the allocator.
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches keep what has been compiled, so that an image of the next version takes less time.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/realtime-photo / && mkdir /empty

# The C library and nothing else: no shell, no package manager. The user is 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /realtime-photo /usr/local/bin/realtime-photo
COPY --from=build --chown=65532:65532 --chmod=700 /empty /data
ENV REALTIME_PHOTO_LISTEN=0.0.0.0:8000 REALTIME_PHOTO_DATA=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s CMD ["/usr/local/bin/realtime-photo", "health"]
ENTRYPOINT ["/usr/local/bin/realtime-photo"]
