# npm run build && docker build -t REGISTRY/keepalive-operator:TAG .
# The bundle is plain JavaScript, but koffi's part of it is built for one architecture: `npm run build -- arm64` brings
# others too. The base is an argument: any image with Node 26 in its PATH does.
ARG NODE_IMAGE=node:26-bookworm-slim
FROM ${NODE_IMAGE}
WORKDIR /app
COPY LICENSE dist ./
USER 65532:65532
EXPOSE 8080
# One arena for all threads of a process: each further one keeps some MiB that it gave back to nobody.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "/app/main.mjs"]
