# Skein in a container: built by the same scripts that `npm ci && npm start` runs. tests/house/dockerfile.test.ts holds it to the tree.
#
#   docker build -t skein .
#   openssl rand -hex 24 > key && chmod 644 key
#   docker run -p 7171:7171 -v skein-data:/data -v "$PWD/key:/run/secrets/skein-key:ro" \
#     -e SKEIN_API_KEY_FILE=/run/secrets/skein-key skein
#
# A server that listens beyond its own machine, as one in a container must, refuses to start without a key: the file named by
# SKEIN_API_KEY_FILE holds it in its first line and must be readable for the user `node` (uid 1000).
# Without a place for backups there are none: add -v /srv/backups/skein:/backups -e SKEIN_BACKUP_FOLDER=/backups, where that is a folder of the
# same user on a disk of another machine.
# Both builds of the native graph are inside where the building machine has AVX2; the one that fits the processor is chosen at start.

FROM node:20-bookworm AS build
WORKDIR /skein
COPY package.json package-lock.json ./
COPY src/install src/install
COPY src/vector-index/native src/vector-index/native
RUN npm ci
COPY tsconfig.json ./
COPY src src
RUN npm run build
RUN npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /skein
COPY --from=build /skein/package.json ./
COPY --from=build /skein/node_modules node_modules
COPY --from=build /skein/build build
COPY --from=build /skein/dist/bundle dist/bundle
# A volume that is empty takes over whose the folder of the image is.
RUN mkdir /data /backups && chown node:node /data /backups && chmod 0700 /backups
USER node
VOLUME /data
EXPOSE 7171
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/skein/dist/bundle/server/main.js", "probe", "live"]
ENTRYPOINT ["/skein/dist/bundle/server/main.js"]
CMD ["serve", "--host", "0.0.0.0", "--data-dir", "/data"]
