# What a pod of the StatefulSet runs: the server, under the name that other nodes know this pod by.
#
# Who begins a cluster, who follows whom:
#   1. A volume that has a NODE file has a role already, which stands over everything said here.
#   2. With an empty volume a node follows the master that any other node names.
#   3. Where none is named, every node but the first follows the first one, and waits for it: that harms nobody, it writes nothing.
#   4. The first one begins a cluster only when all others answer that they are replicas without data. While one of them does not answer, or
#      has data, it ends and is started again: an empty node must never begin a second cluster beside data that it cannot see.
# So all pods must be able to start at once (podManagementPolicy: Parallel), and at the first start all of them must run.
set -eu

# https where the nodes have certificates (docs/SECURITY.md); the authority of the certificates is then given with NODE_EXTRA_CA_CERTS.
scheme="${NODE_SCHEME:-http}"

# Whole, so that clients in other namespaces can follow a redirect to the master.
address() {
  echo "$scheme://$1.skein-nodes.$POD_NAMESPACE.svc:7171"
}

own="$(address "$POD_NAME")"
set -- serve --host 0.0.0.0 --data-dir /data --advertise "$own"

if [ ! -e /data/NODE ]; then
  others=""
  i=0
  while [ "$i" -lt "$NODES" ]; do
    [ "skein-$i" = "$POD_NAME" ] || others="$others $(address "skein-$i")"
    i=$((i + 1))
  done
  # shellcheck disable=SC2086 # addresses have no spaces
  if [ "$POD_NAME" = skein-0 ]; then
    master="$(node /etc/skein/find-master.mjs --wait "$own" $others)"
  else
    master="$(node /etc/skein/find-master.mjs "$own" $others)" || master="$(address skein-0)"
    [ -n "$master" ] || master="$(address skein-0)"
  fi
  if [ -n "$master" ]; then set -- "$@" --master "$master"; fi
fi

exec /skein/dist/bundle/server/main.js "$@"
