# syntax=docker/dockerfile:1
# The version is written out, so that the same commit makes the same image. Raise it for Node's security releases.
ARG NODE=node:24.19.0-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The scripts would build, and there is nothing to build from yet.
RUN npm ci --ignore-scripts --no-fund --no-audit
COPY tsconfig.json tsconfig.build.json ./
COPY index.ts ./
COPY bin bin
COPY src src
COPY workers workers
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-fund --no-audit
COPY prices.json models.json jobs.example.yaml jobs.models.yaml LICENSE ./
COPY examples examples
# It runs as any user, as OpenShift and `docker run --user` want it: everything is for everybody to read. A mounted /app/archive, for
# a folder archive, is for its group (0) to write besides node.
RUN mkdir -p /out/archive && mv node_modules dist package.json prices.json models.json jobs.example.yaml jobs.models.yaml LICENSE examples /out/ \
  && chmod -R a+rX /out && chown node:0 /out/archive && chmod 2775 /out/archive

FROM ${NODE}
# Nothing is written at home, which whoever it runs as need not have.
ENV NODE_ENV=production HOME=/tmp
WORKDIR /app
COPY --from=build /out ./
# By number, so that Kubernetes' runAsNonRoot can tell that it is not root.
USER 1000:0
# What a worker drains on: it begins nothing new and records what is under way. Give it 90 s (docker stop --time 90).
STOPSIGNAL SIGTERM
# No HEALTHCHECK: the image is for every command, and most of them listen on nothing. A worker that hangs loses its jobs to others
# when their locks run out; `serve` has /healthz and /readyz, which docker-compose.yml and deploy/kubernetes ask.
ENTRYPOINT ["node", "dist/bin/flux-batch.js"]
CMD ["worker"]
