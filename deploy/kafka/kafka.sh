#!/usr/bin/env bash
# A single Apache Kafka node (KRaft, no ZooKeeper) on the loopback interface, for local use and tests.
# Needs Java 17 or newer, and Maven once to fetch the jars named in pom.xml.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jars=$here/target/jars
port=9092
data=$here/data
ready_seconds=60

usage() {
  cat <<'TEXT'
usage: kafka.sh COMMAND [--port PORT] [--data DIR] [--controller-port PORT]

  fetch    get the jars (also done by start and run)
  start    format the data directory if it is new, start the node, wait until it answers
  run      the same in the foreground
  status   say whether the node of this data directory runs; exit code 1 if it does not
  stop     end the node of this data directory

Defaults: port 9092, controller port one above, data in deploy/kafka/data. Loopback only, no authentication.
TEXT
}

fail() {
  echo "kafka.sh: $*" >&2
  exit 1
}

fetch() {
  [ -e "$jars/complete" ] && return
  command -v mvn >/dev/null || fail "Maven (mvn) is not installed; it fetches the jars of Apache Kafka"
  # Into a folder of this process first: two runs at once must not see each other's half of the jars.
  local fresh=$here/target/jars.$$
  mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies "-Djars.directory=$fresh" ||
    fail "Maven could not fetch the jars (see above)"
  touch "$fresh/complete"
  if [ -e "$jars/complete" ]; then rm -rf "$fresh"; else rm -rf "$jars" && mv "$fresh" "$jars"; fi
}

check_java() {
  command -v java >/dev/null || fail "Java is not installed; Apache Kafka needs version 17 or newer"
  local major
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1)
  [ "${major:-0}" -ge 17 ] || fail "Java ${major:-?} is too old; Apache Kafka needs version 17 or newer"
}

listening() {
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# The process id of the node of this data directory, if it runs. A number alone could belong to another process by now.
running_pid() {
  local pid
  pid=$(cat "$data/kafka.pid" 2>/dev/null) || return 1
  ps -ww -p "$pid" -o args= 2>/dev/null | grep -qF "kafka.Kafka $data/server.properties" || return 1
  echo "$pid"
}

configure() {
  mkdir -p "$data"
  cat >"$data/server.properties" <<TEXT
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$data/log
# Topics are created explicitly, with the partitions that their owner chose.
auto.create.topics.enable=false
num.partitions=1
# One node holds every internal topic, and the first consumer group waits for nobody.
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
TEXT
  cat >"$data/log4j2.properties" <<'TEXT'
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{HH:mm:ss} %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
TEXT
}

java_class() {
  exec java -Xmx768m -Xss512k "-Dlog4j2.configurationFile=$data/log4j2.properties" -cp "$jars/*" "$@"
}

run() {
  check_java
  fetch
  running_pid >/dev/null && fail "a node already runs on $data (kafka.sh stop --data $data)"
  listening && fail "port $port of 127.0.0.1 is in use; choose another with --port"
  configure
  if [ ! -e "$data/log/meta.properties" ]; then
    (java_class kafka.tools.StorageTool format --config "$data/server.properties" \
      --cluster-id bGlhbmdyb25nLWxvY2FsMQ) || fail "the data directory $data could not be formatted"
  fi
  echo $$ >"$data/kafka.pid"
  java_class kafka.Kafka "$data/server.properties"
}

start() {
  if running_pid >/dev/null; then
    status
    return
  fi
  fetch
  mkdir -p "$data"
  nohup "${BASH_SOURCE[0]}" run --port "$port" --controller-port "$controller_port" --data "$data" \
    >"$data/kafka.log" 2>&1 </dev/null &
  local child=$! waited=0
  until running_pid >/dev/null && listening; do
    kill -0 "$child" 2>/dev/null || fail "the node ended while starting: $(tail -5 "$data/kafka.log")"
    [ "$waited" -lt $((ready_seconds * 10)) ] || fail "no answer after $ready_seconds s; see $data/kafka.log"
    sleep 0.1
    waited=$((waited + 1))
  done
  status
}

status() {
  local pid
  if pid=$(running_pid); then
    echo "Apache Kafka runs: KAFKA_BOOTSTRAP=127.0.0.1:$(sed -n 's/^advertised.listeners=.*://p' "$data/server.properties") (process $pid)"
  else
    echo "Apache Kafka does not run on $data"
    return 1
  fi
}

stop() {
  local pid
  if ! pid=$(running_pid); then
    echo "Apache Kafka does not run on $data"
    return
  fi
  kill "$pid"
  for _ in $(seq 300); do
    running_pid >/dev/null || break
    sleep 0.1
  done
  running_pid >/dev/null && kill -KILL "$pid"
  rm -f "$data/kafka.pid"
  echo "Apache Kafka has ended (process $pid)"
}

[ $# -ge 1 ] || { usage >&2; exit 2; }
command=$1
shift
controller_port=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { usage >&2; exit 2; }
  case $1 in
    --port) port=$2 ;;
    --controller-port) controller_port=$2 ;;
    --data) data=$2 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift 2
done
controller_port=${controller_port:-$((port + 1))}
case $data in /*) ;; *) data=$PWD/$data ;; esac

case $command in
  fetch) fetch ;;
  start) start ;;
  run) run ;;
  status) status ;;
  stop) stop ;;
  help | --help | -h) usage ;;
  *) usage >&2; exit 2 ;;
esac
