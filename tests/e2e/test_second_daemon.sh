#!/usr/bin/env bash
# One daemon serves a data folder: a second one says who does, and changes nothing.
. "$(dirname "$0")/check.sh"

found SHA
start SHA
first=${daemon[SHA]}

step "a second daemon is refused and names the first"
exits 4 ht SHA serve --listen 127.0.0.1:0
says "process $first"

step "the first one is not disturbed"
is "the daemon" "$(ask SHA status --json | value_of pid)" "$first"
is "its port" "$(ask SHA status --json | value_of port)" "${port[SHA]}"

step "a new node can't be made of a folder that is served"
exits 4 ht SHA init --org 别的 --office NYC --zone America/New_York
says "process $first"

step "one that is silent keeps nobody from what is held here"
kill -STOP "${daemon[SHA]}"
exits 4 ht SHA status
says '^holds +records'
says '^daemon +silent$'
says 'did not answer within 3 s'
exits 0 ht SHA office list
kill -CONT "${daemon[SHA]}"

step "a port that is taken is named, and the folder is free again afterwards"
found FRA
exits 1 ht FRA serve --listen "127.0.0.1:${port[SHA]}"
says "127.0.0.1:${port[SHA]}.*in use"
start FRA

step "the lock goes with its holder, even a killed one"
crash SHA
start SHA
stop SHA
stop FRA
