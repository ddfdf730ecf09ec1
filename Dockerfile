# Two images from one file: `--target app` (the reference API) and `--target controller` (the operator).
# Each is one static binary in an empty image, runs as a numeric non-root user and needs no writable root.
#
#   docker build --target controller -t ghcr.io/monitored-api/controller:0.1.0 .
#   docker build --target app        -t ghcr.io/monitored-api/app:0.1.0 --build-arg GIT_COMMIT=$(git rev-parse HEAD) .
#
# Where the binaries exist already (the test bed), the stage `build` is replaced: --build-context build=DIR.

FROM docker.io/library/rust:1.95.0-bookworm AS build
ARG GIT_COMMIT=unknown
WORKDIR /src
COPY . .
RUN GIT_COMMIT=$GIT_COMMIT cargo xtask image stage --out /out

FROM scratch AS app
COPY --from=build /out/app/ /
USER 65532:65532
EXPOSE 8000
ENTRYPOINT ["/monitored-app"]

FROM scratch AS controller
COPY --from=build /out/controller/ /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/monitored-api"]
CMD ["controller"]
