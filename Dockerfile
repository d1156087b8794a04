# syntax=docker/dockerfile:1
FROM node:20-slim AS build
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

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json prices.json jobs.example.yaml LICENSE ./
COPY examples examples
# For a folder archive: mount a volume at /app/archive and it is node's to write.
RUN mkdir archive && chown node:node archive
USER node
ENTRYPOINT ["node", "dist/bin/flux-batch.js"]
CMD ["worker"]
