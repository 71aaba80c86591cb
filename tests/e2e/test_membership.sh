#!/usr/bin/env bash
# Membership between real nodes: a leaked laptop, a lost admin, new keys, a removed office, readers.
# ctest: timeout=300
. "$(dirname "$0")/check.sh"

# node OFFICE BY: its id as BY's members have it.
node() { ht "$2" members --json | jq -r --arg o "$1" '[.[] | select(.office == $o)][0].node'; }
# member OFFICE BY FIELD
member() { ht "$2" members --json | jq -r --arg o "$1" "[.[] | select(.office == \$o)][0].$3"; }
has_member() { [ "$(member "$1" "$2" "$3")" = "$4" ]; }
# in_quarantine OFFICE: how many changesets.
in_quarantine() { ht "$1" status --json | jq .quarantined; }
titles() { ht "$1" action list --json | jq -r '[.[].title] | sort | join(" ")'; }
has_titles() { [ "$(titles "$1")" = "$2" ]; }
# sees OFFICE TITLE...: in the order of sort.
sees() { await 60 has_titles "$1" "${*:2}" || die "$1 sees '$(titles "$1")' and not '${*:2}'"; }

step "joining gives trust on both sides at once; nobody accepts anything"
offices FRA NYC
for office in SHA FRA NYC; do
	is "members in $office" "$(ht $office members --json | jq -r '[.[] | .office] | sort | join(" ")')" \
		"FRA NYC SHA"
	is "admins in $office" "$(ht $office members --json | jq -r '[.[] | select(.admin).office] | join(" ")')" SHA
done
exits 5 ht FRA invite LIS --zone Europe/Lisbon --address a:1
says 'no admin'
exits 5 ht FRA revoke NYC --yes
exits 5 ht FRA admin grant self

step "an admin made by an admin lets others in"
ht SHA admin grant FRA >/dev/null
await 60 has_member FRA FRA admin true || fail "FRA does not hear that it is an admin"
ht FRA invite LIS --zone Europe/Lisbon --address a:1 >/dev/null 2>&1 || fail "FRA can't invite"

step "a reader reads; its office is told why it can't write"
ht SHA collab new 只读 --offices FRA,NYC:reader >/dev/null
ht SHA action add 给大家看 --collab 只读 >/dev/null 2>&1
sees FRA 给大家看
sees NYC 给大家看
exits 5 ht NYC action add 不行 --collab 只读
says "a reader in CO-SHA-$year-0002"
exits 5 ht NYC collab admit CO-SHA-$year-0002 NYC
ht FRA action add 可以 --collab 只读 >/dev/null 2>&1
sees NYC 可以 给大家看
ht SHA collab admit CO-SHA-$year-0002 NYC --role editor >/dev/null
await 60 ht NYC action add 现在行 --collab 只读 >/dev/null 2>&1 || fail "NYC is an editor and can't write"
sees FRA 可以 现在行 给大家看

step "an office that is removed gets nothing new, and what it writes on counts nowhere"
exits 0 ht SHA collab remove CO-SHA-$year-0002 FRA
! grep -q 'nobody manages it' "$root/said" || fail "it has a manager"
ht SHA action add 没有FRA --collab CO-SHA-$year-0002 >/dev/null 2>&1
sees NYC 可以 没有FRA 现在行 给大家看
takes_no_part() { ! ht "$1" collab offices "CO-SHA-$year-0002" | grep -q "^$1 "; }
await 60 takes_no_part FRA || fail "FRA does not hear that it is out"
exits 5 ht FRA action add 太晚了 --collab CO-SHA-$year-0002
sees FRA 可以 现在行 给大家看

step "a laptop leaks: cut on Thursday, what it wrote on Friday is left out everywhere"
replica=$(member NYC NYC replica)
space=$(field NYC CO-SHA-$year-0002 space)
seq=$(ht NYC log --limit 100 --json |
	jq --arg r "$replica" --arg s "$space" '[.[] | select(.replica == $r and .space == $s)][0].seq')
