# shellcheck shell=bash
# A host to log in to: an sshd of our own on the loopback, with keys and a port of its own, for `run ssh`. It is another host to GNU
# parallel, and sees the same folders.
#
#   sshd_start DIR   starts it, and waits until it answers; SSHD_LOGIN is what --ssh of mig-fleet takes
#   sshd_kill        the host dies: sshd, and all that runs there
#   sshd_again       starts it again
#   sshd_stop        ends it

sshd_start() {
  SSHD_DIR=$1
  mkdir -m 700 "$SSHD_DIR"
  ssh-keygen -q -t ed25519 -N '' -f "$SSHD_DIR/host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$SSHD_DIR/key"
  # it separates its rights in a folder of the package
  ((EUID)) || mkdir -p -m 755 /run/sshd
  SSHD_PORT=$((20000 + RANDOM % 12000))
  # bash reads ~/.bashrc for sshd, but not within another shell: what a person has there is no part of this
  cat >"$SSHD_DIR/sshd_config" <<CONF
ListenAddress 127.0.0.1
Port $SSHD_PORT
HostKey $SSHD_DIR/host_key
AuthorizedKeysFile $SSHD_DIR/key.pub
PidFile $SSHD_DIR/pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
SetEnv PATH=$PATH SHLVL=2
CONF
  cat >"$SSHD_DIR/ssh_config" <<CONF
Host worker
HostName 127.0.0.1
Port $SSHD_PORT
User $(id -un)
IdentityFile $SSHD_DIR/key
IdentitiesOnly yes
UserKnownHostsFile $SSHD_DIR/known
StrictHostKeyChecking accept-new
BatchMode yes
LogLevel ERROR
CONF
  SSHD_LOGIN="ssh -F $SSHD_DIR/ssh_config worker"
  sshd_again
}

sshd_again() {
  local i
  # a session, so that all that runs there can be found
  setsid /usr/sbin/sshd -D -e -f "$SSHD_DIR/sshd_config" 2>>"$SSHD_DIR/log" &
  SSHD_PID=$!
  for ((i = 0; i < 100; i++)); do
    ! $SSHD_LOGIN true 2>/dev/null || return 0
    sleep 0.1
  done
  tail -n 5 "$SSHD_DIR/log" >&2
  return 1
}

# What descends from a process, itself first.
sshd_family() { # PID
  local child
  echo "$1"
  for child in $(ps -o pid= --ppid "$1"); do
    sshd_family "$child"
  done
}

sshd_kill() {
  # shellcheck disable=SC2046
  kill -KILL $(sshd_family "$SSHD_PID") 2>/dev/null || true
  wait "$SSHD_PID" 2>/dev/null || true
}

sshd_stop() {
  [[ -z ${SSHD_PID-} ]] || kill "$SSHD_PID" 2>/dev/null || true
  SSHD_PID=
}
