# npm run build && docker build -t REGISTRY/keepalive-operator:TAG .
# The bundle is plain JavaScript, but koffi's part of it is built for one architecture: `npm run build -- arm64` brings
# others too. Node 26 comes with any Debian as its base; BASE names an image that has libbpf (libbpf.so.1) as well.
ARG NODE_IMAGE=node:26-bookworm-slim
ARG BASE=with-libbpf
FROM ${NODE_IMAGE} AS with-libbpf
# Loads the agent's program into the kernel. Without it agents look after connections by descriptors, and say so.
RUN apt-get update && apt-get install -y --no-install-recommends libbpf1 && rm -rf /var/lib/apt/lists/*

FROM ${BASE}
WORKDIR /app
COPY LICENSE dist ./
USER 65532:65532
EXPOSE 8080
# One arena for all threads of a process: each further one keeps some MiB that it gave back to nobody.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "/app/main.mjs"]