ht NYC action add 周五 --collab CO-SHA-$year-0002 >/dev/null 2>&1
sees SHA 可以 周五 没有FRA 现在行 给大家看
stop NYC
ht NYC action add 离线写的 --collab CO-SHA-$year-0002 >/dev/null 2>&1
exits 0 ht SHA revoke NYC --yes --at "CO-SHA-$year-0002:$seq"
says 'up to changeset'
sees SHA 可以 没有FRA 现在行 给大家看
await 60 has_member NYC FRA state revoked || fail "FRA does not hear of it"
is "in quarantine" "$(in_quarantine SHA)" 1
start NYC --peer "127.0.0.1:${port[SHA]}" --peer "127.0.0.1:${port[FRA]}"
await 60 has_member NYC NYC state revoked || fail "NYC does not hear of it"
logs NYC 'revoked'
exits 5 ht NYC action add 还想写 --collab CO-SHA-$year-0002
says 'huitong join'
is "in quarantine still" "$(in_quarantine SHA)" 1
exits 0 ht SHA quarantine show "${replica:0:8}"
says '周五'

step "what was good of it is adopted"
exits 5 ht SHA quarantine adopt "${replica:0:8}" --to 99999
says 'the last one is'
ht SHA quarantine adopt "${replica:0:8}" >/dev/null
sees SHA 可以 周五 没有FRA 现在行 给大家看
is "in quarantine" "$(in_quarantine SHA)" 0

step "the machine came back clean: the same folder enrols anew, and says again what only it had"
is_gone "${daemon[NYC]}" || stop NYC
unset "daemon[NYC]"
enrol NYC "$(invite NYC SHA "127.0.0.1:${port[SHA]}")" || fail "NYC can't enrol anew"
ls "$root"/NYC/identity.???????? >/dev/null || fail "the old key is gone"
start NYC
is "nodes of New York" "$(ht SHA members --json | jq -r '[.[] | select(.office == "NYC").state] | sort | join(" ")')" \
	"member revoked"
await 60 ht NYC action add 又来了 --collab CO-SHA-$year-0002 >/dev/null 2>&1 || fail "NYC can't write"
converge SHA NYC >/dev/null

step "new keys while others are away; the old ones open nothing"
cp "$root/FRA/identity.key" "$root/old.key"
exits 4 ht FRA rotate
says 'stop the daemon'
stop FRA
exits 0 ht FRA rotate
start FRA
ht FRA person new "Karl Neu" >/dev/null
await 60 bash -c "HUITONG_REPLICA=$root/SHA '$huitong' person list --json | grep -q 'Karl Neu'" ||
	fail "what FRA wrote with its new keys does not arrive"
is "epochs of Frankfurt" "$(member FRA SHA 'epochs | length')" 2
verifies SHA FRA NYC
for office in SHA FRA NYC; do stop "$office"; done

step "the last admin is lost: the words make another on whatever node is left"
ht WORDS init --org 备用 --office WWW --zone UTC --person 他 --json 2>/dev/null >"$root/www"
start WORDS
ticket=$(ht WORDS invite XXX --zone UTC --address "127.0.0.1:${port[WORDS]}" 2>/dev/null)
ht LEFT join "$ticket" --person 她 >/dev/null 2>&1 || fail "XXX can't join"
lost=$(node WWW LEFT)
stop WORDS
jq -r '.roots.keys[].words' "$root/www" >"$root/typed"
ht LEFT recover --revoke "${lost:0:20}" <"$root/typed" >/dev/null 2>&1 || fail "the words don't help"
is "admin left" "$(ht LEFT members --json | jq -r '[.[] | select(.admin) | .office] | join(" ")')" XXX
is "the lost one" "$(member WWW LEFT state)" revoked
exits 0 ht LEFT invite YYY --zone UTC --address a:1
