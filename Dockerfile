# Builds realtime-photo with its embedded database. Images are stored in the volume /data.
#
#     docker build -t realtime-photo .
#     docker run -d --name realtime-photo --restart unless-stopped -p 8000:8000 -v realtime-photo:/data realtime-photo

FROM rust:1-slim-bookworm AS build
# For the allocator.
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --system --home-dir /data realtime-photo \
 && install --directory --owner realtime-photo --group realtime-photo /data
COPY --from=build /src/target/release/realtime-photo /usr/local/bin/realtime-photo
USER realtime-photo
ENV REALTIME_PHOTO_LISTEN=0.0.0.0:8000 REALTIME_PHOTO_DATA=/data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/realtime-photo"]
