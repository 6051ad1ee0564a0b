# What a pod of the StatefulSet runs: the server, under the name that other nodes know this pod by.
#
# A volume that has a NODE file has a role already, which stands over everything said here. With an empty volume a node follows the master
# that the others know; where there are no others yet, the first pod begins the cluster. find-master.mjs tells the three cases apart, and
# refuses where others have data and no master can be named: an empty node must never begin a second cluster beside them.
set -eu

# Whole, so that clients in other namespaces can follow a redirect to the master.
address() {
  echo "http://$1.skein-nodes.$POD_NAMESPACE.svc:7171"
}

set -- serve --host 0.0.0.0 --data-dir /data --advertise "$(address "$POD_NAME")"

if [ ! -e /data/NODE ]; then
  others=""
  i=0
  while [ "$i" -lt "$NODES" ]; do
    [ "skein-$i" = "$POD_NAME" ] || others="$others $(address "skein-$i")"
    i=$((i + 1))
  done
  # shellcheck disable=SC2086 # addresses have no spaces
  master="$(node /etc/skein/find-master.mjs $others)"
  if [ -n "$master" ]; then
    set -- "$@" --master "$master"
  elif [ "$POD_NAME" != skein-0 ]; then
    set -- "$@" --master "$(address skein-0)"
  fi
fi

exec /skein/dist/bundle/server/main.js "$@"
